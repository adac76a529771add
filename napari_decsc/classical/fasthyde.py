"""Denoising on the few spectra that rise above the noise, with similar patches shrunk together."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_decsc.classical.baseline import Baseline, Step
from napari_decsc.classical.settings import FastHydeSettings
from napari_decsc.filters.arrays import Floats
from napari_decsc.filters.collaborative import shrink
from napari_decsc.filters.matching import similar_patches
from napari_decsc.filters.patches import PATCH
from napari_decsc.filters.spectral import Subspace, analyse

#: Patches of a group in the first pass, which thresholds.
FIRST_GROUP = 16
#: Patches of a group in the second pass, which has a pilot to go by.
SECOND_GROUP = 32
#: Coefficients below so many standard deviations of the noise are dropped in the first pass.
THRESHOLD = 3.0
#: Distance between two patches that look for similar ones, in pixels.
STRIDE = 3


class FastHydeDenoiser(Baseline):
    """Denoise the eigen-images of the noise-whitened cube by non-local collaborative filtering.

    Bands are divided by their noise level; the eigenvectors of the covariance that rise above the noise span a
    subspace; each eigen-image there has white noise of variance 1 and is denoised as a grey image: similar patches are
    stacked, transformed, thresholded, and once more with Wiener gains from the first result. The cube is put together
    again from the eigen-images.

    The scheme is that of FastHyDe: L. Zhuang, J. M. Bioucas-Dias, "Fast hyperspectral image denoising and inpainting
    based on low-rank and sparse representations", IEEE JSTARS 11, 2018. Here noise levels are per band and robust, and
    patches are grouped once for all eigen-images.

    Parameters
    ----------
    settings : FastHydeSettings, optional
        The defaults if left out.
    """

    method = "fasthyde"
    settings: FastHydeSettings

    def __init__(self, settings: FastHydeSettings | None = None) -> None:
        super().__init__(settings or FastHydeSettings())

    def steps(self, data: Floats, measured: NDArray[np.bool_]) -> Iterator[Step]:
        """Yield one step per eigen-image and pass; the change is that of the eigen-image, in units of its noise."""
        space = analyse(data, measured, self.settings.rank)
        margins = ((0, 0), (PATCH, PATCH), (PATCH, PATCH))
        noisy = torch.from_numpy(np.pad(space.images(data), margins, mode="symmetric"))
        # what stands in for eigen-images whose turn has not come: each shrunk by its share of signal
        signal = torch.from_numpy(np.maximum(1 - 1 / np.maximum(space.variances, 1), 0))[:, None, None]
        estimate = noisy * signal
        first = similar_patches(noisy * signal.sqrt(), FIRST_GROUP, self.settings.search, (STRIDE,))
        yield from _passed(space, estimate, lambda k: shrink(noisy[k], first, THRESHOLD))
        second = similar_patches(estimate, SECOND_GROUP, self.settings.search, (STRIDE,))
        yield from _passed(space, estimate, lambda k: shrink(noisy[k], second, THRESHOLD, estimate[k]))


def _passed(space: Subspace, estimate: Tensor, denoised: Callable[[slice], Tensor]) -> Iterator[Step]:
    """Replace one eigen-image of the estimate after the other."""
    inside = estimate[:, PATCH:-PATCH, PATCH:-PATCH]
    for number in range(len(estimate)):
        one = slice(number, number + 1)
        new = denoised(one)
        change = float((new - estimate[one]).norm())
        estimate[one] = new
        yield Step(change, float(estimate.norm()), lambda: space.cube(inside.numpy()))
