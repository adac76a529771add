"""The memory of a run on a cube that is larger than the memory it may take, watched from outside. Linux.

    python benchmarks/memory_curve.py FOLDER [--gb 2] [--bands 31] [--memory 1.4GB] [--evaluations 7] [--solve 20]
        [--strength 1] [--tiles 0]

Makes a noisy cube of so many gigabytes in FOLDER, denoises it tile by tile into another file there, and writes
FOLDER/memory_curve.csv: seconds, megabytes of RSS, RssAnon (the process's own), RssFile (pages of mapped files and
libraries, which the system takes back at will), and the tile. After ``--solve`` tiles the run is told to stop: the
remaining tiles get their start estimate, so that the whole file passes through the process in bearable time; 0 solves
all of them. The cube and its result are deleted at the end.
"""

import argparse
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

KINDS = ("VmRSS", "RssAnon", "RssFile", "VmHWM")


def make_cube(path: Path, gigabytes: float, bands: int) -> None:
    """The built-in sample, repeated, with Gaussian noise of sigma 30: float32, BSQ."""
    import numpy as np

    from napari_decsc.hsi.cube import Cube
    from napari_decsc.hsi.envi.streaming import envi_sink
    from napari_decsc.hsi.sample import sample_cube

    side = int((gigabytes * 1e9 / 4 / bands) ** 0.5)
    rng, block = np.random.default_rng(0), sample_cube(500, 500, bands).data
    whole = Cube(np.broadcast_to(np.float32(0), (bands, side, side)))
    with envi_sink(whole, path, overwrite=True) as sink:
        for top in range(0, side, 500):
            for left in range(0, side, 500):
                part = block[:, : side - top, : side - left]
                noisy = part + np.float32(30 / 255) * rng.standard_normal(part.shape, np.float32)
                sink.write(noisy, slice(top, top + part.shape[1]), slice(left, left + part.shape[2]))


class EnoughError(Exception):
    """As many tiles as were asked for are done."""


def settings(args: argparse.Namespace) -> Any:
    """Those of the run."""
    from napari_decsc.deq.settings import DecscSettings

    return DecscSettings(
        memory=args.memory, max_iterations=args.evaluations, strength=args.strength, device="cpu", tolerance=0
    )


def child(args: argparse.Namespace) -> None:
    """The run itself; says on stdout which tile it is at."""
    import torch

    from napari_decsc.deq.denoiser import DecscDenoiser
    from napari_decsc.hsi.denoising import Command, Iteration, run
    from napari_decsc.hsi.files import new_sink, open_cube

    torch.set_num_threads(args.threads)
    noisy = open_cube(args.folder / "noisy.hdr")
    denoiser = DecscDenoiser(settings(args))
    print(denoiser.plan(noisy.shape).as_dict(), flush=True)

    def listen(iteration: Iteration) -> Command | None:
        if iteration.number == 0:
            print(f"tile {iteration.tile} of {iteration.tiles}, {iteration.elapsed:.0f} s", flush=True)
            if 0 < args.tiles < iteration.tile:
                raise EnoughError
        return Command.STOP if 0 < args.solve < iteration.tile else None

    with suppress(EnoughError), new_sink(noisy, args.folder / "denoised.hdr", overwrite=True) as sink:
        run(denoiser.denoise_into(noisy, sink), listen)


def status(pid: int) -> dict[str, int]:
    """Bytes of each kind of memory of a process; empty when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    words = [line.split() for line in lines]
    return {word[0][:-1]: int(word[1]) * 1024 for word in words if word[0][:-1] in KINDS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gb", type=float, default=2)
    parser.add_argument("--bands", type=int, default=31)
    parser.add_argument("--memory", default="1.4GB")
    parser.add_argument("--evaluations", type=int, default=7)
    parser.add_argument("--solve", type=int, default=20)
    parser.add_argument("--strength", type=float, default=1.0, help="0 copies: the stream alone, without any solve")
    parser.add_argument("--tiles", type=int, default=0, help="end after so many tiles; 0: the whole cube")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--child", action="store_true")
    args = parser.parse_args()
    if args.child:
        child(args)
        return
    args.folder.mkdir(parents=True, exist_ok=True)
    # made in a process of its own: what it takes must not be counted
    call = f"make_cube(Path({str(args.folder / 'noisy.hdr')!r}), {args.gb}, {args.bands})"
    code = f"from pathlib import Path; from memory_curve import make_cube; {call}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
    began, peak, log = time.monotonic(), dict.fromkeys(KINDS, 0), args.folder / "run.log"
    with log.open("w") as out, (args.folder / "memory_curve.csv").open("w") as curve:
        run = subprocess.Popen([sys.executable, __file__, *sys.argv[1:], "--child"], stdout=out, stderr=out)
        print("seconds,rss_mb,anon_mb,file_mb,said", file=curve)
        while run.poll() is None:
            found = status(run.pid)
            peak = {kind: max(peak[kind], found.get(kind, 0)) for kind in KINDS}
            said = (log.read_text().splitlines() or [""])[-1].split(",")[0]
            values = [f"{found.get(kind, 0) / 1e6:.0f}" for kind in KINDS[:3]]
            print(f"{time.monotonic() - began:.1f},{','.join(values)},{said}", file=curve, flush=True)
            time.sleep(0.5)
    for name in ("noisy", "denoised"):
        for end in (".hdr", ".img"):
            (args.folder / (name + end)).unlink(missing_ok=True)
    print(f"exit code {run.returncode}, {time.monotonic() - began:.0f} s")
    print({kind: f"{value / 1e6:.0f} MB" for kind, value in peak.items()})


if __name__ == "__main__":
    main()
