"""What the attributes of an array (HDF5, NetCDF, GDAL) say of its values: no-data value, scale and offset."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.calibration import Calibration
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.gains import FIELDS, calibrated, fields_of, scale_of

_NO_DATA = ("_fillvalue", "missing_value", "data_ignore_value", "nodata", "no_data", "no_data_value")
#: Said by a Cube's own fields, or by HDF5 and MATLAB to themselves.
_NOT_KEPT = {
    *_NO_DATA,
    *FIELDS,
    "scale_factor",
    "add_offset",
    "class",
    "name",
    "dimension_list",
    "reference_list",
    "matlab_class",
}
#: Longest text of an attribute that is kept in a header.
_LONGEST = 10_000


def from_attributes(cube: Cube, attributes: Mapping[str, Any]) -> Cube:
    """The cube with what the attributes of its array say.

    Physical value = raw value * `scale_factor` + `add_offset` (CF conventions 1.11, section 8.1). A factor alone
    becomes ``scale`` = 1 / factor; with an offset both are the calibration of all bands.
    `Scale_Factor` of 1 or more is the divisor that some producers (NEON) mean by it.
    """
    known = {key.lower(): value for key, value in attributes.items()}
    header = {**cube.header, **{key: text for key, value in known.items() if (text := as_text(key, value)) is not None}}
    no_data = next((value for key in _NO_DATA if (value := number(known.get(key))) is not None), None)
    cube = cube.replace(header=header, no_data=no_data)
    factor, offset = number(known.get("scale_factor")), number(known.get("add_offset"))
    factor = 1.0 if factor is None or not np.isfinite(factor) or factor <= 0 else factor
    if offset is not None and np.isfinite(offset) and offset != 0:
        gains, offsets = np.full(cube.bands, factor), np.full(cube.bands, offset)
        calibration = Calibration(gains, offsets, fields_of(gains, offsets))
        if not calibration.is_usable:
            raise FileFormatError(
                f"{cube.source or cube.name}: scale_factor {factor:g} with add_offset {offset:g} cannot be meant; "
                f"correct the attributes of the array"
            )
        return calibrated(cube, calibration)
    if "scale_factor" not in attributes and factor >= 1:
        return cube.replace(scale=factor)
    return cube.replace(scale=scale_of(factor))


def number(value: Any) -> float | None:
    """A single number, or None for anything else."""
    array = np.asarray(value)
    return float(array.reshape(-1)[0]) if array.size == 1 and array.dtype.kind in "iuf" else None


def as_text(key: str, value: Any) -> str | None:
    """An attribute as a header's text; None for what a Cube's own fields say, what is long, and what is no fact."""
    if key in _NOT_KEPT or key.startswith("_"):
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value if 0 < len(value) <= _LONGEST else None
    array = np.asarray(value)
    if array.size == 0 or array.size > 100 or array.dtype.kind not in "iufb":
        return None
    return ", ".join(str(item) for item in array.reshape(-1).tolist())
