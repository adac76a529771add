"""Noise models of the field's protocol, on cubes whose peak is 1; noise levels are given on the 0-255 scale.

All are of the kind :class:`napari_decsc.hsi.noise.base.DrawnNoise`; what sensors do besides is in
:mod:`napari_decsc.hsi.noise.sensors`. ::

    rng = np.random.default_rng(7)
    noisy = NonIid(maximum=95)(clean, rng)          # clean: (band, row, col), peak 1
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.no_data import in_type
from napari_decsc.hsi.noise.base import (
    Combined,
    Corruption,
    DrawnNoise,
    NoiseModel,
    Shape,
    corruption,
    together,
)
from napari_decsc.hsi.noise.sensors import SENSOR_MODELS
from napari_decsc.hsi.scaling import peak
from napari_decsc.settings import described, from_dict

__all__ = ("Combined", "Corruption", "DrawnNoise", "NoiseModel")  # the doors of the frame, beside what is defined here

#: A sigma of 255 on the field's scale is the peak.
FULL_SCALE = 255.0


def _share(share: float, bands: int) -> int:
    count = int(round(share * bands, 6))
    return max(1, count) if share > 0 else 0


def _values(name: str, values: Sequence[float], maximum: float) -> tuple[float, ...]:
    """The values as a tuple (JSON gives lists), checked."""
    checked = tuple(float(value) for value in values)
    if not checked or not all(0 <= value <= maximum for value in checked):
        raise SettingsError(f"{name} is {list(checked)}; give one or more values from 0 to {maximum:g}")
    return checked


# --- Gaussian noise -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gaussian(DrawnNoise):
    """Independent Gaussian noise of one level."""

    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "Gaussian, the same level on every band"
    sigma: float = described(50.0, "Noise level of every band", unit="of 255", minimum=0, maximum=255)

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws nothing: sigma is given."""
        return corruption(shape, sigma=np.full(shape[0], self.sigma / FULL_SCALE))


@dataclass(frozen=True)
class NonIid(DrawnNoise):
    """Gaussian noise whose level differs from band to band, sigma_b ~ U(0, maximum)."""

    name: ClassVar[str] = "non-iid"
    summary: ClassVar[str] = "Gaussian, every band its own level between 0 and a maximum"
    maximum: float = described(55.0, "Highest noise level of a band", unit="of 255", minimum=0, maximum=255)

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws sigma of every band."""
        return corruption(shape, sigma=rng.uniform(0, self.maximum, shape[0]) / FULL_SCALE)


@dataclass(frozen=True)
class Complex(DrawnNoise):
    """Gaussian noise whose level is drawn for every band from a few levels (case 1 of the complex-noise protocol)."""

    name: ClassVar[str] = "complex"
    summary: ClassVar[str] = "Case 1: Gaussian, every band one of a few levels"
    levels: tuple[float, ...] = described((10.0, 30.0, 50.0, 70.0), "Noise levels to draw from", unit="of 255")

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", _values("levels", self.levels, FULL_SCALE))

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws sigma of every band."""
        return corruption(shape, sigma=rng.choice(self.levels, shape[0]) / FULL_SCALE)


@dataclass(frozen=True)
class Corr(DrawnNoise):
    """Gaussian noise that is strongest at the central bands; independent between bands, whatever its name.

    sigma_b = beta exp(-(b / B - 1/2)^2 / (4 eta^2)) on the 0-255 scale, b = 0 ... B - 1, for B bands.
    """

    name: ClassVar[str] = "corr"
    summary: ClassVar[str] = "Gaussian, strongest at the central bands"
    beta: float = described(23.08, "Noise level of the central band", unit="of 255", minimum=0, maximum=255)
    eta: float = described(0.157, "How far the noise reaches from the centre", unit="of all bands", minimum=0.01)

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws nothing: sigma follows from the band."""
        distance = np.arange(shape[0]) / shape[0] - 0.5
        return corruption(shape, sigma=self.beta / FULL_SCALE * np.exp(-(distance**2) / (4 * self.eta**2)))


# --- noise on some of the bands -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SomeBands(DrawnNoise):
    """Noise on randomly chosen bands: a share of them, rounded down, but at least one (unless the share is 0)."""

    band_share: float = described(1 / 3, "Share of the bands that are hit", unit="of 1", minimum=0, maximum=1)

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws the bands, and what happens to each."""
        return self.draw_on(rng.permutation(shape[0])[: _share(self.band_share, shape[0])], shape, rng)

    @abstractmethod
    def draw_on(self, bands: NDArray[np.int64], shape: Shape, rng: np.random.Generator) -> Corruption:
        """What befalls the given bands.

        Parameters
        ----------
        bands : int array, shape (hit band,)
            Which, from 0.
        shape : tuple of int
            (band, row, col).
        rng : numpy.random.Generator
            Decides what is drawn.

        Returns
        -------
        Corruption
            Of these bands alone.
        """


