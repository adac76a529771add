"""Enhanced three-dimensional total variation: gradients that are sparse on a few spectra."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_decsc.classical.baseline import Baseline, Step
from napari_decsc.classical.settings import E3dtvSettings
from napari_decsc.filters.arrays import Floats

#: Penalty of the constraints at the start.
PENALTY = 0.2
#: Its growth per iteration.
GROWTH = 1.3
#: Where it stops growing.
LARGEST_PENALTY = 1e6


class E3dtvDenoiser(Baseline):
    """Denoise by enhanced three-dimensional total variation.

    The noisy cube Y is split into a cube X and sparse noise E; the differences of X along each axis n (band, row,
    col), unfolded to (pixel, band), have low rank, and are sparse seen on the few spectra that span them::

        min  tau sum_n ||U_n||_1 + ||E||_1   with  Y = X + E,  D_n X = U_n V_n^T,  V_n^T V_n = I

    tau is the strength; it weighs a pixel's gradients against its noise, so it does not depend on the size. Solved by
    the alternating direction method of multipliers with a growing penalty: closed forms for U and E (soft thresholds),
    V (orthogonal Procrustes problem) and X (a Poisson equation, diagonal under the cosine transform, because
    differences end at the borders of the cube).

    J. Peng, Q. Xie, Q. Zhao, Y. Wang, L. Yee, D. Meng, "Enhanced 3DTV regularization and its applications on HSI
    denoising and compressed sensing", IEEE Transactions on Image Processing 29, 2020.

    Parameters
    ----------
    settings : E3dtvSettings, optional
        The defaults if left out.
    """

    method = "e3dtv"
    settings: E3dtvSettings

    def __init__(self, settings: E3dtvSettings | None = None) -> None:
        super().__init__(settings or E3dtvSettings())

    def steps(self, data: Floats, measured: NDArray[np.bool_]) -> Iterator[Step]:
        """Yield one step per iteration; the change is that of X."""
        solve = Poisson(data.shape)
        gradients = [_Gradient(data, axis, self.settings.rank) for axis in range(3)]
        clean, sparse, multiplier = data, np.zeros_like(data), np.zeros_like(data)
        penalty = PENALTY
        for _ in range(self.settings.max_iterations):
            before = clean
            right = data - sparse + multiplier / np.float32(penalty)
            for gradient in gradients:
                right += gradient.pull(clean, self.settings.strength / penalty, penalty)
            clean = solve(right)
            residual = data - clean
            sparse = soft(residual + multiplier / np.float32(penalty), 1 / penalty)
            gap = residual - sparse
            multiplier += np.float32(penalty) * gap
            for gradient in gradients:
                gradient.dual_step(clean, penalty)
            penalty = min(penalty * GROWTH, LARGEST_PENALTY)
            change, size = _norm(clean - before), _norm(clean)
            yield Step(change, size, clean.copy)
            # the cube stands still before the penalty bites: the parts must also add up to the data
            if max(change, _norm(gap)) <= self.settings.tolerance * size:
                return


class _Gradient:
    """The differences along one axis, U V^T, and the multiplier that ties them to the cube."""

    def __init__(self, data: Floats, axis: int, rank: int) -> None:
        self.axis, self.shape = axis, data.shape
        unfolded = difference(data, axis).reshape(len(data), -1)
        rank = min(rank, *unfolded.shape)
        _, vectors = np.linalg.eigh(unfolded @ unfolded.T)
        self.spectra = vectors[:, ::-1][:, :rank]  # V, (band, rank)
        self.maps = self.spectra.T @ unfolded  # U^T, (rank, pixel)
        self.multiplier = np.zeros_like(unfolded)

    def pull(self, clean: Floats, threshold: float, penalty: float) -> Floats:
        """Update U and V towards the cube; return D^T (U V^T - M / penalty), what they want of it."""
        scaled = self.multiplier / np.float32(penalty)
        target = difference(clean, self.axis).reshape(scaled.shape) + scaled
        self.maps = soft(self.spectra.T @ target, threshold)
        left, _, right = np.linalg.svd(target @ self.maps.T, full_matrices=False)
        self.spectra = left @ right
        return adjoint_difference((self.spectra @ self.maps - scaled).reshape(self.shape), self.axis)

    def dual_step(self, clean: Floats, penalty: float) -> None:
        """Add the gap between the cube's differences and U V^T to the multiplier."""
        gap = difference(clean, self.axis).reshape(self.multiplier.shape) - self.spectra @ self.maps
        self.multiplier += np.float32(penalty) * gap


class Poisson:
    """Solves (I + sum_n D_n^T D_n) X = right hand side, exactly.

    Parameters
    ----------
    shape : tuple of int
        Of the cube.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        lines = [2 - 2 * np.cos(np.pi * np.arange(length) / length) for length in shape]
        self.eigenvalues = (1 + np.add.outer(np.add.outer(lines[0], lines[1]), lines[2])).astype(np.float32)

    def __call__(self, right: Floats) -> Floats:
        """The solution, of the shape of the right hand side."""
        from scipy.fft import dctn, idctn

        solution: Floats = idctn(dctn(right, norm="ortho") / self.eigenvalues, norm="ortho")
        return solution


def difference(data: Floats, axis: int) -> Floats:
    """D: next minus this along an axis, zero at the end.

    Parameters
    ----------
    data : float array, shape (band, row, col)
        Any.
    axis : int
        0, 1 or 2.

    Returns
    -------
    float array
        Of the same shape.
    """
    out = np.zeros_like(data)
    np.subtract(_after(data, axis), _before(data, axis), out=_before(out, axis))
    return out


def adjoint_difference(data: Floats, axis: int) -> Floats:
    """D^T, the adjoint of :func:`difference`: <D x, y> = <x, D^T y>.

    Parameters
    ----------
    data : float array, shape (band, row, col)
        Any.
    axis : int
        0, 1 or 2.

    Returns
    -------
    float array
        Of the same shape.
    """
    out = np.zeros_like(data)
    inner = _before(data, axis)
    _after(out, axis)[...] += inner
    _before(out, axis)[...] -= inner
    return out


def soft(values: Floats, threshold: float) -> Floats:
    """Soft threshold: towards zero by a threshold, not beyond.

    Parameters
    ----------
    values : float array
        Of any shape.
    threshold : float
        Positive.

    Returns
    -------
    float array
        Of the same shape.
    """
    shrunk: Floats = values - np.clip(values, np.float32(-threshold), np.float32(threshold))
    return shrunk


def _norm(values: Floats) -> float:
    """Euclidean norm over every element."""
    return float(np.linalg.norm(values.ravel()))


def _before(data: Floats, axis: int) -> Floats:
    return np.moveaxis(data, axis, 0)[:-1]


def _after(data: Floats, axis: int) -> Floats:
    return np.moveaxis(data, axis, 0)[1:]
