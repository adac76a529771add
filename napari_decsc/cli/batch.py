"""``napari-decsc batch``: denoise many cubes into one folder; a run that was stopped goes on where it was."""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer, printable
from napari_decsc.cli.inputs import add_input_options, add_type_option, tell_notes
from napari_decsc.cli.options import add_method, add_settings, make_settings
from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.registry import settings_classes

REPORT = "report.json"

#: State of a cube in the report while it is denoised: what a run that was killed leaves behind.
BEGUN = "begun"
#: Its result is written.
DONE = "done"
#: It has none, and the report says why.
FAILED = "failed"

#: How cubes are read and written where neither the command nor an older report says so.
_USUAL: dict[str, Any] = {"dtype": "float32", "variable": None, "band_axis": None}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``batch``."""
    parser.epilog = (
        "Started again with the same words, it skips the cubes that are done and unchanged, and does the others."
    )
    parser.add_argument("inputs", metavar="IN", nargs="+", type=Path, help="cubes, or folders: every cube in them")
    parser.add_argument("--out", metavar="FOLDER", type=Path, required=True, help=f"where cubes and {REPORT} go")
    add_method(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace cubes that are in the way in FOLDER")
    add_input_options(parser)
    add_type_option(parser)
    add_settings(parser, settings_classes())


def run(args: argparse.Namespace) -> Answer:
    """Denoise one cube after another; the report is up to date after each."""
    from napari_decsc.registry import make_denoiser

    settings = make_settings(args, settings_classes(), args.method)
    jobs = _jobs(args.inputs, args.out)
    maker = make_denoiser(args.method, settings).describe()
    args.out.mkdir(parents=True, exist_ok=True)
    options = {name: getattr(args, name) for name in _USUAL}
    batch = _Batch(args.method, settings, maker, options, args.overwrite, _Ledger(args.out / REPORT))
    states = [batch.state_after(source, output) for source, output in jobs.items()]
    counts = {state: states.count(state) for state in (DONE, "skipped", FAILED)}
    text = f"Wrote {batch.ledger.path}: " + ", ".join(f"{count} {state}" for state, count in counts.items()) + "."
    answer = {"report": str(batch.ledger.path), **counts, "cubes": batch.ledger.listing()}
    return Answer(answer, text, failed=FAILED in states)


@dataclass
class _Ledger:
    """The report on disk: one entry for each output, in the order in which they were first met."""

    path: Path
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.path.exists():
            return
        try:
            self.entries = {entry["output"]: entry for entry in json.loads(self.path.read_bytes())}
        except (ValueError, TypeError, KeyError):
            raise FileFormatError(
                f"{self.path}: is no report of a batch; move it away or choose another folder with --out"
            ) from None

    def listing(self) -> list[dict[str, Any]]:
        return list(self.entries.values())

    def note(self, output: Path, entry: dict[str, Any]) -> None:
        from napari_decsc.cli.outputs import write_text
        from napari_decsc.denoising.report import as_json

        self.entries[output.name] = {"output": output.name, **entry}
        write_text(self.path, as_json(self.listing()) + "\n")


@dataclass
class _Batch:
    """What is to be done with every cube.

    ``maker`` is what a denoiser says of itself; it and ``options``, how cubes are read and written, decide what is the
    same.
    """

    method: str
    settings: Any
    maker: dict[str, Any]
    options: dict[str, Any]
    overwrite: bool
    ledger: _Ledger

    def state_after(self, source: Path, output: Path) -> str:
        """Denoise one cube, unless that is done already; "done", "skipped" or "failed". Only Ctrl-C gets through."""
        entry: dict[str, Any] = {"input": str(source), **self.options}
        try:
            entry["made_from"] = _fingerprint(source)
            if self._is_done(entry, output):
                _say(f"{source}: skipped, {output} is up to date")
                return "skipped"
            self._check(output)
            report = self._denoise(source, output, entry)
        except Exception as error:
            # one cube that fails, for whatever reason, must not cost the others their night
            said = _sentence(error)
            _say(f"{source}: failed: {said}")
            known = self.ledger.entries.get(output.name, {})
            # how a finished cube was made is not forgotten because something else was refused its place
            entry = known if known.get("state") == DONE else {**entry, **self.maker, "state": FAILED}
            self.ledger.note(output, {**entry, "error": said})
            return FAILED
        self.ledger.note(output, {**entry, **report, "state": DONE})
        _say(f"{source}: done, {output}")
        return DONE

    def _denoise(self, source: Path, output: Path, entry: dict[str, Any]) -> dict[str, Any]:
        from napari_decsc.cli.denoise import denoise
        from napari_decsc.cli.outputs import check_cube_output, check_type
        from napari_decsc.hsi.io.files import open_cube

        noisy = open_cube(source, variable=self.options["variable"], band_axis=self.options["band_axis"])
        tell_notes(noisy)
        check_type(noisy, self.options["dtype"])
        check_cube_output(output, [noisy], overwrite=True)
        # from here on a file under the output's name is ours, even if we are killed before the next entry
        self.ledger.note(output, {**entry, **self.maker, "state": BEGUN})
        _, report = denoise(
            noisy, output, self.method, self.settings, overwrite=True, dtype=self.options["dtype"]
        )  # fmt: skip
        return report

    def _is_done(self, entry: dict[str, Any], output: Path) -> bool:
        known = {**_USUAL, **self.ledger.entries.get(output.name, {})}
        same = all(known.get(key) == value for key, value in {**entry, **_as_read(self.maker)}.items())
        return same and known.get("state") == DONE and _opens(output)

    def _began(self, output: Path) -> bool:
        return self.ledger.entries.get(output.name, {}).get("state") == BEGUN

    def _check(self, output: Path) -> None:
        """Raise FileFormatError if a finished cube, or one that no batch made, would be replaced without consent."""
        from napari_decsc.hsi.io.envi.writer import target_pair

        there = [path for path in target_pair(output) if path.exists()]
        if not there or self.overwrite or self._began(output):
            return
        known = self.ledger.entries.get(output.name, {}).get("state") == DONE
        why = "was made from another input or with other settings" if known else "exists already"
        raise FileFormatError(f"{there[0]} {why}; add --overwrite to replace it, or choose another folder with --out")


def _fingerprint(source: Path) -> list[list[Any]]:
    """Name, size in bytes and time of change in nanoseconds of every file of a cube; [] if there is none."""
    found = []
    for path in _files(source):
        status = path.stat()
        found.append([path.name, status.st_size, status.st_mtime_ns])
    return found


def _files(source: Path) -> list[Path]:
    from napari_decsc.hsi.io.envi import is_envi
    from napari_decsc.hsi.io.envi.writer import target_pair

    files = target_pair(source) if is_envi(source) else (source,)
    return [path for path in files if path.is_file()]


def _jobs(inputs: Iterable[Path], out: Path) -> dict[Path, Path]:
    """Cube -> the header to write. Raises FileFormatError if there is nothing to do or two want the same name."""
    jobs: dict[Path, Path] = {}
    taken: dict[str, Path] = {}
    for source in inputs:
        if source.is_dir() and out.exists() and out.samefile(source):
            raise FileFormatError(f"{out} is a folder of inputs; choose another folder with --out")
        for cube in _cubes_in(source) if source.is_dir() else [_header_of(source)]:
            other = taken.setdefault(cube.stem.casefold(), cube)
            if other != cube:
                raise FileFormatError(f"{cube} and {other} have the same name; rename one or use two folders")
            jobs[cube] = out / f"{cube.stem}.hdr"
    if not jobs:
        raise FileFormatError(f"{', '.join(map(str, inputs))}: no cube in it; give cubes or folders that hold some")
    return jobs


def _cubes_in(folder: Path) -> list[Path]:
    from napari_decsc.hsi.io.folders import scenes

    cubes, references = scenes(folder)
    for path in references:
        _say(f"{path}: left alone, a reference and no scene; give it by its name to denoise it")
    return cubes


def _header_of(path: Path) -> Path:
    """The one name of a cube: of an ENVI pair its header."""
    from napari_decsc.hsi.io.folders import name_of

    return name_of(path)


def _opens(output: Path) -> bool:
    from napari_decsc.errors import DecscError
    from napari_decsc.hsi.io.files import open_cube

    try:
        return isinstance(open_cube(output), Cube)
    except DecscError:
        return False


def _as_read(maker: dict[str, Any]) -> dict[str, Any]:
    """As JSON gives it back, so that the two compare."""
    from napari_decsc.denoising.report import as_json

    read: dict[str, Any] = json.loads(as_json(maker))
    return read


def _sentence(error: Exception) -> str:
    from napari_decsc.cli.errors import sentence

    return sentence(error) or f"{type(error).__name__}: {error}"


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
