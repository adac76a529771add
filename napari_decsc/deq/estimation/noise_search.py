"""The noise of a cube, measured where the signal is not.

A cube of many bands has few components of signal. Everything in the other directions is noise, and shows its level, its
correlation between bands, its spectrum in space, its growth with the signal, offsets of lines and fringes. A kind of
noise is taken into the model only where the cube says so.

Shapes: one cube (band, row, col). ``mask`` is False where a voxel carries no information.
"""

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.estimation import correlation, fringes, rectangle, rounding, shot, trial
from napari_decsc.deq.estimation.components import beside, components, level_of_differences
from napari_decsc.deq.estimation.lines import Lines, offset_share
from napari_decsc.deq.estimation.noise_level import band_sigmas
from napari_decsc.deq.estimation.noise_model import LineNoise, NoiseModel, Whitener
from napari_decsc.deq.estimation.rays import strongest_ray
from napari_decsc.deq.estimation.regression import beside_other_bands, coloured_level
from napari_decsc.deq.estimation.shot import ShotNoise
from napari_decsc.deq.estimation.voxels import filled_gaps, grey_step, is_hardly_there, is_rounding
from napari_decsc.filters.order import robust_deviation

#: Fewer bands do not tell signal from noise.
FEWEST_BANDS = 8
#: Nor do fewer pixels ...
FEWEST_PIXELS = 32 * 32
#: ... or rows or cols ...
FEWEST_LINES = 24
#: ... or cubes of which more than this share is hidden.
HIDDEN = 0.05
#: ... and of cubes of which less than this share was measured, of pixels and bands of which some was, nothing can be
#: said: they come back as they came.
LEAST_MEASURED = 0.25
#: Of fewer pixels nothing can be said: they come back as they came.
TOO_FEW = 64
#: Rounds of finding the subspace and what it leaves over.
ROUNDS = 8
#: The growth with the signal is fitted so often, each time in a better subspace.
SHOT_FITS = 3
#: Whether one scale per pixel or the stabilising transform serves better is tried where what the scale leaves of the
#: growth is between these shares.
IN_DOUBT = (0.1, 0.6)
#: Dark pixels are this share of all.
DARK = 0.25
#: Components at most.
MOST = 24
#: So many times as many beside noise that is white.
MORE = 2
#: The share of a band's noise that must lie outside the components to be measured there.
MEASURABLE = 0.3
#: Bands in which the noise must show, or a quarter of all.
LEAST_SEEN = 4
#: Lines that are offset in fewer of the bands are left in.
SHARE = 0.2
#: Where no growth is found without the means of lines, only what they are beside the median of so many is taken out.
AROUND = 15
#: ... and growth counts if its fit leaves no more than this: what lines leave there grows with the signal, too.
CLOSELY = 0.02


@torch.no_grad()
def measure(cube: Tensor, mask: Tensor) -> NoiseModel:
    """The noise model of a cube, or of a sample of it.

    A cube that is too small to tell, or whose noise is that of rounding, has one that says so.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Peak 1, finite.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.

    Returns
    -------
    NoiseModel
        In units of the peak.
    """
    inside = _without_borders(mask)
    if inside is not None:
        cube, mask = cube[:, inside[0], inside[1]], mask[:, inside[0], inside[1]]
    found = _measured(cube, mask)
    if not found.negligible or found.rounding is not None or cube[0].numel() < TOO_FEW:
        return found
    return replace(found, rounding=rounding.measured(filled_gaps(cube, mask), mask))


def _without_borders(mask: Tensor) -> tuple[slice, slice] | None:
    """The part of a scene with borders of pixels without data that has none; None where it can stay whole."""
    there = mask.any(0)
    if float(there.float().mean()) >= 1 - HIDDEN:
        return None
    inside = rectangle.largest(rectangle.bridged(there.cpu().numpy()))
    sides = [each.stop - each.start for each in inside]
    return inside if min(sides) >= FEWEST_LINES and math.prod(sides) >= FEWEST_PIXELS else None


