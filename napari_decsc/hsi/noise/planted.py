"""Rare things planted into a scene, of which a denoiser should leave as much as there was.

Values have the peak 1. Strengths are told in noise levels over the bands together: the length of what is added to a
spectrum, divided by the noise level of a band.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import CubeError

Floats = NDArray[np.float32]
Kind = Literal["targets", "faint", "plume"]
#: What each kind is, and in which words a table may name it.
KINDS: dict[Kind, str] = {
    "targets": "12 single pixels of a material that is nowhere else, 20 noise levels strong",
    "faint": "a patch of 5 x 5 pixels, 3 noise levels strong in each",
    "plume": "a smooth cloud with three absorption bands, 1.5 noise levels deep at most",
}
#: Pixels from the border that are left alone.
MARGIN = 5
#: Side of the patch, pixels.
PATCH = 5


@dataclass(frozen=True, eq=False)
class Planted:
    """A scene before and after something was planted.

    Parameters
    ----------
    without, clean : float32 arrays, shape (band, row, col)
        The scene before, and with what was planted.
    mask : bool array, shape (row, col)
        Where it is.
    """

    without: Floats
    clean: Floats
    mask: NDArray[np.bool_]

    def kept(self, result: NDArray[Any]) -> float:
        """Share of what was planted that a result (band, row, col) still shows: 1 all, 0 nothing.

        Its difference from the scene before, projected on what was planted, over the pixels where that is.

        Parameters
        ----------
        result : array of shape (band, row, col)
            In the unit of the scene.

        Returns
        -------
        float
            May be beyond 0 and 1.
        """
        signal = (self.clean - self.without)[:, self.mask].astype(np.float64)
        shown = result[:, self.mask].astype(np.float64) - self.without[:, self.mask]
        return float((shown * signal).sum() / (signal**2).sum())

    def error(self, result: NDArray[Any]) -> float:
        """Root mean square error of a result where something was planted, over all bands.

        Parameters
        ----------
        result : array of shape (band, row, col)
            In the unit of the scene.

        Returns
        -------
        float
            In that unit.
        """
        difference = (result - self.clean)[:, self.mask].astype(np.float64)
        return float(np.sqrt(np.mean(difference**2)))


def plant(scene: NDArray[Any], kind: Kind, rng: np.random.Generator, sigma: float = 0.02) -> Planted:
    """Plant something rare.

    Parameters
    ----------
    scene : array of shape (band, row, col)
        The clean scene, peak 1.
    kind : str
        One of `KINDS`.
    rng : numpy.random.Generator
        Decides where.
    sigma : float
        Noise level of a band, as a share of the peak, in which strengths are told.

    Returns
    -------
    Planted
        See there.

    Raises
    ------
    CubeError
        If the scene has no room for it.
    """
    bands, rows, cols = scene.shape
    if min(rows, cols) < 2 * MARGIN + PATCH + 2:
        raise CubeError(f"a scene of {rows} x {cols} pixels has no room for what is planted")
    without = np.asarray(scene, np.float32)
    if kind == "plume":
        cloud = _cloud(rows, cols)
        added = -1.5 * sigma * _absorption(bands)[:, None, None] * cloud
        return Planted(without, (without + added).astype(np.float32), cloud > 0.5)
    mask = np.zeros((rows, cols), bool)
    if kind == "targets":
        for _ in range(12):
            mask[rng.integers(MARGIN, rows - MARGIN), rng.integers(MARGIN, cols - MARGIN)] = True
        spectrum = 20 * sigma * _unit(np.sin(np.arange(1, bands + 1) / 3))
    else:
        row, col = (int(rng.integers(MARGIN, extent - MARGIN - PATCH)) for extent in (rows, cols))
        mask[row : row + PATCH, col : col + PATCH] = True
        spectrum = 3 * sigma * _unit(np.cos(np.arange(bands) / 4))
    added = np.where(mask, spectrum[:, None, None], 0)
    return Planted(without, (without + added).astype(np.float32), mask)


def _unit(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    length: NDArray[np.float64] = spectrum / np.linalg.norm(spectrum)
    return length


def _absorption(bands: int) -> NDArray[np.float64]:
    """Three absorption bands, at 0.3, 0.55 and 0.8 of the spectrum, shape (band,), 1 at their deepest."""
    band = np.arange(bands)
    total: NDArray[np.float64] = np.sum(
        [np.exp(-(((band - bands * at) / 1.5) ** 2)) for at in (0.3, 0.55, 0.8)], axis=0
    )
    return total


def _cloud(rows: int, cols: int) -> NDArray[np.float64]:
    """A smooth hill (row, col) in the middle of the image, 1 at its top, wider than high."""
    row, col = np.mgrid[:rows, :cols]
    hill: NDArray[np.float64] = np.exp(-(((row - rows / 2) / 12) ** 2 + ((col - cols / 2) / 20) ** 2))
    return hill
