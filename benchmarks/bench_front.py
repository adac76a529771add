"""CPU seconds of what comes before the fixed point, at 272 x 272 pixels and 12 images, on one thread and on two.

python benchmarks/bench_front.py
"""

import time
from collections.abc import Callable


def seconds(threads: int) -> dict[str, float]:
    """CPU seconds, system time included, of noise units, search and shrinking in both passes."""
    import torch

    from napari_decsc.deq.estimation import robust_pca
    from napari_decsc.filters.collaborative import shrink
    from napari_decsc.filters.matching import similar_patches

    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.avg_pool2d(torch.randn(1, 12, 280, 280, generator=generator), 9, 1)
    clean = 20 * smooth[0]
    noisy = clean + torch.randn(clean.shape, generator=generator)
    cube = 0.5 + 0.02 * noisy[None]
    mask = torch.ones_like(cube, dtype=torch.bool)
    first, second = similar_patches(clean, 16, 10), similar_patches(clean, 32, 10)
    steps: dict[str, Callable[[], object]] = {
        "noise units": lambda: robust_pca.find(cube, mask, 12),
        "search, groups of 16": lambda: similar_patches(clean, 16, 10),
        "search, groups of 32": lambda: similar_patches(clean, 32, 10),
        "threshold": lambda: shrink(noisy, first, 3.0),
        "Wiener": lambda: shrink(noisy, second, 3.0, clean),
    }
    return {name: _cpu_seconds(step) for name, step in steps.items()}


def _cpu_seconds(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


def main() -> None:
    one, two = seconds(1), seconds(2)
    print(f"{'step':22} {'1 thread':>9} {'2 threads':>9}")
    for name in one:
        print(f"{name:22} {one[name]:9.2f} {two[name]:9.2f}")


if __name__ == "__main__":
    main()
