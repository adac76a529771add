"""The measured noise in the physical units of a cube, for people and reports."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_decsc.deq.estimation import fringes, spoiled
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.estimation.voxels import filled_gaps, grey_step
from napari_decsc.filters.local import box_mean
from napari_decsc.filters.patches import PATCH
from napari_decsc.hsi.empty_bands import BLANK
from napari_decsc.hsi.noise.measured import Fringe, LineOffsets, MeasuredNoise

#: Side of the window beyond whose mean a fringe's amplitude is measured.
SMOOTH = 15


@torch.no_grad()
def describe(
    found: SignalSubspace, cube: Tensor, mask: Tensor, unit: float, usable: Tensor, columns: NDArray[np.int64]
) -> MeasuredNoise:
    """The noise of a cube or a sample of it, in physical units.

    Parameters
    ----------
    found : SignalSubspace
        Of this cube.
    cube : tensor of shape (band, row, col)
        Peak 1.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.
    unit : float
        What 1 stands for.
    usable : bool tensor, shape (band, row, col)
        What is left of ``mask`` without dead columns and wild voxels (:func:`.voxels.alive`).
    columns : array of shape (col,)
        Where in the whole cube the columns of the sample lie.

    Returns
    -------
    MeasuredNoise
        Outliers and hidden voxels are those of the sample.
    """
    model = NoiseModel(found.sigma[0]) if found.noise is None or found.noise.plain else found.noise
    # brightness and waves are all that the cube itself is needed for
    whole = filled_gaps(cube, mask) if model.shot is not None or model.fringes else cube
    level, correlation = _level_and_correlation(model, whole)
    total = torch.where(mask, cube, torch.nan).flatten(1)
    variance = (total - total.nanmean(1, keepdim=True)).square().nanmean(1)
    empty = {int(band): BLANK for band in torch.where(~(variance > 0))[0]}
    level[list(empty)] = torch.nan
    shot, read = (0.0, level) if model.shot is None else (model.shot.shot, torch.full_like(level, model.shot.read))
    spectrum = level.new_ones(PATCH**2) if model.spectrum is None else model.spectrum
    step = grey_step(cube, mask)
    lines = [LineOffsets(line.angle, _array(unit * line.variance.sqrt() * level)) for line in model.lines]
    outliers, offsets = spoiled.counted(found, cube, mask, usable)
    if offsets is not None:
        lines.append(LineOffsets(0.0, _array(unit * offsets.square().mean(1).sqrt() * found.sigma[0])))
    return MeasuredNoise(
        level=_array(unit * level),
        correlation=_array(correlation),
        spectrum=_array(spectrum.view(PATCH, PATCH)),
        signal=_array(unit * (variance - level.square()).clamp(min=0).sqrt()),
        shot=_array(torch.full_like(level, unit * shot)),
        read=_array(unit * read),
        lines=tuple(lines),
        fringes=_fringes(model, whole, unit),
        dead=_dead(mask, usable, columns),
        outliers=outliers,
        empty=empty,
        step=unit * float(step[step > 0].min()) if bool((step > 0).any()) else 0.0,
        hidden=int((~mask).sum()),
    )


def _dead(mask: Tensor, usable: Tensor, columns: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """Band and column of the cube: most of what was measured there is of no use, wherever the sample shows it."""
    measured, left = (part.sum(1).cpu().numpy() for part in (mask, usable))
    lost = (measured > 0) & (left < measured / 2) | spoiled.dead_columns(mask).cpu().numpy()
    found = {(band, columns[col]) for band, col in np.argwhere(lost)}
    alive = {(band, columns[col]) for band, col in np.argwhere((measured > 0) & ~lost)}
    return tuple(sorted((int(band), int(col)) for band, col in found - alive))


def _level_and_correlation(model: NoiseModel, cube: Tensor) -> tuple[Tensor, Tensor]:
    """Noise level (band,) at the cube's mean brightness, and the correlation between bands."""
    level, eye = model.level.clone(), torch.eye(len(model.level), device=cube.device)
    correlation = eye
    if model.whitening is not None:
        back = torch.linalg.inv(model.whitening)
        covariance = back @ back.T
        spread = covariance.diagonal().sqrt()
        level, correlation = level * spread, covariance / spread[:, None] / spread
    if model.shot is not None and not model.shot.by_pixel:
        level = level * model.shot.variance(cube).mean((1, 2)).sqrt()
    return level, correlation


def _fringes(model: NoiseModel, cube: Tensor, unit: float) -> tuple[Fringe, ...]:
    """Each wave of a band."""
    if not model.fringes:
        return ()
    residual = cube - box_mean(cube[None], SMOOTH)[0]
    sizes = fringes.amplitudes(residual, model.fringes)
    return tuple(
        Fringe(
            wave.band,
            1 / math.hypot(wave.down, wave.across),
            math.degrees(math.atan2(wave.down, wave.across)),
            unit * size,
        )
        for wave, size in zip(model.fringes, sizes, strict=True)
    )


def _array(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.detach().cpu().numpy().astype(np.float32)
    return array