def _measured(cube: Tensor, mask: Tensor) -> NoiseModel:
    sigma = band_sigmas(cube[None], mask[None])[0]
    sigma = torch.maximum(sigma, grey_step(cube, mask) / 12**0.5).clamp(min=max(1e-5 * float(sigma.median()), 1e-9))
    bands, rows, cols = cube.shape
    hidden = 1 - float(mask.float().mean())
    small = bands < FEWEST_BANDS or rows * cols < FEWEST_PIXELS or min(rows, cols) < FEWEST_LINES
    # in a small cube differences are mostly texture, which the other bands tell
    finest = torch.minimum(sigma, _untold(cube, mask)) if small and rows * cols > 4 * bands else sigma
    unsearched = small or hidden > HIDDEN
    too_little = rows * cols < TOO_FEW or _share_measured(mask) < LEAST_MEASURED
    if too_little or is_rounding(cube, mask, finest, None if unsearched else finest):
        return NoiseModel(sigma, basis=sigma.new_zeros(bands, 1), negligible=True)
    if unsearched:
        return NoiseModel(sigma)
    search = _Search(filled_gaps(cube, mask), sigma)
    found = search.found()
    if found.shot is None or not IN_DOUBT[0] < found.shot.by_pixel_leaves < IN_DOUBT[1]:
        return found
    other = _Search(search.cube, sigma, by_pixel=not found.shot.by_pixel).found()
    return found if other.shot is None else trial.best(search.cube, [found, other], search.lines)


def _share_measured(mask: Tensor) -> float:
    """Share of the voxels that were measured, of pixels and bands of which some were; 1 where none was."""
    there = int(mask.any(0).sum()) * int(mask.flatten(1).any(1).sum())
    return float(mask.sum()) / there if there else 1.0


def _untold(cube: Tensor, mask: Tensor) -> Tensor:
    """What the other bands do not tell of each, (band,): never less than its noise."""
    bands, pixels = len(cube), cube[0].numel()
    level: Tensor = beside_other_bands(filled_gaps(cube, mask))[1] * (pixels / (pixels - bands)) ** 0.5
    return level


