"""Noise on chosen bands, one noisy band alone, and how noise was made, in a form that can be saved."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.band_list import format_bands
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.base import Combined, Corruption, DrawnNoise, Floats, NoiseModel, OfBand, Shape, as_drawn
from napari_decsc.settings import as_dict

#: Up to so many voxels the random numbers of the bands before are drawn, and thrown away, for one band alone.
EXACT_VOXELS = 4_000_000


@dataclass(frozen=True)
class OnBands(DrawnNoise):
    """A noise model that acts on some bands only, as if the cube had no others.

    Parameters
    ----------
    model : NoiseModel
        That acts.
    chosen : tuple of bool
        One for each band of the cube, True where it acts.
    """

    name: ClassVar[str] = "some bands"
    summary: ClassVar[str] = "Another model, on some bands only"
    model: NoiseModel
    chosen: tuple[bool, ...]

    @property
    def is_drawn(self) -> bool:
        """Whether the other model is."""
        return self.model.is_drawn

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws the model for a cube of the chosen bands."""
        chosen = self._chosen(shape[0])
        part = as_drawn(self.model).draw((int(chosen.sum()), *shape[1:]), rng)
        return Corruption(*(_spread(getattr(part, name), chosen) for name in ("sigma", "offset", "dead", "impulse")))

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Begins the model for a cube of the chosen bands."""
        chosen = self._chosen(shape[0])
        number = np.cumsum(chosen) - 1
        of_band = self.model.begin((int(chosen.sum()), *shape[1:]), rng)
        return lambda band, clean: of_band(int(number[band]), clean) if chosen[band] else clean

    def __call__(self, data: NDArray[Any], rng: np.random.Generator) -> Floats:
        """A noisy float32 copy of ``data``, shape (band, row, col), peak 1."""
        return super().__call__(data, rng) if self.is_drawn else NoiseModel.__call__(self, data, rng)

    def lost(self, bands: int) -> NDArray[np.bool_]:
        """Those of the chosen bands that the model leaves nothing of."""
        chosen = self._chosen(bands)
        return _spread(self.model.lost(int(chosen.sum())), chosen)

    def _chosen(self, bands: int) -> NDArray[np.bool_]:
        chosen = np.array(self.chosen)
        if len(chosen) != bands or not chosen.any():
            raise SettingsError(f"{chosen.sum()} of {len(chosen)} bands are chosen, and the cube has {bands}")
        return chosen


def on_bands(model: NoiseModel, chosen: NDArray[np.bool_]) -> NoiseModel:
    """The model on some bands.

    Parameters
    ----------
    model : NoiseModel
        For any number of bands.
    chosen : bool array, shape (band,)
        True where it acts.

    Returns
    -------
    NoiseModel
        The model itself where all are chosen.
    """
    return model if chosen.all() else OnBands(model, tuple(bool(one) for one in chosen))


def record(model: NoiseModel) -> dict[str, Any]:
    """How noise is made, ready for JSON: the model's name, its settings, and the bands unless it is all of them.

    Parameters
    ----------
    model : NoiseModel
        Any.

    Returns
    -------
    dict of str to object
        "model", "settings", and "bands" where it acts on some.
    """
    if isinstance(model, OnBands):
        return {**record(model.model), "bands": format_bands(np.array(model.chosen))}
    if isinstance(model, Combined):
        return {"model": model.name, "settings": {"models": [record(one) for one in model.models]}}
    return {"model": model.name, "settings": as_dict(model)}


def noisy_band(
    cube: Cube, model: NoiseModel, seed: int, band: int, peak: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One band before and after noise, for a quick look.

    It is what `models.add_noise` gives for that band; only with the protocol's models, behind many voxels
    (`EXACT_VOXELS`), the pixels' own randomness is another, while levels, stripes and dead lines stay the same.

    Parameters
    ----------
    cube : Cube
        Clean.
    model : NoiseModel
        That acts.
    seed : int
        As that of `models.add_noise`.
    band : int
        From 0.
    peak : float
        The physical value that becomes 1.

    Returns
    -------
    two float32 arrays, shape (row, col)
        Before and after, peak 1.
    """
    rng = np.random.default_rng(seed)
    data = np.asarray(cube.data[band : band + 1])
    clean = Cube(data, cube.name, no_data=cube.no_data, scale=cube.scale).physical()[0] / np.float32(peak)
    make = _drawn_band if model.is_drawn else _begun_band
    noisy = make(cube.shape, model, rng, band, clean)
    return clean, np.where(np.isnan(clean), clean, noisy).astype(np.float32)


def _begun_band(shape: Shape, model: NoiseModel, rng: np.random.Generator, band: int, clean: Floats) -> Floats:
    return model.begin(shape, rng)(band, clean)


def _drawn_band(shape: Shape, model: NoiseModel, rng: np.random.Generator, band: int, clean: Floats) -> Floats:
    """The band out of the one stream of random numbers that all bands share."""
    _, rows, cols = shape
    corruption = as_drawn(model).draw(shape, rng)
    for _ in range(band if band * rows * cols <= EXACT_VOXELS else 0):
        rng.standard_normal((1, rows, cols), np.float32)
        rng.random((1, rows, cols), np.float32)
    normal = rng.standard_normal((1, rows, cols), np.float32)
    uniform = rng.random((1, rows, cols), np.float32)
    noisy: Floats = corruption.of_bands(slice(band, band + 1)).apply(clean[None], normal, uniform, np.where)[0]
    return noisy


def _spread(part: NDArray[Any], chosen: NDArray[np.bool_]) -> NDArray[Any]:
    whole = np.zeros((len(chosen), *part.shape[1:]), part.dtype)
    whole[chosen] = part
    return whole
