"""What a noise model is, and what it may draw: the frame that the models of the protocol and of sensors share.

A model *begins* for a cube of a shape: it draws what belongs to the whole (levels, lines, bands) and gives a function
that makes any band noisy. Bands have random numbers of their own, so that one band alone is that of the whole cube.

The models of the field's protocol (`DrawnNoise`) draw a `Corruption` instead: a few small arrays, without the pixels'
own randomness. One definition of how it acts serves NumPy here and tensors in training.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError
from napari_decsc.settings import check

Floats = NDArray[np.float32]
Shape = tuple[int, int, int]
Array = TypeVar("Array")
#: Number of a band, its clean values (row, col) with peak 1 -> the noisy values. Any order of the bands gives the same.
OfBand = Callable[[int, Floats], Floats]


@dataclass(frozen=True, eq=False)
class Corruption:
    """What a noise model drew for one cube; a batch of n cubes has a leading axis n on every field.

    Parameters
    ----------
    sigma : float array, shape (band,)
        Standard deviation of the Gaussian noise of each band; the peak is 1.
    offset : float array, shape (band, col)
        Stripes: what is added to each column.
    dead : bool array, shape (band, col)
        Columns that are set to 0.
    impulse : float array, shape (band,)
        Probability of a pixel to be set to 0 or 1, half each.
    """

    sigma: Any
    offset: Any
    dead: Any
    impulse: Any

    def apply(self, data: Array, normal: Array, uniform: Array, where: Callable[..., Array]) -> Array:
        """The noisy data: Gaussian noise, then stripes, then dead columns, then impulses; nothing is clipped.

        Parameters
        ----------
        data : array of shape (..., band, row, col)
            Clean values, peak 1. Arrays or tensors; the fields must be of the same kind.
        normal, uniform : arrays like data
            Independent draws from N(0, 1) and from U[0, 1).
        where : callable
            ``numpy.where`` or ``torch.where``.

        Returns
        -------
        array of shape (..., band, row, col)
            A new one.
        """
        fraction = self.impulse[..., None, None]
        noisy = data + self.sigma[..., None, None] * normal + self.offset[..., None, :]
        noisy = where(self.dead[..., None, :], 0.0, noisy)
        noisy = where(uniform < fraction, 1.0, noisy)
        return where(uniform < 0.5 * fraction, 0.0, noisy)

    def of_bands(self, bands: slice) -> "Corruption":
        """The part that concerns some bands of one cube.

        Parameters
        ----------
        bands : slice
            Which.

        Returns
        -------
        Corruption
            Shares the arrays.
        """
        return Corruption(self.sigma[bands], self.offset[bands], self.dead[bands], self.impulse[bands])


def nothing(shape: Shape) -> Corruption:
    """What leaves a cube of the shape (band, row, col) as it is.

    Parameters
    ----------
    shape : tuple of int
        (band, row, col).

    Returns
    -------
    Corruption
        All of its fields are 0.
    """
    bands, _, cols = shape
    per_band, per_column = np.zeros(bands, np.float32), np.zeros((bands, cols), np.float32)
    return Corruption(per_band, per_column, per_column.astype(bool), per_band)


def corruption(shape: Shape, **fields: NDArray[Any]) -> Corruption:
    """A corruption of which only some fields do anything, for a cube of the shape (band, row, col).

    Parameters
    ----------
    shape : tuple of int
        (band, row, col).
    **fields : array
        As the fields of `Corruption`.

    Returns
    -------
    Corruption
        Other fields are 0.
    """
    fields = {name: array if array.dtype == bool else array.astype(np.float32) for name, array in fields.items()}
    return dataclasses.replace(nothing(shape), **fields)


def together(parts: Sequence[Corruption]) -> Corruption:
    """Independent corruptions as one: variances and offsets add up, a pixel escapes if it escapes every impulse.

    Parameters
    ----------
    parts : sequence of Corruption
        For one cube.

    Returns
    -------
    Corruption
        One that does what all do.
    """
    return Corruption(
        sigma=np.sqrt(np.sum([part.sigma**2 for part in parts], axis=0)),
        offset=np.sum([part.offset for part in parts], axis=0),
        dead=np.any([part.dead for part in parts], axis=0),
        impulse=1 - np.prod([1 - part.impulse for part in parts], axis=0),
    )


@dataclass(frozen=True)
class NoiseModel(ABC):
    """A kind of noise with its settings; calling it makes a noisy copy of an array."""

    name: ClassVar[str]
    summary: ClassVar[str]
    #: where it acts among several kinds at once: the light, the detector, its lines, its converter, what breaks
    order: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self)

    @property
    def is_drawn(self) -> bool:
        """Whether a `Corruption` says everything of it."""
        return False

    @abstractmethod
    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """What befalls a cube of the shape (band, row, col), drawn anew at every call.

        Parameters
        ----------
        shape : tuple of int
            (band, row, col).
        rng : numpy.random.Generator
            Decides what is drawn.

        Returns
        -------
        callable
            Takes the number of a band and its clean image (row, col), peak 1; gives the noisy one. Bands may come
            in any order.
        """

    def __call__(self, data: NDArray[Any], rng: np.random.Generator) -> Floats:
        """A noisy float32 copy of ``data``, shape (band, row, col), peak 1. Nothing is clipped."""
        bands, rows, cols = data.shape
        of_band, noisy = self.begin((bands, rows, cols), rng), np.empty(data.shape, np.float32)
        for band in range(bands):  # band by band, so that a large cube needs no second and third copy
            noisy[band] = of_band(band, np.asarray(data[band], np.float32))
        return noisy

    def lost(self, bands: int) -> NDArray[np.bool_]:
        """True for bands, of so many, that hold nothing of the scene afterwards.

        Parameters
        ----------
        bands : int
            How many there are.

        Returns
        -------
        bool array, shape (band,)
            All False unless a model says otherwise.
        """
        return np.zeros(bands, bool)


class Pixels:
    """Random numbers of their own for every band of a cube: the same for a band, whatever was drawn before.

    Parameters
    ----------
    rng : numpy.random.Generator
        Gives the seed that all bands share.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.seed = int(rng.integers(2**63))

    def __call__(self, band: int) -> np.random.Generator:
        """The generator of a band."""
        return np.random.default_rng([self.seed, band])


