"""Memory that one tile takes, against what `--memory` reckons with: one fresh process for each model, band count, size.

    python benchmarks/memory_of_tiles.py [WEIGHTS BANDS SIDE]...

Peak is that of memory which is the process's own (RssAnon), watched every 10 ms, less what the program took before.
"""

import json
import subprocess
import sys
import threading
import time

CASES = [("subspace", 1, 512), ("subspace", 3, 512), ("subspace", 31, 256), ("subspace", 31, 448)]
CASES += [("subspace", 100, 224), ("subspace", 200, 160), ("paper", 31, 256), ("paper", 60, 256)]


def resident(kind: str) -> int:
    """Bytes of resident memory of this process: kind is RssAnon, RssFile or VmHWM (its largest sum so far)."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(kind + ":"))


def measure(weights: str, bands: int, side: int) -> dict[str, float]:
    """Peak of one solve of ``side`` x ``side`` pixels, in this process."""
    import numpy as np
    import torch

    from napari_decsc.deq import memory, tiling
    from napari_decsc.deq import weights as shipped
    from napari_decsc.deq.denoiser import DecscDenoiser
    from napari_decsc.deq.settings import DecscSettings
    from napari_decsc.hsi.cube import Cube
    from napari_decsc.hsi.denoising import run

    torch.set_num_threads(1)
    small = DecscSettings(weights=weights, device="cpu", max_iterations=1)
    run(DecscDenoiser(small).denoise(Cube(np.random.default_rng(0).random((bands, 16, 16), np.float32))))
    cube = Cube(np.random.default_rng(0).random((bands, side, side), np.float32))
    before, peaks, stop = resident("RssAnon"), [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            peaks.append(resident("RssAnon") - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    settings = DecscSettings(weights=weights, device="cpu", max_iterations=7, tolerance=0, memory="1000GB")
    began = time.perf_counter()
    run(DecscDenoiser(settings).denoise(cube))
    seconds = time.perf_counter() - began
    stop.set()
    watcher.join()
    model = shipped.load(weights).model
    (tile,) = tiling.plan(side, side, 0, model.multiple)
    reckoned = memory.of_tile(model, bands, tile.row.length * tile.col.length) + cube.data.nbytes
    return {"program": before, "peak": max(peaks), "reckoned": reckoned, "seconds": seconds}


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == ["--one"]:
        print(json.dumps(measure(words[1], int(words[2]), int(words[3]))))
        return
    cases = [tuple(words[i : i + 3]) for i in range(0, len(words), 3)] or CASES
    print("| weights | bands | side | measured MB | reckoned MB | measured / reckoned |\n|---|---|---|---|---|---|")
    for case in cases:
        command = [sys.executable, __file__, "--one", *map(str, case)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        peak, reckoned = found["peak"], found["reckoned"]
        row = [*case, f"{peak / 1e6:.0f}", f"{reckoned / 1e6:.0f}", f"{peak / reckoned:.2f}"]
        print("|", *[f"{cell} |" for cell in row], flush=True)


if __name__ == "__main__":
    main()
