"""What the attributes of an array (HDF5, NetCDF, GDAL) say of its values: no-data value, scale and offset."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.calibration import Calibration
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.gains import FIELDS, calibrated, fields_of, scale_of
from napari_decsc.hsi.io.formats.cf import FACTORS, NO_DATA, OFFSETS, VALID, Rules, numbers, tells_scale
from napari_decsc.hsi.io.formats.field_names import LONGEST

#: Said by a Cube's own fields, or by HDF5 and MATLAB to themselves.
_NOT_KEPT = {
    *NO_DATA,
    *VALID,
    *FIELDS,
    *FACTORS,
    *OFFSETS,
    "class",
    "name",
    "dimension_list",
    "dimension_labels",
    "reference_list",
    "matlab_class",
    "rhdf5-na.ok",
}


def from_attributes(cube: Cube, attributes: Mapping[str, Any], netcdf: bool = False) -> Cube:
    """The cube of stored numbers with what the attributes of its array say.

    Physical value = stored number * `scale_factor` + `add_offset` (CF conventions 1.11, section 8.1). A positive factor
    alone becomes ``scale`` = 1 / factor; with an offset, a negative factor, or one for each band they are the
    calibration. `Scale_Factor` of 1 or more is the divisor that some producers (NEON) mean by it. What was not measured
    (`cf.Gaps`) has one value, ``no_data``. ``netcdf`` says that unwritten cells hold the default value of NetCDF.
    """
    known = {key.lower(): value for key, value in attributes.items()}
    said = {key.replace(" ", "_"): value for key, value in known.items()}
    rules = Rules(said, netcdf)
    data = rules.meant(cube.data)
    gaps = rules.gaps(np.dtype(data.dtype))
    header = {**cube.header, **{key: text for key, value in known.items() if (text := as_text(key, value)) is not None}}
    cube = cube.replace(data=gaps.folded(data), header=header, no_data=gaps.no_data(np.dtype(data.dtype)))
    factors, offsets = rules.factors(cube.bands)
    cube, factors = _without_idle(cube, factors, any(key in said for key in FACTORS))
    if offsets is not None and not offsets.any():
        offsets = None
    is_factor = "scale_factor" in attributes or "slope" in said
    if factors is not None and offsets is None and not is_factor and factors.min() >= 1:
        factors = 1 / factors
    # what may be a factor, and may be something else, is not applied in silence
    unsure = {key: value for key, value in said.items() if tells_scale(key)}
    return with_scales_beside(scaled(cube, factors, offsets), unsure)


def with_scales_beside(cube: Cube, found: Mapping[str, Any]) -> Cube:
    """The cube with a note on numbers that seem to tell a scale and are no attribute that does; they are not applied.

    Parameters
    ----------
    cube : Cube
        If it has a scale, or is of floating-point numbers, nothing is said.
    found : mapping
        Their names and values.
    """
    told = {key: value for key, value in found.items() if [one for one in numbers(value) if one not in (0, 1)]}
    if cube.scale != 1 or cube.calibration is not None or cube.data.dtype.kind == "f" or not told:
        return cube
    key, value = next(iter(told.items()))
    name = (cube.source or Path(cube.name)).name
    note = (
        f"{name}: {key} = {numbers(value)[0]:g} is not applied, as it is no scale_factor of the array itself; "
        f"the values are the stored numbers"
    )
    return cube.replace(notes=(*cube.notes, note))


def _without_idle(
    cube: Cube, factors: NDArray[np.float64] | None, is_given: bool
) -> tuple[Cube, NDArray[np.float64] | None]:
    """The factors, or None and a note where they say nothing: 0, not finite, or not one for each band."""
    if not is_given or (factors is not None and factors.all()):
        return cube, factors
    note = f"{(cube.source or Path(cube.name)).name}: scale_factor cannot be meant; scale_factor is left out"
    return cube.replace(notes=(*cube.notes, note)), None


def scaled(cube: Cube, factors: NDArray[np.float64] | None, offsets: NDArray[np.float64] | None) -> Cube:
    """The cube of stored numbers with a factor and an offset for each band: stored number * factor + offset."""
    if factors is None and offsets is None:
        return cube
    gains = np.ones(cube.bands) if factors is None else factors
    shifts = np.zeros(cube.bands) if offsets is None else offsets
    calibration = Calibration(gains, shifts, fields_of(gains, shifts))
    if not calibration.is_usable:
        raise FileFormatError(
            f"{cube.source or cube.name}: scale_factor {gains[0]:g} with add_offset {shifts[0]:g} cannot be meant; "
            f"correct the attributes of the array"
        )
    if calibration.factor is not None:
        return cube.replace(scale=scale_of(calibration.factor))
    return calibrated(cube, calibration)


def as_text(key: str, value: Any) -> str | None:
    """An attribute as a header's text; None for what a Cube's own fields say, what is long, and what is no fact."""
    if key.replace(" ", "_") in _NOT_KEPT or key.startswith("_"):
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value if 0 < len(value) <= LONGEST else None
    array = np.asarray(value)
    if array.size == 0 or array.size > 100 or array.dtype.kind not in "iufb":
        return None
    return ", ".join(str(item) for item in array.reshape(-1).tolist())
