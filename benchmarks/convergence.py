"""Is the fixed point one? PSNR against evaluations, residuals, two starts, monotony, under Gaussian noise and mixture.

    python benchmarks/convergence.py feathers.hdr glass_tiles.hdr --crop 128
    python benchmarks/convergence.py feathers.hdr glass_tiles.hdr --crop 128 --stages

Prints a Markdown table. MPSNR in dB after 1, 2, 4, ... evaluations (Anderson); the evaluations that a relative residual
of 1e-3 takes; the residual after 20; how far the answers from two starts are apart, as a share of the peak; whether the
residual of plain iteration falls at every step; the proved bound on the contraction, where there is one.

`--stages` prints another table, of a whole run of `subspace`: MPSNR of the local start, after the first evaluation, and
at the stop of every stage, with the evaluations of each.
"""

import argparse
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from napari_decsc.cli.bench_case import clean_cube, noise_of
from napari_decsc.deq.execution.equilibria import EARLY
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.solvers.fixed_point import Code, anderson, picard, until
from napari_decsc.deq.training.corruption import usable
from napari_decsc.deq.weights import files as weights
from napari_decsc.hsi.noise.models import add_noise
from napari_decsc.hsi.scaling import peak

COUNTS = (1, 2, 4, 8, 16, 32, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cubes", nargs="+", type=Path)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--weights", nargs="+", default=["subspace", "paper"])
    parser.add_argument("--noise", nargs="+", default=["gaussian-50", "mixture"])
    parser.add_argument("--stages", action="store_true")
    options = parser.parse_args()
    if options.stages:
        print("| cube, noise | noisy | local start | first evaluation | stages (evaluations) | gain from the first |")
        print("|---|---|---|---|---|---|")
        for path, noise in itertools.product(options.cubes, options.noise):
            print(f"| {path.stem}, {noise} | {run(path, noise, options.crop)} |", flush=True)
        return
    counts = " | ".join(str(count) for count in COUNTS)
    print(
        f"| weights, cube, noise | {counts} | evaluations to 1e-3 | residual after 20 | two starts | monotone | bound |"
    )
    print("|---" * (len(COUNTS) + 6) + "|")
    for name, path, noise in itertools.product(options.weights, options.cubes, options.noise):
        problem = Problem.of(weights.load(name).model, path, noise, options.crop)
        print(f"| {name}, {path.stem}, {noise} | {row(problem)} |", flush=True)


@dataclass(frozen=True, eq=False)
class Problem:
    """A noisy crop made ready for a model: f, where it starts, and what it should lead to."""

    model: Decsc
    c: Context
    clean: torch.Tensor

    @classmethod
    def of(cls, model: Decsc, path: Path, noise: str, crop: int) -> "Problem":
        """The problem of one case, with a peak of 1."""
        cube = clean_cube(path, crop)
        high = peak(cube)
        noisy = torch.from_numpy(add_noise(cube, noise_of(noise), seed=0).physical() / np.float32(high))[None]
        with torch.inference_mode():
            c = model.context(noisy, usable(noisy))
        return cls(model, c, torch.from_numpy(cube.physical() / np.float32(high)))

    @property
    def start(self) -> Code:
        """Where iteration begins."""
        return self.model.start(self.c)

    def f(self, z: Code) -> Code:
        """The map whose fixed point is sought."""
        return self.model.f(z, self.c)

    def output(self, z: Code) -> torch.Tensor:
        """The cube that a code leads to, shape (1, band, row, col)."""
        return self.model.output(z, self.c)

    def psnr(self, z: Code) -> float:
        """MPSNR of that cube, dB."""
        mse = (self.output(z)[0] - self.clean).square().mean((1, 2))
        return float((-10 * mse.log10()).mean())


@torch.inference_mode()
def row(problem: Problem) -> str:
    """The cells of one case."""
    states = {s.number: s for s in until(anderson(problem.f, problem.start), 0.0, max(COUNTS))}
    # the code alone may be exact before: then the last state stands for the later ones
    last = max(states)
    scores = [f"{problem.psnr(states[min(count, last)].z):.2f}" for count in COUNTS]
    reached = next((n for n, s in states.items() if float(s.relative_residual) <= 1e-3), None)
    after_20 = float(states[min(20, last)].relative_residual)
    *_, other = until(anderson(problem.f, elsewhere(problem.start)), 1e-7, 100)
    apart = float((problem.output(other.z) - problem.output(states[last].z)).abs().max())
    plain = [float(s.residual) for s in until(picard(problem.f, problem.start), 1e-5, 60)]
    monotone = all(b < a for a, b in itertools.pairwise(plain))
    bound = problem.model.contraction()
    return " | ".join([
        *scores, str(reached), f"{after_20:.0e}", f"{apart:.0e}", "yes" if monotone else "no",
        "-" if bound is None else f"{bound:.3f}",
    ])  # fmt: skip


@torch.inference_mode()
def run(path: Path, noise: str, crop: int) -> str:
    """The cells of a whole run, stage by stage, as the denoiser goes through it."""
    model, cube = weights.load("subspace").model, clean_cube(path, crop)
    rows, cols = (slice(0, extent - extent % model.multiple) for extent in cube.shape[1:])
    cube = cube.replace(data=cube.data[:, rows, cols])
    high = np.float32(peak(cube))
    clean = torch.from_numpy(cube.physical() / high)
    noisy = torch.from_numpy(add_noise(cube, noise_of(noise), seed=0).physical() / high)[None]

    def psnr(estimate: torch.Tensor) -> float:
        return float((-10 * (estimate[0] - clean).square().mean((1, 2)).log10()).mean())

    c = model.begin(noisy, usable(noisy))
    z = model.start(c)
    scores, first, counts = [psnr(model.output(z, c))], None, []
    while c.stage < model.stages(c):
        c = model.renewed(c, z)
        tolerance = DecscSettings().tolerance * (1 if c.stage >= model.stages(c) else EARLY)
        for state in until(anderson(lambda z: model.f(z, c), model.start(c)), tolerance, 100):  # noqa: B023
            z, count = state.z, state.number
            first = psnr(model.output(z, c)) if first is None else first
        scores.append(psnr(model.output(z, c)))
        counts.append(count)
    stages = ", ".join(f"{score:.2f} ({count})" for score, count in zip(scores[1:], counts, strict=True))
    return f"{psnr(noisy):.2f} | {scores[0]:.2f} | {first:.2f} | {stages} | {scores[-1] - first:+.2f}"


def elsewhere(z: Code) -> Code:
    """Another start: noise of variance 1 added to every coefficient."""
    generator = torch.Generator().manual_seed(0)
    return tuple(part + torch.randn(part.shape, generator=generator) for part in z)


if __name__ == "__main__":
    main()
