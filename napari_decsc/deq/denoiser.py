"""The DECSC denoiser: cubes in, equilibria inside, one event per evaluation of the map out."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_decsc.deq import memory, tiling, weights
from napari_decsc.deq.devices import choose
from napari_decsc.deq.fixed_point import Code, State, anderson, picard, until
from napari_decsc.deq.model import Context, Decsc
from napari_decsc.deq.noise_units import NoiseUnits
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.tiling import Tile
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.denoising import Command, Denoising, Iteration, Preview
from napari_decsc.hsi.errors import DenoisingError
from napari_decsc.hsi.scaling import peak
from napari_decsc.hsi.settings import as_dict
from napari_decsc.hsi.stopwatch import Stopwatch
from napari_decsc.hsi.validity import blank_pixels, stuck_values, usable

#: Noise levels and basis are found on about this many pixels of a larger cube.
SAMPLE_PIXELS = 256 * 256
#: Least time between two previews: each costs a part of an evaluation.
PREVIEW_SECONDS = 0.3

#: Codes are kept for a later solve of the same cube when they take no more than this, in bytes.
KEPT_BYTES = 1_000_000_000

Values = NDArray[np.float32]
Events = Generator[Iteration, Command | None, Values]


class DecscDenoiser:
    """Deep equilibrium convolutional sparse coding. Weights are loaded at the first use."""

    name = "decsc"

    def __init__(self, settings: DecscSettings | None = None) -> None:
        self.settings = settings or DecscSettings()
        self._kept = _Kept()

    def resume(self, settings: DecscSettings) -> "DecscDenoiser":
        """A denoiser with other settings that starts from this one's last solution, if the same cube is given again.

        Only a change of strength, tolerance, iterations or solver can go on; after any other the solve begins afresh.
        """
        other = DecscDenoiser(settings)
        if (settings.weights, settings.device) == (self.settings.weights, self.settings.device):
            other.__dict__.update({key: self.__dict__[key] for key in ("_weights", "_device") if key in self.__dict__})
            other._kept = self._kept
        return other

    @cached_property
    def _weights(self) -> weights.Weights:
        return weights.load(self.settings.weights)

    @cached_property
    def _device(self) -> torch.device:
        return choose(self.settings.device)

    def describe(self) -> dict[str, Any]:
        """Method, settings, weights (name, hash) and device, ready for JSON."""
        return {
            "method": self.name,
            "settings": as_dict(self.settings),
            "weights": {"name": self._weights.name, "hash": self._weights.hash},
            "device": str(self._device),
        }

    def denoise(self, noisy: Cube) -> Denoising:
        """See :class:`napari_decsc.hsi.denoising.Denoiser`. A tile that is never begun keeps its start estimate."""
        watch = Stopwatch()
        watch.start()
        try:
            model = self._weights.model.to(self._device)
            data = yield from _Job(model, self._device, self.settings, noisy, watch, self._kept).run()
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise DenoisingError(
                f"{noisy.name}: the memory of {self._device} is used up; choose a smaller tile or memory, or the CPU"
            ) from error
        return noisy.replace(data=data, name=f"{noisy.name} denoised")


@dataclass
class _Kept:
    """Solutions of the last solve: what a later one of the same cube, in the same tiles, may start from."""

    cube: Cube | None = None
    tiles: list[Tile] = field(default_factory=list)
    units: NoiseUnits | None = None
    solutions: dict[int, tuple[Context, Code, float]] = field(default_factory=dict)

    def begin(self, cube: Cube, tiles: list[Tile]) -> None:
        """Forget what belongs to another cube or other tiles."""
        if cube is not self.cube or tiles != self.tiles:
            self.cube, self.tiles, self.units, self.solutions = cube, tiles, None, {}


@dataclass
class _Job:
    """One denoising run over the tiles of one cube."""

    model: Decsc
    device: torch.device
    settings: DecscSettings
    noisy: Cube
    watch: Stopwatch
    kept: _Kept
    stopped: bool = False
    last_preview: float = field(default=-np.inf)

    def run(self) -> Events:
        cube, model = self.noisy, self.model
        bands, rows, cols = cube.shape
        if self.settings.strength == 0:
            return np.array(cube.data, dtype=np.float32)
        self.peak, self.stuck = peak(cube), stuck_values(cube)
        if model.bands is not None and bands < model.bands:
            raise DenoisingError(
                f"{cube.name} has {bands} bands; the weights {self.settings.weights!r} need {model.bands} or more: "
                "choose the weights 'subspace'"
            )
        windows = tiling.band_windows(bands, model.bands or bands)
        tiles = tiling.plan(rows, cols, self._tile_side(), model.multiple)
        self.kept.begin(cube, tiles)
        # a run that was stopped leaves solutions of some tiles only: the others still need the units of the whole cube
        units = self.kept.units = self.kept.units or self._units()
        result = np.zeros(cube.shape, np.float32)
        total = np.zeros((bands, 1, 1), np.float32)
        number = 0
        for window in windows:
            share = tiling.blend(window, bands)[:, None, None] if len(windows) > 1 else np.ones((1, 1, 1), np.float32)
            total[window] += share
            for tile in tiles:
                number += 1
                part = yield from self._solve(tile, window, units, number, len(tiles) * len(windows))
                result[window, tile.row.core, tile.col.core] += share * part
        result /= total
        return self._restored(result)

    def _tile_side(self) -> int:
        bands, rows, cols = self.noisy.shape
        if self.settings.tile:
            return self.settings.tile
        allowed = memory.budget(self.settings.memory, self.device)
        per_pixel = bytes_per_pixel(self.model, bands)
        if rows * cols * per_pixel <= allowed:
            return 0
        return tiling.side_within(allowed, per_pixel, self.model.multiple)

    def _units(self) -> NoiseUnits | None:
        """Noise units of the whole cube, from a sample of it where it is large."""
        _, rows, cols = self.noisy.shape
        blocks = [(slice(0, rows), slice(0, cols))]
        if rows * cols > SAMPLE_PIXELS:
            blocks = tiling.mosaic(rows, cols, SAMPLE_PIXELS)
        parts = [self._values(slice(None), *block) for block in blocks]
        # a column of voxels without information keeps blocks that were no neighbours apart
        apart = np.full((*parts[0].shape[:2], 1), np.nan, np.float32)
        sample = np.concatenate([piece for part in parts for piece in (part, apart)], axis=2)[:, :, :-1]
        with torch.inference_mode():
            return self.model.units(*self._tensors(sample))

    def _values(self, bands: slice, rows: slice, cols: slice) -> Values:
        """A part of the cube with peak 1, NaN where a voxel carries no information."""
        values = self.noisy.replace(
            data=self.noisy.data[bands, rows, cols], wavelengths=None, fwhm=None, good_bands=None
        ).physical()
        return np.where(usable(values, self.stuck), values / np.float32(self.peak), np.float32(np.nan))

    def _tensors(self, values: Values) -> tuple[Tensor, Tensor]:
        cube = torch.from_numpy(np.ascontiguousarray(values))[None].to(self.device)
        keep = cube.isfinite()
        return torch.where(keep, cube, 0), keep

    def _context(self, tile: Tile, window: slice, units: NoiseUnits | None) -> Context:
        rows, cols = tile.row.indices, tile.col.indices
        top, left = rows.min(), cols.min()
        values = self._values(window, slice(top, rows.max() + 1), slice(left, cols.max() + 1))
        return self.model.context(*self._tensors(values[:, rows - top][:, :, cols - left]), units)

    def _solve(self, tile: Tile, window: slice, units: NoiseUnits | None, number: int, tiles: int) -> Events:
        """Events of one tile; returns its part of the result, in physical values with peak 1."""
        with torch.inference_mode():
            calm, z = self._begin(tile, window, units, number)
            c = calm.louder(self.settings.strength)
            z = self.model.start(c) if z is None else z
            estimate = self._estimate(z, c, tile)
        if self.stopped:
            return estimate
        first = State(0, z, torch.tensor([torch.nan]), torch.tensor([torch.nan]))
        whole_spectrum = window == slice(0, self.noisy.shape[0])
        for state in self._states(first, c):
            with torch.inference_mode():
                z = state.z
                preview = None
                if whole_spectrum and (state.number == 0 or self._preview_is_due()):
                    estimate = self._estimate(z, c, tile)
                    preview = Preview(self._raw(estimate), tile.row.core, tile.col.core)
                    self.last_preview = self.watch.elapsed
                event = Iteration(
                    state.number,
                    float(state.residual[0]),
                    float(state.relative_residual[0]),
                    self.watch.elapsed,
                    number,
                    tiles,
                    preview,
                )
            with self.watch.pause():
                command = yield event
            if command is Command.STOP:
                self.stopped = True
                break
        if sum(part.nbytes for part in z) * tiles < KEPT_BYTES:
            self.kept.solutions[number] = (calm, z, self.settings.strength)
        with torch.inference_mode():
            return self._estimate(z, c, tile)

    def _begin(self, tile: Tile, window: slice, units: NoiseUnits | None, number: int) -> tuple[Context, Code | None]:
        """The context at strength 1, and the last solution in the units of the strength that is asked for, if any."""
        if number not in self.kept.solutions:
            return self._context(tile, window, units), None
        calm, z, strength = self.kept.solutions[number]
        return calm, tuple(part * (strength / self.settings.strength) for part in z)

    def _states(self, first: State, c: Context) -> Iterator[State]:
        """The start and then the solver's states, computed without gradients, but never suspended in that mode."""
        solver = {"anderson": anderson, "picard": picard}[self.settings.solver]
        f = lambda z: self.model.f(z, c)  # noqa: E731
        states = until(solver(f, first.z), self.settings.tolerance, self.settings.max_iterations)
        state: State | None = first
        while state is not None:
            yield state
            with torch.inference_mode():
                state = next(states, None)

    def _preview_is_due(self) -> bool:
        return self.watch.elapsed - self.last_preview >= PREVIEW_SECONDS

    def _estimate(self, z: Code, c: Context, tile: Tile) -> Values:
        cube: Values = self.model.output(z, c)[0].cpu().numpy()
        return cube[:, tile.row.inside, tile.col.inside]

    def _raw(self, values: Values) -> Values:
        return values * np.float32(self.peak * self.noisy.scale)

    def _restored(self, result: Values) -> Values:
        """Raw units; what was not measured, and pixels without a single usable voxel, as they came."""
        raw = self._raw(result)
        for row in range(raw.shape[1]):
            values = self._values(slice(None), slice(row, row + 1), slice(None))
            blank = blank_pixels(np.isfinite(values))
            data = np.asarray(self.noisy.data[:, row : row + 1])
            with np.errstate(over="ignore"):  # beyond float32 lies infinity
                came = data.astype(np.float32)
            missing = ~np.isfinite(came)
            if self.noisy.no_data is not None:
                missing |= data == self.noisy.no_data
            raw[:, row : row + 1] = np.where(missing | blank[None], came, raw[:, row : row + 1])
        return raw


def bytes_per_pixel(model: Decsc, bands: int) -> int:
    """About what the solve of one pixel takes at its peak: codes of the solver, cubes, and the widest layer."""
    bands = model.bands or bands
    maps_per_pixel = model.shared.maps / model.shared.stride**2
    codes = maps_per_pixel + bands
    return int(4 * (14 * codes + 14 * bands + 12 * maps_per_pixel))
