"""Is the fixed point one? PSNR against evaluations, residuals, two starts, monotony, under Gaussian noise and mixture.

    python benchmarks/convergence.py feathers.hdr glass_tiles.hdr --crop 128

Prints a Markdown table. MPSNR in dB after 1, 2, 4, ... evaluations (Anderson); the evaluations that a relative residual
of 1e-3 takes; the residual after 20; how far the answers from two starts are apart, as a share of the peak; whether the
residual of plain iteration falls at every step; the proved bound on the contraction, where there is one.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch

from napari_decsc.cli.bench_case import clean_cube, noise_of
from napari_decsc.deq import weights
from napari_decsc.deq.fixed_point import Code, anderson, picard, until
from napari_decsc.deq.model import Context, Decsc
from napari_decsc.deq.training.corruption import usable
from napari_decsc.hsi.noise import add_noise
from napari_decsc.hsi.scaling import peak

COUNTS = (1, 2, 4, 8, 16, 32, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cubes", nargs="+", type=Path)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--weights", nargs="+", default=["subspace", "paper"])
    parser.add_argument("--noise", nargs="+", default=["gaussian-50", "mixture"])
    options = parser.parse_args()
    counts = " | ".join(str(count) for count in COUNTS)
    print(
        f"| weights, cube, noise | {counts} | evaluations to 1e-3 | residual after 20 | two starts | monotone | bound |"
    )
    print("|---" * (len(COUNTS) + 6) + "|")
    for name, path, noise in itertools.product(options.weights, options.cubes, options.noise):
        print(
            f"| {name}, {path.stem}, {noise} | {row(weights.load(name).model, path, noise, options.crop)} |", flush=True
        )


@torch.inference_mode()
def row(model: Decsc, path: Path, noise: str, crop: int) -> str:
    """The cells of one case."""
    cube = clean_cube(path, crop)
    high = peak(cube)
    clean = torch.from_numpy(cube.physical() / np.float32(high))
    noisy = torch.from_numpy(add_noise(cube, noise_of(noise), seed=0).physical() / np.float32(high))[None]
    c = model.context(noisy, usable(noisy))
    f = lambda z: model.f(z, c)  # noqa: E731
    states = {s.number: s for s in until(anderson(f, model.start(c)), 0.0, max(COUNTS))}
    # the code alone may be exact before: then the last state stands for the later ones
    last = max(states)
    scores = [f"{psnr(model, states[min(count, last)].z, c, clean):.2f}" for count in COUNTS]
    reached = next((n for n, s in states.items() if float(s.relative_residual) <= 1e-3), None)
    after_20 = float(states[min(20, last)].relative_residual)
    *_, other = until(anderson(f, elsewhere(model.start(c))), 1e-7, 100)
    apart = float((model.output(other.z, c) - model.output(states[last].z, c)).abs().max())
    plain = [float(s.residual) for s in until(picard(f, model.start(c)), 1e-5, 60)]
    monotone = all(b < a for a, b in itertools.pairwise(plain))
    bound = model.contraction()
    return " | ".join([
        *scores, str(reached), f"{after_20:.0e}", f"{apart:.0e}", "yes" if monotone else "no",
        "-" if bound is None else f"{bound:.3f}",
    ])  # fmt: skip


def elsewhere(z: Code) -> Code:
    """Another start: noise of variance 1 added to every coefficient."""
    generator = torch.Generator().manual_seed(0)
    return tuple(part + torch.randn(part.shape, generator=generator) for part in z)


def psnr(model: Decsc, z: Code, c: Context, clean: torch.Tensor) -> float:
    mse = (model.output(z, c)[0] - clean).square().mean((1, 2))
    return float((-10 * mse.log10()).mean())


if __name__ == "__main__":
    main()
