"""Opens many generated files: every one must give a cube or one of the package's own errors, and nothing else.

    python tests/safety/fuzz.py --inputs 200000
    python tests/safety/fuzz.py --inputs 5000 --ends .mat .h5 .nc

A fault is any other exception or warning, a message that does not name the file, a file opened outside the input's own
folder, memory beyond a limit, more than a few seconds, a death of the process, or a cube that changes when it is
written and read again. Inputs that reach new lines of the package's code, or a new kind of answer, are changed further
(coverage guidance). Faults are kept in tests/safety/corpus, which test_corpus.py replays.
"""

import argparse
import contextlib
import importlib
import multiprocessing
import random
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import mutations
import other_formats
from cases import CORPUS, Case, Fault, TooLong, Watch, folders, outcome, time_limit

PACKAGE = str(Path(__file__).parents[2] / "napari_decsc" / "hsi")
#: What one input may take: bytes beyond those of the process at its start.
MEMORY = 512 << 20
#: ... and addresses that the threads of Zarr and dask reserve for their own heaps, without using them.
THREADS = 2 << 30
#: A chunk with more faults than this is not worth going on with.
MOST_FAULTS = 50
#: Every how many inputs the lines that are reached are looked at (this is slow), and a cube is written and read.
TRACED, WRITTEN = 8, 10
#: Inputs for one process: a fault of a library in C ends only the process.
CHUNK = 25_000


class Coverage:
    """Lines of the package that were reached so far."""

    def __init__(self) -> None:
        self.lines: set[tuple[str, int]] = set()

    def __enter__(self) -> "Coverage":
        self.before = len(self.lines)
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, arg: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(PACKAGE) else None

    def _line(self, frame: FrameType, event: str, arg: Any) -> Any:
        self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line

    @property
    def grew(self) -> bool:
        """True if the last look found a new line."""
        return len(self.lines) > self.before


class Pool:
    """The inputs worth changing further; with ``ends`` those whose names end so, and no fresh ENVI files."""

    def __init__(self, rng: random.Random, cases: list[Case], ends: tuple[str, ...] = ()) -> None:
        self.rng, self.ends = rng, ends
        self.cases = [case for case in cases if case.opened.endswith(ends or "")]
        self.others = [case for case in other_formats.seeds() if case.opened.endswith(ends or "")]

    def next(self) -> Case:
        """A fresh input or a changed old one."""
        kind = self.rng.random()
        if self.ends and (kind < 0.5 or not self.cases):
            return mutations.changed(self.rng.choice(self.others), self.rng.choice(self.others), self.rng)
        if kind < 0.5 or not self.cases:
            return mutations.fresh(self.rng)
        if kind < 0.7 and self.others:
            return mutations.changed(self.rng.choice(self.others), self.rng.choice(self.others), self.rng)
        # the youngest half of the time: what was found last has been changed least
        recent = self.cases[-20:] if self.rng.random() < 0.5 else self.cases
        return mutations.changed(self.rng.choice(recent), self.rng.choice(self.cases), self.rng)


def work(
    pipe: Connection,
    case_folder: Path,
    scratch: Path,
    seed: int,
    count: int,
    pool: list[Case],
    ends: tuple[str, ...] = (),
) -> None:
    """Run ``count`` inputs; sends (answers, new cases, lines reached, faults). The current input lies in the folder."""
    rng = random.Random(seed)
    watch, coverage, answers, faults = Watch(), Coverage(), Counter[str](), []
    store = Pool(rng, pool, ends)
    known = len(store.cases)
    # what is imported when it is first needed takes seconds on a busy machine, which are not the input's
    for name in ("dask.array", "h5py", "spectral", "tifffile", "zarr", "xml.etree.ElementTree"):
        importlib.import_module(name)
    _limit_memory()
    for number in range(count):
        case = store.next()
        path = case.write(case_folder)
        (case_folder.parent / "opened").write_text(case.opened)
        try:
            with time_limit(), coverage if number % TRACED == 0 else contextlib.nullcontext():
                answer = outcome(path, watch, scratch if number % WRITTEN == 1 else None, case_folder)
        except (Fault, TooLong) as fault:
            answer = f"FAULT {fault}"[:100]
            faults.append((case, str(fault)))
        if answer not in answers or (number % TRACED == 0 and coverage.grew):
            store.cases.append(case)
        answers[answer] += 1
        if len(faults) >= MOST_FAULTS:
            break
    pipe.send((answers, store.cases[known:], coverage.lines, faults))


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        limit = pages * resource.getpagesize() + MEMORY + THREADS
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def rounds(inputs: int, seed: int, ends: tuple[str, ...] = ()) -> Iterator[tuple[int, Any, list[tuple[Case, str]]]]:
    """Run the inputs in chunks, each in a process of its own; yields (inputs, what `work` sent or None, faults)."""
    context = multiprocessing.get_context("forkserver")
    pool = [Case.kept(path) for path in sorted(CORPUS.glob("*.json"))]
    with folders() as (case_folder, scratch):
        for start in range(0, inputs, CHUNK):
            count = min(CHUNK, inputs - start)
            here, there = context.Pipe(duplex=False)
            arguments = (there, case_folder, scratch, seed + start, count, pool, ends)
            child = context.Process(target=work, args=arguments)
            child.start()
            there.close()
            try:
                sent = here.recv()
                pool += sent[1]
                yield count, sent, sent[3]
            except EOFError:
                child.join()
                opened = (case_folder.parent / "opened").read_text()
                case = Case.of_folder(case_folder, opened)
                yield count, None, [(case, f"the process ended with code {child.exitcode}")]
            child.join()


def main() -> int:
    """Returns 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=200_000, metavar="N")
    parser.add_argument(
        "--seed", type=int, default=None, metavar="N", help="same seed, same inputs [default: the clock]"
    )
    parser.add_argument(
        "--ends",
        nargs="+",
        default=[],
        metavar="END",
        help="only files whose names end so, such as .mat [default: all]",
    )
    args = parser.parse_args()
    seed = int(time.time()) if args.seed is None else args.seed
    answers, lines, faults, done, begun = Counter[str](), set(), dict[str, Case](), 0, time.monotonic()
    for count, sent, found in rounds(args.inputs, seed, tuple(args.ends)):
        done += count if sent is None else sum(sent[0].values())
        if sent is not None:
            answers.update(sent[0])
            lines |= sent[2]
        for case, fault in found:
            kind = re.sub(r"\d+", "_", fault)[:40]
            if kind not in faults:
                faults[kind] = case
                print(f"FAULT {case.keep(CORPUS).name}: {fault}", flush=True)
        cubes = sum(times for answer, times in answers.items() if answer.startswith("cube"))
        print(
            f"{done} inputs in {time.monotonic() - begun:.0f} s: {cubes} cubes, {sum(answers.values()) - cubes} "
            f"refused with {len(answers)} kinds of answer, {len(lines)} lines reached, {len(faults)} faults",
            flush=True,
        )
    print(f"seed {seed}: {'FAULTS' if faults else 'no fault'}")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
