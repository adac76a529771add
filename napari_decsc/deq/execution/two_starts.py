"""The last equilibrium of a run once more, from the estimate that it began with and from plain noise."""

from collections.abc import Generator

import torch

from napari_decsc.denoising.two_starts import Meeting
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.solvers.fixed_point import Code, anderson, difference, norm, picard

#: Both are solved until residuals and distance are below this ...
CLOSE = 1e-6
#: ... or so many evaluations were made.
MOST = 40


def meet(model: Decsc, c: Context, solver: str, seed: int = 0) -> Generator[Meeting, None, None]:
    """Both solves side by side, an event after every evaluation.

    Parameters
    ----------
    model : Decsc
        Its f is iterated.
    c : Context
        Of the stage: nothing of it is renewed.
    solver : str
        "anderson" or "picard".
    seed : int
        Of the noise that is the other start; it has the energy of the own one.

    Yields
    ------
    Meeting
        One after every evaluation.
    """
    solve = {"anderson": anderson, "picard": picard}[solver]
    with model.computing():
        own = model.start(c)
        states = [solve(lambda z: model.f(z, c), start) for start in (own, _noise_like(own, seed))]
    for number in range(1, MOST + 1):
        with model.computing():
            one, other = (next(each) for each in states)
            apart = norm(difference(one.z, other.z), 1) / norm(one.z, 1).clamp(min=1e-30)
            residuals = float(one.relative_residual[0]), float(other.relative_residual[0])
            meeting = Meeting(number, residuals, float(apart[0]))
        yield meeting
        if max(*meeting.residuals, meeting.distance) < CLOSE:
            return


def _noise_like(z: Code, seed: int) -> Code:
    """White noise of the same energy in every part."""
    drawn = torch.Generator().manual_seed(seed)
    made = (torch.randn(part.shape, generator=drawn).to(part) for part in z)
    return tuple(noise * part.square().mean().sqrt() for noise, part in zip(made, z, strict=True))