class _Search:
    """The subspace and the noise beside it, found in turns."""

    def __init__(self, cube: Tensor, sigma: Tensor, by_pixel: bool | None = None) -> None:
        self.cube, self.shape = cube, (cube.shape[1], cube.shape[2])
        coloured, self.white, self.most = coloured_level(cube), sigma, MOST
        self.coloured = coloured is not None
        between = correlation.between_bands(cube, sigma) if coloured is None else None
        sigma = sigma if coloured is None else coloured
        self.model = NoiseModel(sigma, None if between is None else correlation.whitening(between))
        # waves are strong enough to pass for components of the scene
        self.model = replace(self.model, fringes=fringes.found_in_cube(cube))
        both = (Lines(self.shape, angle, cube.device) for angle in (0.0, 90.0))
        self.lines, self.tested = list(both), False
        self.colour, self.first, self.fits, self.error = 1.0, sigma, 0, math.inf
        self.by_pixel = by_pixel
        self.every = torch.ones_like(cube, dtype=torch.bool)

    def found(self) -> NoiseModel:
        """The model once nothing new is found."""
        rich = not self.coloured
        for number in range(ROUNDS):
            cleaned, raw = self._look()
            rich = rich and self.count == MOST
            if self._hides():
                return self._hidden()
            new = self._test_more(cleaned, number) if self.tested else self._test_lines(raw)
            # levels of white noise settle in the second look; all else takes a third
            settled = not self.lines and self.model.whitening is None and self.model.shot is None
            if not new and number > (0 if settled else 1):
                break
        if rich:
            # in every look, with and without lines, the scene had more: what was left over is then its own, and it is
            # coloured in space where there are more still
            self.most = MORE * MOST
            cleaned, raw = self._look()
            if self._hides() or correlation.in_space(cleaned[self.seen]) is not None:
                return self._hidden()
        return self._finished(raw, cleaned)

    def _hides(self) -> bool:
        """Whether a scene of nearly as many components as bands, or as may be, hides its noise."""
        return int(self.seen.sum()) < max(LEAST_SEEN, len(self.cube) // 4) or self.count >= MORE * MOST

    def _hidden(self) -> NoiseModel:
        """The model beside a scene that has too many components to be told from its noise."""
        none = self.first.new_zeros(len(self.first), 1)
        level = torch.minimum(torch.minimum(self.first, self.white), _untold(self.cube, self.every))
        if is_rounding(self.cube, self.every, level) or is_hardly_there(self.cube, level):
            return NoiseModel(self.first, basis=none, negligible=True)
        if self.count < MOST:
            return NoiseModel(self.first, basis=self.basis)
        return NoiseModel(level, basis=none, negligible=True, rounding=rounding.of_white_noise(self.cube, level))

    def _look(self) -> tuple[Tensor, Tensor]:
        """What the subspace leaves over of the cube without its structures, and of all of it; levels corrected."""
        whitener = self.model.whitener(self.cube)
        whole = whitener.whitened(self.cube)
        whole -= whole.mean((1, 2), keepdim=True)
        residual = self._without_lines(whole)
        if self.model.fringes:
            residual = residual - whitener.mixed(fringes.fit(whitener.unmixed(residual), self.model.fringes))
        self.basis, self.count = components(residual, self.colour, self.most)
        self.left = (1 - self.basis.square().sum(1)).clamp(min=0.02)
        self.seen = self.left > MEASURABLE
        raw, cleaned = beside(whole, self.basis), beside(residual, self.basis)
        factor = torch.where(self.seen, robust_deviation(cleaned.flatten(1)) / self.left.sqrt(), 1.0).clamp(min=1e-3)
        level = self.model.level
        if self.model.whitening is None:
            self.model = replace(self.model, level=level * factor)
        else:
            self.model = replace(self.model, whitening=self.model.whitening / factor[:, None])
        raw, cleaned = (part / (factor * self.left.sqrt())[:, None, None] for part in (raw, cleaned))
        # the same subspace in the corrected levels: where the signal is strong the least turn loses some of it
        self.basis = torch.linalg.qr((self.basis / factor[:, None]).double())[0].float()
        self.colour = max(1.0, float(1 / level_of_differences(cleaned)[self.seen].median())) if self.seen.any() else 1.0
        return cleaned, raw

    def _test_lines(self, raw: Tensor) -> bool:
        """Columns and rows that are not offset are left in; in any case what is left is looked at again."""
        self.tested = True
        self.lines = [line for line in self.lines if offset_share(raw[self.seen], line) > SHARE]
        return True

    def _test_more(self, cleaned: Tensor, number: int) -> bool:
        noise = cleaned[self.seen]
        if len(noise) == 0 or number >= ROUNDS - 1:
            return False
        if self.fits < SHOT_FITS and self._test_shot(cleaned):
            return True
        if len(self.lines) < 2:
            ray = strongest_ray(noise, [line.angle for line in self.lines])
            if ray is not None:
                self.lines.append(Lines(self.shape, ray, noise.device))
                return True
        new = self._new_fringes(cleaned)
        self.model = replace(self.model, fringes=(*self.model.fringes, *new))
        return bool(new)

    def _new_fringes(self, cleaned: Tensor) -> tuple[fringes.Wave, ...]:
        """Waves in the bands in which the noise shows."""
        seen = self.seen.nonzero()[:, 0].tolist()
        known = tuple(replace(wave, band=seen.index(wave.band)) for wave in self.model.fringes if wave.band in seen)
        return tuple(replace(wave, band=seen[wave.band]) for wave in fringes.found(cleaned[self.seen], known))

    def _test_shot(self, cleaned: Tensor) -> bool:
        """Growth with the signal: found once, and once more in what is then a better subspace."""
        found = self._growth(cleaned, self._without_lines(self.cube))
        if self.lines and found is None:  # the scene may be bright along some lines
            found = self._growth(cleaned, self._without_offsets(self.cube))
            found = None if found is None or found.error > CLOSELY else found
        self.fits += 1
        if found is None or found.error > self.error:
            return False
        self.error = found.error
        whitener = NoiseModel(torch.ones_like(self.model.level), shot=found).whitener(self.cube)
        stable = whitener.whitened(self.cube)
        # grey levels hide noise that is finer; it counts as that of their rounding
        finest = grey_step(self.cube, self.every) / 12**0.5 / _deviation(found, self.cube)
        level = band_sigmas(stable[None], self.every[None])[0].clamp(min=1e-6)
        level = torch.maximum(level, finest)
        between = correlation.between_bands(stable, level)
        whitening = None if between is None else correlation.whitening(between)
        self.model = replace(self.model, shot=found, level=level, whitening=whitening)
        return True

    def _growth(self, cleaned: Tensor, cube: Tensor) -> ShotNoise | None:
        """Growth with the signal of a cube without its lines."""
        whitener = self.model.whitener(self.cube)
        cube = _at_level(cube, self.cube)
        # brightness by the subspace: that of noisy pixels follows the noise
        cube = whitener.restored(whitener.whitened(cube) - cleaned * self.left.sqrt()[:, None, None])
        noise = self._noise(cleaned, whitener, cube)
        mixing = None
        if self.model.shot is None:
            mixing = self._mixing()
            mean = mixing @ self.model.level.square() / mixing.sum(1)
            noise *= (mean.sqrt() / self.model.level)[:, None, None]
        noise[~self.seen] = torch.nan
        return shot.fitted(cube, noise, mixing, self.by_pixel)

    def _noise(self, cleaned: Tensor, whitener: Whitener, cube: Tensor) -> Tensor:
        """What the subspace leaves over as it came with the cube, which is given for its brightness."""
        noise = whitener.unmixed(cleaned) * self.model.level[:, None, None]
        if self.model.shot is None:
            return noise
        growth = whitener.scale if whitener.scale is not None else self.model.shot.variance(shot.smooth(cube)).sqrt()
        return noise * growth

    def _physical_level(self) -> Tensor:
        """Noise level (band,) of the cube as it came, at its mean brightness."""
        level, growth = self.model.level, self.model.shot
        if self.model.whitening is not None:
            level = level * torch.linalg.inv(self.model.whitening).norm(dim=1)
        return level if growth is None else level * _deviation(growth, self.cube)

    def _level_in_dark(self, cleaned: Tensor) -> Tensor:
        """Noise level (band,) of the cube as it came in the darker quarter of its pixels, lines taken out."""
        brightness = self.cube.mean(0)
        dark = brightness <= torch.quantile(brightness.flatten(), DARK)
        noise = self._noise(cleaned, self.model.whitener(self.cube), self.cube)
        return robust_deviation(noise[:, dark])

    def _mixing(self) -> Tensor:
        """How much of each band's variance is in what the subspace leaves over of every band (band, band)."""
        level = self.model.level
        outside = torch.eye(len(level), device=level.device) - self.basis @ self.basis.T
        if self.model.whitening is not None:
            outside = torch.linalg.solve(self.model.whitening, outside @ self.model.whitening)
        return (level[:, None] * outside / level).square()

    def _without_lines(self, cube: Tensor) -> Tensor:
        for line in self.lines:
            cube = line.without(cube)
        return cube

    def _without_offsets(self, cube: Tensor) -> Tensor:
        """A cube less what the means of its lines are beside those around them."""
        for line in self.lines:
            means = line.fit(cube, cube.new_ones(self.shape), cube.new_full((len(cube),), 1e-3))
            cube = cube - line.spread(means - _running_medians(means))
        return cube

    def _finished(self, raw: Tensor, cleaned: Tensor) -> NoiseModel:
        whitener = self.model.whitener(self.cube)
        bands = whitener.unmixed(raw) if self.model.whitening is not None else raw
        lines = []
        for line in self.lines:
            many = line.pixels()
            full = many > 8
            offsets = line.fit(bands, bands.new_ones(self.shape), bands.new_full((len(bands),), 1e-3))
            variance = offsets[:, full].square().mean(1) - float((1 / many[full]).mean())
            there = variance > 0.01
            lines.append(LineNoise(line.angle, torch.where(there, variance, 0.0)))
            bands = bands - line.spread(offsets * there[:, None])
        spectrum = correlation.in_space(cleaned[self.seen]) if self.seen.any() else None
        level = self._physical_level()
        # what is no noise may have been measured with it
        least = torch.minimum(torch.minimum(self.first, level), _untold(self.cube, self.every))
        dark = torch.minimum(self._level_in_dark(cleaned), least)
        if is_hardly_there(self.cube, level) or is_rounding(self.cube, self.every, least, dark):
            return NoiseModel(self.first, basis=self.basis, negligible=True)
        return replace(self.model, lines=tuple(lines), spectrum=spectrum, basis=self.basis, measured=True)


def _deviation(growth: ShotNoise, cube: Tensor) -> Tensor:
    """By what stabilised or scaled bands (band,) are smaller than the cube's, in the mean."""
    return cube.new_ones(len(cube)) if growth.by_pixel else growth.variance(cube).mean((1, 2)).sqrt()


def _running_medians(means: Tensor) -> Tensor:
    """Medians of line means (band, line) over `AROUND` lines: where the scene is bright, not what a line adds."""
    around = F.pad(means[None], (AROUND // 2, AROUND // 2), mode="replicate")[0]
    found: Tensor = around.unfold(1, AROUND, 1).median(2).values
    return found


def _at_level(cube: Tensor, like: Tensor) -> Tensor:
    """A cube with the band means of another."""
    return cube - cube.mean((1, 2), keepdim=True) + like.mean((1, 2), keepdim=True)
