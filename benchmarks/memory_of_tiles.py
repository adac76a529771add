"""Memory that one tile takes, against what `--memory` reckons with: one fresh process for each model, band count, size.

    python benchmarks/memory_of_tiles.py [WEIGHTS BANDS SIDE]...

The worst case: mixture noise, and so little strength that Anderson acceleration holds all the codes that it may. Peak
is that of memory which is the process's own (RssAnon), watched every 5 ms, less what the program took before, with the
C library as it is where memory is short. Linux.
"""

import json
import subprocess
import sys
import threading

from napari_decsc.deq.settings import DecscSettings  # before torch: it says how torch waits and takes memory

CASES = [("subspace", 1, 512), ("subspace", 3, 512), ("subspace", 31, 128), ("subspace", 31, 256)]
CASES += [("subspace", 31, 448), ("subspace", 100, 160), ("subspace", 200, 160), ("paper", 31, 256), ("paper", 31, 384)]
#: Anderson acceleration holds all that it may after five evaluations.
EVALUATIONS, STRENGTH = 9, 0.02


def resident(kind: str) -> int:
    """Bytes of resident memory of this process: kind is RssAnon, RssFile or VmHWM (its largest sum so far)."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(kind + ":"))


def measure(weights: str, bands: int, side: int) -> dict[str, float]:
    """Peak of one solve of ``side`` x ``side`` pixels, in this process."""
    import torch

    from napari_decsc.denoising.protocol import run
    from napari_decsc.deq.denoiser import DecscDenoiser
    from napari_decsc.deq.execution import memory
    from napari_decsc.deq.execution import tiles as tiling
    from napari_decsc.deq.weights import files as shipped
    from napari_decsc.hsi.noise.models import add_noise, make_noise
    from napari_decsc.hsi.sample import sample_cube

    torch.set_num_threads(2)
    # one scene for all: that the sample is made must not count
    scene = sample_cube(512, 512, bands)
    small, cube = (
        add_noise(scene.replace(data=scene.data[:, :n, :n].copy()), make_noise("mixture"), 0) for n in (16, side)
    )
    model = shipped.load(weights).model
    # the result is held beside the tile
    (tile,) = tiling.plan(side, side, 0, model.multiple)
    reckoned = memory.of_tile(model, bands, tile.row.length * tile.col.length) + cube.data.nbytes
    # enough for a single tile, and so little that memory is short
    budget = f"{memory.PROGRAM + reckoned + 2 * cube.data.nbytes}"
    settings = DecscSettings(
        weights=weights, device="cpu", max_iterations=EVALUATIONS, tolerance=0, strength=STRENGTH, memory=budget
    )
    denoiser = DecscDenoiser(settings)
    plan = denoiser.plan(cube.shape, streamed=False)
    if not plan.short or len(plan.tiles) > 1:
        raise SystemExit(f"{bands} x {side} x {side}: memory is not short, or there are {len(plan.tiles)} tiles")
    run(DecscDenoiser(settings).denoise(small))
    before, peaks, stop = resident("RssAnon"), [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.005):
            peaks.append(resident("RssAnon") - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    numbers: list[int] = []  # no events: they would hold previews
    run(denoiser.denoise(cube), lambda event: numbers.append(event.number))
    stop.set()
    watcher.join()
    return {"peak": max(peaks), "reckoned": reckoned, "evaluations": numbers[-1]}


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == ["--one"]:
        print(json.dumps(measure(words[1], int(words[2]), int(words[3]))))
        return
    cases = [tuple(words[i : i + 3]) for i in range(0, len(words), 3)] or CASES
    print("| weights | bands | side | evaluations | measured MB | reckoned MB | measured / reckoned |")
    print("|---" * 7 + "|")
    for case in cases:
        command = [sys.executable, __file__, "--one", *map(str, case)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        peak, reckoned = found["peak"], found["reckoned"]
        row = [*case, found["evaluations"], f"{peak / 1e6:.0f}", f"{reckoned / 1e6:.0f}", f"{peak / reckoned:.2f}"]
        print("|", *[f"{cell} |" for cell in row], flush=True)


if __name__ == "__main__":
    main()
