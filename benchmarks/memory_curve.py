"""The memory of a run on a cube that is larger than the memory it may take, watched from outside. Linux.

    python benchmarks/memory_curve.py FOLDER [--gb 2] [--bands 31] [--memory 1.4GB] [--threads 2] [--strength 1]
    python benchmarks/memory_curve.py FOLDER --plot-only

Makes a noisy cube of so many gigabytes in FOLDER, denoises all of it, tile by tile, into another file there, and writes
FOLDER/memory_curve.json: every half second the megabytes of RSS, RssAnon (the process's own), RssFile (pages of mapped
files and libraries, which the system takes back at will), and the tile. FOLDER/memory_curve.png shows them. The cube
and its result are deleted at the end.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from napari_decsc.deq.settings import DecscSettings  # before torch: it says how torch waits and takes memory

KINDS = ("VmRSS", "RssAnon", "RssFile")


def make_cube(path: Path, gigabytes: float, bands: int) -> None:
    """The built-in sample, repeated, with Gaussian noise of sigma 30: float32, BSQ."""
    import numpy as np

    from napari_decsc.hsi.cube import Cube
    from napari_decsc.hsi.io.envi.streaming import envi_sink
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


def child(args: argparse.Namespace) -> None:
    """The run itself; says on stdout its plan, and then which tile it is at."""
    import torch

    from napari_decsc.denoising.protocol import Iteration, run
    from napari_decsc.deq.denoiser import DecscDenoiser
    from napari_decsc.hsi.io.files import new_sink, open_cube

    torch.set_num_threads(args.threads)
    noisy = open_cube(args.folder / "noisy.hdr")
    denoiser = DecscDenoiser(DecscSettings(memory=args.memory, strength=args.strength, device="cpu"))
    print(json.dumps(denoiser.plan(noisy.shape).as_dict()), flush=True)

    def listen(iteration: Iteration) -> None:
        print(iteration.tile, iteration.number, flush=True)

    with new_sink(noisy, args.folder / "denoised.hdr", overwrite=True) as sink:
        run(denoiser.denoise_into(noisy, sink), listen)


def status(pid: int) -> list[int]:
    """Megabytes of each kind of memory of a process; empty when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []
    words = {line.split(":")[0]: line.split() for line in lines}
    return [int(words[kind][1]) * 1024 // 10**6 for kind in KINDS if kind in words]


def watched(args: argparse.Namespace) -> dict[str, Any]:
    """Run the child; what was seen of it."""
    began, log, samples, evaluations = time.monotonic(), args.folder / "run.log", [], 0
    with log.open("w") as out:
        run = subprocess.Popen([sys.executable, __file__, *sys.argv[1:], "--child"], stdout=out, stderr=out)
        while run.poll() is None:
            lines = log.read_text().splitlines()
            tile = int(lines[-1].split()[0]) if len(lines) > 1 else 0
            if now := status(run.pid):
                samples.append([round(time.monotonic() - began, 1), *now, tile])
            time.sleep(0.5)
    plan, *events = log.read_text().splitlines()
    if run.returncode:
        raise SystemExit("\n".join(events[-5:]))
    evaluations = sum(line.split()[1] != "0" for line in events)
    return {
        "plan": json.loads(plan), "threads": args.threads, "seconds": round(time.monotonic() - began),
        "evaluations": evaluations, "columns": ["seconds", *KINDS, "tile"], "samples": samples,
        "largest": dict(zip(KINDS, (max(column) for column in list(zip(*samples, strict=True))[1:4]), strict=True)),
    }  # fmt: skip


def table(found: dict[str, Any], rows: int = 10) -> None:
    """Print a Markdown table: moments spread evenly over the run, then the largest values."""
    print("| seconds | MB | of these its own | mapped files and libraries | tile |\n|---|---|---|---|---|")
    samples = found["samples"]
    for i in range(rows):
        seconds, *kinds, tile = samples[(2 * i + 1) * len(samples) // (2 * rows)]
        print(f"| {seconds:.0f} |", *[f"{value} |" for value in kinds], f"{tile} of {found['plan']['tiles']} |")
    print("| **largest** |", *[f"**{value}** |" for value in found["largest"].values()], "|")
    print(f"\nplan: {found['plan']}; {found['seconds']} s, {found['evaluations']} evaluations in all")


def plot(found: dict[str, Any], path: Path) -> None:
    """The curve as a picture."""
    from matplotlib.figure import Figure

    seconds, rss, anon, _, _ = zip(*found["samples"], strict=True)
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.add_subplot()
    minutes = [value / 60 for value in seconds]
    axes.plot(minutes, rss, lw=0.6, label="resident, mapped pages included")
    axes.plot(minutes, anon, lw=0.6, label="of that, the process's own")
    axes.axhline(found["plan"]["budget_bytes"] / 1e6, color="0.3", lw=1, ls="--", label="budget")
    axes.set(xlabel="minutes", ylabel="MB", ylim=(0, None), xlim=(0, minutes[-1]))
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gb", type=float, default=2)
    parser.add_argument("--bands", type=int, default=31)
    parser.add_argument("--memory", default="1.4GB")
    parser.add_argument("--strength", type=float, default=1.0, help="0 copies: the stream alone, without any solve")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plot-only", action="store_true", help="table and picture of a run that was watched before")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args)
        return
    record = args.folder / "memory_curve.json"
    if not args.plot_only:
        args.folder.mkdir(parents=True, exist_ok=True)
        # made in a process of its own: what it takes must not be counted
        call = f"make_cube(Path({str(args.folder / 'noisy.hdr')!r}), {args.gb}, {args.bands})"
        code = f"from pathlib import Path; from memory_curve import make_cube; {call}"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
        try:
            record.write_text(json.dumps(watched(args)))
        finally:
            for name in ("noisy.hdr", "noisy.img", "denoised.hdr", "denoised.img"):
                (args.folder / name).unlink(missing_ok=True)
    found = json.loads(record.read_text())
    table(found)
    plot(found, args.folder / "memory_curve.png")


if __name__ == "__main__":
    main()
