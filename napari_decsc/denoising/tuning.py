"""Which method, and how strong? The error on hidden voxels tells, on a real cube, of which nobody knows the clean one.

Some voxels are hidden: each is replaced by the mean of its neighbours in its band. What a denoiser gives there cannot
know the noise of the voxel itself. Its squared distance from the measured value is on the mean the squared error of the
denoiser plus the variance of the noise, which is the same for all: the least distance has the least error. That holds
for noise that is independent from voxel to voxel; of stripes and of noise that neighbours share, they tell each other.
Batson, Royer, *Noise2Self: blind denoising by self-supervision*, ICML 2019.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.denoising.protocol import Denoiser, run
from napari_decsc.errors import DenoisingError
from napari_decsc.filters.differences import NORMAL_MAD
from napari_decsc.hsi.cube import Cube

Floats = NDArray[np.float32]
#: Squared distances are cut off at so many noise levels: an outlier says nothing of a denoiser.
CUT = 6.0


@dataclass(frozen=True)
class Tried:
    """How one denoiser did.

    Parameters
    ----------
    name : str
        What it is called.
    distance : float
        Root mean square distance from the hidden values, in noise levels of each band; 1 for one without an error.
    behind : float
        How far its mean squared distance is above the best one's, in noise levels squared; 0 for the best.
    doubt : float
        Standard error of that: below about 2 of them, the two cannot be told apart.
    """

    name: str
    distance: float
    behind: float
    doubt: float

    @property
    def is_as_good(self) -> bool:
        """Whether it cannot be told from the best."""
        return self.behind <= 2 * self.doubt


class Hidden:
    """A cube with some voxels hidden.

    Parameters
    ----------
    noisy : Cube
        A real cube.
    share : float
        Share of the measured voxels that are hidden, 0 to 0.1.
    seed : int
        Decides which.

    Raises
    ------
    DenoisingError
        If the cube is too small to hide any.
    """

    def __init__(self, noisy: Cube, share: float = 0.02, seed: int = 0) -> None:
        values = noisy.physical()
        rng = np.random.default_rng(seed)
        means = _of_neighbours(values)
        self.places = (rng.random(values.shape, np.float32) < share) & np.isfinite(values) & np.isfinite(means)
        # no two neighbours: each must be replaced by values that are there
        self.places[:, 1:] &= ~self.places[:, :-1]
        self.places[:, :, 1:] &= ~self.places[:, :, :-1]
        if not self.places.any():
            raise DenoisingError(f"{noisy.name} has too few voxels to hide some of them; take more of it")
        self.bands, self.values = np.nonzero(self.places)[0], values[self.places]
        raw = np.asarray(noisy.data, np.float32).copy()
        raw[self.places] = means[self.places] * np.float32(noisy.scale)
        self.cube = noisy.replace(data=raw, name=f"{noisy.name}, some voxels hidden")

    def missed(self, denoised: Cube) -> Floats:
        """How far a denoised cube is from every hidden value, physical units.

        Parameters
        ----------
        denoised : Cube
            What a denoiser made of the cube with hidden voxels.

        Returns
        -------
        float array, shape (hidden voxel,)
            In the order of the voxels' places.
        """
        missed: Floats = denoised.physical()[self.places] - self.values
        return missed


def tune(noisy: Cube, denoisers: Mapping[str, Denoiser], share: float = 0.02, seed: int = 0) -> Iterator[Tried]:
    """Try denoisers on hidden voxels; the best comes first.

    Parameters
    ----------
    noisy : Cube
        A real cube, or a part of it that stands for the whole.
    denoisers : mapping of str to Denoiser
        What each is called, and it.
    share : float
        Share of the voxels that are hidden.
    seed : int
        Decides which.

    Yields
    ------
    Tried
        One for each denoiser, in the order of their distances.

    Raises
    ------
    DenoisingError
        If the cube is too small, or a denoiser fails.
    """
    hidden = Hidden(noisy, share, seed)
    missed = {name: hidden.missed(run(denoiser.denoise(hidden.cube))) for name, denoiser in denoisers.items()}
    level = _levels(missed, hidden.bands, noisy.bands)[hidden.bands]
    squares = {name: np.minimum((one / level) ** 2, CUT**2).astype(np.float64) for name, one in missed.items()}
    order = sorted(squares, key=lambda name: float(squares[name].mean()))
    best = squares[order[0]]
    for name in order:
        more = squares[name] - best
        doubt = float(more.std() / np.sqrt(more.size))
        yield Tried(name, float(np.sqrt(squares[name].mean())), float(more.mean()), doubt)


def _levels(missed: Mapping[str, Floats], bands: NDArray[Any], count: int) -> Floats:
    """Noise level of every band (band,): the least median distance of any denoiser."""
    level = np.ones(count, np.float32)
    for band in np.unique(bands):
        found = min(float(np.median(np.abs(one[bands == band]))) for one in missed.values()) / NORMAL_MAD
        level[band] = found if found > 0 else 1
    return level


def _of_neighbours(values: Floats) -> Floats:
    """Mean of the four neighbours of every voxel in its band that were measured; NaN where none was."""
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    near = (padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
    total, count = np.zeros_like(values), np.zeros_like(values)
    for one in near:
        there = np.isfinite(one)
        total += np.where(there, one, 0)
        count += there
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = total / count
    return mean
