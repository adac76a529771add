"""The hyperspectral cube."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import CubeError
from napari_decsc.hsi.calibration import Calibration
from napari_decsc.hsi.no_data import missing

#: Nanometres in one of each unit of length; units that are no length (index, wavenumber) are absent.
NANOMETRES = {"nm": 1.0, "um": 1e3, "mm": 1e6, "m": 1e9}


def counted(number: int, one: str, many: str = "") -> str:
    """Such as "1 band" and "31 bands"; ``many`` is the plural where it takes more than an s.

    Parameters
    ----------
    number : int
        How many.
    one : str
        The noun.
    many : str
        Its plural, where that takes more than an s.

    Returns
    -------
    str
        Number and noun.
    """
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"


def size_in_words(shape: Sequence[int]) -> str:
    """A shape (band, row, col) for a person, such as "31 bands × 256 rows × 256 cols"; of other shapes the numbers.

    Parameters
    ----------
    shape : sequence of int
        (band, row, col).

    Returns
    -------
    str
        For a person.
    """
    if len(shape) != 3:
        return " × ".join(map(str, shape))
    return " × ".join(counted(int(number), one) for number, one in zip(shape, ("band", "row", "col"), strict=True))


@dataclass(frozen=True, eq=False, repr=False)
class Cube:
    """A hyperspectral image and what is known about it.

    Parameters
    ----------
    data : array of shape (band, row, col)
        Raw values of any real type; may be a memory map. Physical value = ``data / scale``.
    name : str
        Short name, shown on layers.
    wavelengths : array of shape (band,), optional
        Centre of each band, in ``wavelength_unit``.
    wavelength_unit : str
        "nm", "um" (micrometres), "mm", "m", "1/cm" (wavenumber), "index", or "" when nobody knows.
    fwhm : array of shape (band,), optional
        Full width at half maximum of each band, in ``wavelength_unit``.
    good_bands : bool array, shape (band,), optional
        False for bands marked as bad by the producer or the user.
    no_data : float, optional
        Raw value that means "not measured".
    scale : float
        Raw value that stands for a physical value of 1 (reflectance scale factor).
    calibration : Calibration, optional
        Gains and offsets that were applied to the numbers of the file to make ``data``; undone where whole numbers are
        written. Dropped where it does not fit the bands any more.
    source : Path, optional
        File the cube was read from.
    header : mapping
        The producer's header, verbatim, to be kept through export.
    notes : tuple of str
        What a person should know about the file: one sentence for each field that could not be used.

    Raises
    ------
    CubeError
        If shapes disagree, the data are no real three-dimensional array, or scale is not a positive number.
    """

    data: NDArray[Any]
    name: str = "cube"
    wavelengths: NDArray[np.float64] | None = None
    wavelength_unit: str = ""
    fwhm: NDArray[np.float64] | None = None
    good_bands: NDArray[np.bool_] | None = None
    no_data: float | None = None
    scale: float = 1.0
    calibration: Calibration | None = None
    source: Path | None = None
    header: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.data.ndim != 3:
            raise CubeError(f"{self.name}: a cube has the axes (band, row, col), this array has {self.data.ndim}")
        if 0 in self.data.shape:
            raise CubeError(f"{self.name}: the cube is empty: {size_in_words(self.data.shape)}")
        # the long double of C has other bytes on every machine, and ENVI has no type for it
        if self.data.dtype.kind not in "iuf" or self.data.dtype.itemsize > 8:
            raise CubeError(
                f"{self.name}: data type {self.data.dtype} is not supported; convert it to a real number type "
                f"such as float64"
            )
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise CubeError(f"{self.name}: scale is {self.scale}; it must be a positive number")
        for what, kind in (("wavelengths", np.float64), ("fwhm", np.float64), ("good_bands", np.bool_)):
            values = getattr(self, what)
            if values is None:
                continue
            values = np.asarray(values, dtype=kind)
            if values.shape != (self.bands,):
                raise CubeError(f"{self.name}: {what} has {values.size} values for {self.bands} bands")
            object.__setattr__(self, what, values)
        if self.calibration is not None and self.calibration.gains.shape != (self.bands,):
            object.__setattr__(self, "calibration", None)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(bands, rows, cols)."""
        bands, rows, cols = self.data.shape
        return bands, rows, cols

    @property
    def bands(self) -> int:
        """Number of bands."""
        return int(self.data.shape[0])

    @property
    def wavelengths_nm(self) -> NDArray[np.float64] | None:
        """Centre of each band in nanometres, or None when they are unknown or no lengths."""
        if self.wavelengths is None:
            return None
        if self.wavelength_unit == "1/cm":
            return 1e7 / np.where(self.wavelengths == 0, np.nan, self.wavelengths)
        factor = NANOMETRES.get(self.wavelength_unit)
        return None if factor is None else self.wavelengths * factor

    def replace(self, **changes: Any) -> "Cube":
        """A copy with some fields changed, everything else kept.

        Parameters
        ----------
        **changes : object
            Field to value.

        Returns
        -------
        Cube
            Shares the data unless they are changed.

        Raises
        ------
        CubeError
            If the changes do not fit.
        """
        return dataclasses.replace(self, **changes)

    def physical(self) -> NDArray[np.float32]:
        """The whole cube as float32 physical values (``data / scale``), not-measured voxels as NaN.

        Returns
        -------
        float32 array, shape (band, row, col)
            A copy: of a memory map, all of it is read.
        """
        raw = np.asarray(self.data)
        # what float32 cannot hold becomes infinite, which everyone takes for "not measured"
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            values = np.asarray(raw, dtype=np.float32)
            if self.scale != 1:
                values = values / np.float32(self.scale)
        if self.no_data is not None:
            # compared on raw values: scaling first would hide a no-data value
            values = np.where(missing(raw, self.no_data), np.float32(np.nan), values)
        return values

    def as_stored(self) -> "Cube":
        """The cube in the numbers of its file: the calibration undone, its fields in the header again.

        Returns
        -------
        Cube
            This one where no calibration was applied.
        """
        if self.calibration is None:
            return self
        data = self.calibration.stored(self.data, self.no_data)
        return self.replace(data=data, calibration=None, header={**self.header, **self.calibration.fields})

    def __repr__(self) -> str:
        from napari_decsc.hsi import summary

        return summary.line(self)

    def _repr_html_(self) -> str:
        """A picture and a table, in notebooks."""
        from napari_decsc.hsi import summary

        return summary.table(self)