@dataclass(frozen=True)
class SomeColumns(SomeBands):
    """Noise on columns of some bands; the number of columns is drawn for every band, at least one."""

    fewest_columns: float = described(0.05, "Least share of columns hit", unit="of 1", minimum=0, maximum=1)
    most_columns: float = described(0.15, "Largest share of columns hit", unit="of 1", minimum=0, maximum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fewest_columns > self.most_columns:
            raise SettingsError(
                f"fewest_columns is {self.fewest_columns:g}; it must not be above most_columns, {self.most_columns:g}"
            )

    def columns(self, bands: NDArray[np.int64], shape: Shape, rng: np.random.Generator) -> NDArray[np.bool_]:
        """True where a column of a band is hit, shape (band, col).

        Parameters
        ----------
        bands : int array, shape (hit band,)
            Which, from 0.
        shape : tuple of int
            (band, row, col).
        rng : numpy.random.Generator
            Decides which.

        Returns
        -------
        bool array, shape (band, col)
            False on all other bands.
        """
        count, _, cols = shape
        hit = np.zeros((count, cols), bool)
        fewest = max(1, int(np.ceil(round(self.fewest_columns * cols, 6))))
        most = max(fewest, int(round(self.most_columns * cols, 6)))
        for band in bands:
            hit[band, rng.permutation(cols)[: rng.integers(fewest, most + 1)]] = True
        return hit


@dataclass(frozen=True)
class Stripe(SomeColumns):
    """Columns of some bands shifted by a constant drawn from U(-amplitude, amplitude)."""

    name: ClassVar[str] = "stripe"
    summary: ClassVar[str] = "Stripes: columns of some bands get an offset"
    amplitude: float = described(0.25, "Largest offset of a column", unit="of the peak", minimum=0, maximum=1)

    def draw_on(self, bands: NDArray[np.int64], shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws the columns, and the offset of each."""
        hit = self.columns(bands, shape, rng)
        return corruption(shape, offset=np.where(hit, rng.uniform(-self.amplitude, self.amplitude, hit.shape), 0))


@dataclass(frozen=True)
class Deadline(SomeColumns):
    """Columns of some bands set to 0."""

    name: ClassVar[str] = "deadline"
    summary: ClassVar[str] = "Dead lines: columns of some bands are 0"

    def draw_on(self, bands: NDArray[np.int64], shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws the columns."""
        return corruption(shape, dead=self.columns(bands, shape, rng))


@dataclass(frozen=True)
class Impulse(SomeBands):
    """Pixels of some bands set to 0 or 1, half each; every band draws its share of pixels from a few fractions."""

    name: ClassVar[str] = "impulse"
    summary: ClassVar[str] = "Impulses: pixels of some bands are 0 or 1"
    fractions: tuple[float, ...] = described((0.1, 0.3, 0.5, 0.7), "Shares of pixels to draw from", unit="of 1")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "fractions", _values("fractions", self.fractions, 1))

    def draw_on(self, bands: NDArray[np.int64], shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws the share of pixels of every band."""
        impulse = np.zeros(shape[0])
        impulse[bands] = rng.choice(self.fractions, len(bands))
        return corruption(shape, impulse=impulse)


# --- combinations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case(DrawnNoise):
    kinds: ClassVar[tuple[DrawnNoise, ...]]

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws every kind in turn."""
        return Combined(self.kinds).draw(shape, rng)


@dataclass(frozen=True)
class Case2(_Case):
    """Case 1 and stripes."""

    name: ClassVar[str] = "case2"
    summary: ClassVar[str] = "Case 2: case 1 and stripes"
    kinds = (Complex(), Stripe())


@dataclass(frozen=True)
class Case3(_Case):
    """Case 1 and dead lines."""

    name: ClassVar[str] = "case3"
    summary: ClassVar[str] = "Case 3: case 1 and dead lines"
    kinds = (Complex(), Deadline())


@dataclass(frozen=True)
class Case4(_Case):
    """Case 1 and impulses."""

    name: ClassVar[str] = "case4"
    summary: ClassVar[str] = "Case 4: case 1 and impulses"
    kinds = (Complex(), Impulse())


@dataclass(frozen=True)
class Mixture(DrawnNoise):
    """Case 1, and stripes, dead lines and impulses on disjoint thirds of the bands (case 5).

    Each third has B // 3 of the B bands. One or two bands have no disjoint thirds: every kind gets one band then, and
    a band may suffer more than one.
    """

    name: ClassVar[str] = "mixture"
    summary: ClassVar[str] = "Case 5: case 1; stripes, dead lines, impulses on a third of the bands each"

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws the levels, the thirds and what happens on each."""
        third = max(1, shape[0] // 3)
        order = np.resize(rng.permutation(shape[0]), max(3, shape[0]))
        parts = [Complex().draw(shape, rng)]
        for place, kind in enumerate((Stripe(), Deadline(), Impulse())):
            parts.append(kind.draw_on(order[place * third : (place + 1) * third], shape, rng))
        return together(parts)


PROTOCOL_MODELS: tuple[type[NoiseModel], ...] = (
    *(Gaussian, NonIid, Complex, Stripe, Deadline, Impulse),
    *(Case2, Case3, Case4, Mixture, Corr),
)
#: The models by name, in the order a person should see them: those of the protocol, then those of sensors.
NOISE_MODELS: dict[str, type[NoiseModel]] = {model.name: model for model in (*PROTOCOL_MODELS, *SENSOR_MODELS)}


def make_noise(name: str, **values: Any) -> NoiseModel:
    """A noise model by name; values not given keep their defaults.

    Parameters
    ----------
    name : str
        A key of `NOISE_MODELS`.
    **values : object
        Settings of the model.

    Returns
    -------
    NoiseModel
        Call it with an array, or use :func:`add_noise`.

    Raises
    ------
    SettingsError
        For a name that is not in `NOISE_MODELS`, an unknown setting, or a value outside its range.
    """
    if name not in NOISE_MODELS:
        raise SettingsError(f"there is no noise model {name!r}; choose one of {', '.join(NOISE_MODELS)}")
    model: NoiseModel = from_dict(NOISE_MODELS[name], values)
    return model


def add_noise(cube: Cube, model: NoiseModel, seed: int) -> Cube:
    """A noisy copy of a cube: float32 raw values, metadata kept; the same seed gives the same noise.

    The physical values are divided by their peak (`napari_decsc.hsi.scaling.peak`) before the noise is added, and the
    result is taken back to raw units. Voxels that were not measured stay so.

    Parameters
    ----------
    cube : Cube
        Clean; NaN and the no-data value are left alone.
    model : NoiseModel
        See :func:`make_noise`.
    seed : int
        0 or more.

    Returns
    -------
    Cube
        Its header tells of the noise.

    Raises
    ------
    SettingsError
        If the seed is negative, or no whole number.
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise SettingsError(f"seed is {seed!r}; it must be a whole number, 0 or more")
    high = peak(cube)
    physical = cube.physical()
    missing = ~np.isfinite(physical)
    noisy = model(physical / np.float32(high), np.random.default_rng(seed))
    noisy *= np.float32(high * cube.scale)
    return cube.replace(data=_with_gaps(noisy, missing, cube), name=f"{cube.name} + {model.name}")


def _with_gaps(raw: NDArray[np.float32], missing: NDArray[np.bool_], cube: Cube) -> NDArray[np.float32]:
    """``raw`` with the gaps as they came; a measured voxel that came to equal the no-data value moves off it."""
    if cube.no_data is not None:
        mark = in_type(cube.no_data, raw.dtype)
        # a dead column is 0, and so is many a producer's no-data value: it must not turn into "not measured"
        raw[raw == mark] = np.nextafter(mark, np.float32(np.inf)) if mark else np.finfo(np.float32).tiny
    if missing.any():
        with np.errstate(over="ignore"):  # beyond float32 lies infinity
            np.copyto(raw, np.asarray(cube.data, np.float32), where=missing)
    return raw
