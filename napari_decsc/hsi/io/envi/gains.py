"""Gains and offsets of an ENVI header, applied to a cube in the numbers of its file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.calibration import LARGEST, Calibration
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.header import Header
from napari_decsc.hsi.io.envi.optional import OptionalFields

#: ENVI's field of factors, one a band.
GAINS = "data gain values"
#: Of what is added, one a band.
OFFSETS = "data offset values"
#: Fields that hold for the stored numbers alone. Those of reflectance, a second map of the same numbers, are only kept.
FIELDS = (GAINS, OFFSETS, "data reflectance gain values", "data reflectance offset values")


def with_gains(cube: Cube, header: Header) -> Cube:
    """The cube of stored numbers with `data gain values` and `data offset values` applied: gain * number + offset.

    A gain that all bands share, without offsets, becomes the ``scale`` of the cube, whose data stay as they are. Where
    the header has a `reflectance scale factor` other than 1, the numbers are reflectances and the gains are only kept.
    Raises FileFormatError for values that are no numbers or not one for each band (or one for all), for a gain of 0,
    which would make all numbers one, and for sizes that no instrument has.
    """
    calibration = None if cube.scale != 1 else calibration_of(header, cube.bands)
    if calibration is None:
        return cube
    if calibration.factor is not None:
        return cube.replace(scale=scale_of(calibration.factor))
    return calibrated(cube, calibration)


def with_usable_gains(cube: Cube, optional: OptionalFields) -> Cube:
    """As `with_gains`; both are left out where either cannot be used, and what follows is said."""
    try:
        return with_gains(cube, optional.without_idle([GAINS]))
    except FileFormatError as error:
        optional.leave_out("gains and offsets are left out, the values are the stored numbers", error)
        # one of the two alone, which may be right, would be believed where the cube is written
        return cube.replace(header={key: value for key, value in cube.header.items() if key not in (GAINS, OFFSETS)})


def calibrated(cube: Cube, calibration: Calibration) -> Cube:
    """The cube with a calibration applied where its values are looked at; what it undoes leaves the header."""
    return cube.replace(
        data=calibration.values(cube.data, cube.no_data),
        calibration=calibration,
        header={key: value for key, value in cube.header.items() if key not in calibration.fields},
    )


def calibration_of(header: Header, bands: int) -> Calibration | None:
    """The calibration that a header describes, or None if it has neither gains nor offsets, or changes nothing."""
    gains, offsets = _per_band(header, GAINS, bands), _per_band(header, OFFSETS, bands)
    gains = np.ones(bands) if gains is None else gains
    offsets = np.zeros(bands) if offsets is None else offsets
    if np.all(gains == 1) and not offsets.any():
        return None
    calibration = Calibration(gains, offsets, {key: header.fields[key] for key in FIELDS if key in header.fields})
    if not calibration.is_usable:
        key = OFFSETS if np.any(np.abs(offsets) > LARGEST) else GAINS
        raise header.error(key, f"numbers of usual size (to {LARGEST:g}, no gain of 0), or the field may be left out")
    return calibration


def tell_scale(cube: Cube) -> bool:
    """True where the fields of a header need no `reflectance scale factor` to tell a cube's scale."""
    if cube.scale == 1:
        return True
    if "reflectance scale factor" in cube.header:
        return False
    try:
        calibration = calibration_of(Header(Path(cube.name), cube.header), cube.bands)
    except FileFormatError:  # kept, but never of use
        return False
    return calibration is not None and calibration.factor is not None and scale_of(calibration.factor) == cube.scale


def fields_of(gains: NDArray[np.float64], offsets: NDArray[np.float64]) -> Mapping[str, Any]:
    """Gains and offsets as fields of a header."""
    return {GAINS: [repr(gain) for gain in gains.tolist()], OFFSETS: [repr(offset) for offset in offsets.tolist()]}


def scale_of(factor: float) -> float:
    """1 / factor, without the last digit's error where a whole number is meant (1 / float32(0.0001) is 10000)."""
    scale = 1 / factor
    return float(round(scale)) if abs(scale - round(scale)) < 1e-6 * scale else scale


def _per_band(header: Header, key: str, bands: int) -> NDArray[np.float64] | None:
    values = header.numbers(key, 1 if header.count(key) == 1 else bands)
    return None if values is None else np.resize(values, bands)