@dataclass(frozen=True)
class DrawnNoise(NoiseModel):
    """Noise of which a `Corruption` says everything."""

    @property
    def is_drawn(self) -> bool:
        """Yes."""
        return True

    @abstractmethod
    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """What befalls a cube of the shape (band, row, col): levels, bands and columns, drawn anew at every call.

        Parameters
        ----------
        shape : tuple of int
            (band, row, col).
        rng : numpy.random.Generator
            Decides what is drawn.

        Returns
        -------
        Corruption
            For one cube.
        """

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws the corruption; the pixels' randomness is each band's own, other than that of a call."""
        corrupting, pixels = self.draw(shape, rng), Pixels(rng)

        def of_band(band: int, clean: Floats) -> Floats:
            own = pixels(band)
            normal, uniform = own.standard_normal(clean.shape, np.float32), own.random(clean.shape, np.float32)
            one = corrupting.of_bands(slice(band, band + 1))
            noisy: Floats = one.apply(clean[None], normal[None], uniform[None], np.where)[0]
            return noisy.astype(np.float32)

        return of_band

    def __call__(self, data: NDArray[Any], rng: np.random.Generator) -> Floats:
        """A noisy float32 copy of ``data``, shape (band, row, col), peak 1. Nothing is clipped."""
        bands, rows, cols = data.shape
        corrupting = self.draw((bands, rows, cols), rng)
        noisy = np.empty(data.shape, np.float32)
        # the pixels' randomness of one band after the other out of one stream: figures that are published rest on it
        for band in range(bands):
            one = slice(band, band + 1)
            normal = rng.standard_normal((1, rows, cols), np.float32)
            uniform = rng.random((1, rows, cols), np.float32)
            clean = np.asarray(data[one], np.float32)
            noisy[one] = corrupting.of_bands(one).apply(clean, normal, uniform, np.where)
        return noisy


@dataclass(frozen=True)
class Combined(DrawnNoise):
    """Several kinds of noise at once, each drawn on its own.

    Those of the protocol act as one, in the order of `Corruption.apply`; with others they act one after the other, in
    the order in which a sensor adds them (`NoiseModel.order`).

    Parameters
    ----------
    models : tuple of NoiseModel
        In any order.
    """

    name: ClassVar[str] = "combination"
    summary: ClassVar[str] = "Several kinds of noise at once"
    models: tuple[NoiseModel, ...] = ()

    @property
    def is_drawn(self) -> bool:
        """Whether all of its kinds are."""
        return all(model.is_drawn for model in self.models)

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Draws every model in turn.

        Raises
        ------
        SettingsError
            If one of them is more than a corruption.
        """
        return together([nothing(shape), *(as_drawn(model).draw(shape, rng) for model in self.models)])

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Begins every model in turn, those that are drawn as one."""
        if self.is_drawn:
            return super().begin(shape, rng)
        drawn = tuple(model for model in self.models if model.is_drawn)
        others = [model for model in self.models if not model.is_drawn]
        parts: list[NoiseModel] = sorted([Combined(drawn), *others], key=lambda model: model.order)
        acts = [part.begin(shape, rng) for part in parts]

        def of_band(band: int, clean: Floats) -> Floats:
            for act in acts:
                clean = act(band, clean)
            return clean

        return of_band

    def __call__(self, data: NDArray[Any], rng: np.random.Generator) -> Floats:
        """A noisy float32 copy of ``data``, shape (band, row, col), peak 1."""
        return super().__call__(data, rng) if self.is_drawn else NoiseModel.__call__(self, data, rng)

    def lost(self, bands: int) -> NDArray[np.bool_]:
        """Bands that one of the kinds leaves nothing of."""
        lost = np.zeros(bands, bool)
        for model in self.models:
            lost |= model.lost(bands)
        return lost


def as_drawn(model: NoiseModel) -> DrawnNoise:
    """The model, where it is one of the protocol's.

    Parameters
    ----------
    model : NoiseModel
        Of any kind.

    Returns
    -------
    DrawnNoise
        The same object.

    Raises
    ------
    SettingsError
        Where a `Corruption` cannot say what it does.
    """
    if not (isinstance(model, DrawnNoise) and model.is_drawn):
        raise SettingsError(f"the noise {model.name!r} depends on more than bands and columns and cannot be drawn")
    return model
