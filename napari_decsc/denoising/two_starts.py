"""What is seen when an equilibrium is solved from two starts: a proved contraction lets both end in one point."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Meeting:
    """Both solves after the same number of evaluations.

    Parameters
    ----------
    number : int
        Evaluations of f by each, from 1.
    residuals : tuple of two float
        Relative residual of the solve from its own start, and of the one from the other start.
    distance : float
        Of their codes, as a share of the size of the first.
    """

    number: int
    residuals: tuple[float, float]
    distance: float


@runtime_checkable
class SolvesTwice(Protocol):
    """A denoiser that can show that its answer does not hang on its start."""

    def two_starts(self) -> Generator[Meeting, None, None]:
        """Solve the last equilibrium of the last run from two starts.

        Yields
        ------
        Meeting
            One after every evaluation.

        Raises
        ------
        DenoisingError
            If no solution is held.
        """
        ...
