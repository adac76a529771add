"""What still holds of a cube's header for a part of the cube: fewer pixels, fewer bands, or another place."""

from collections.abc import Mapping
from typing import Any

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube

#: Header fields that say where on the earth the pixels lie; "map info" alone says it by a pixel that can be shifted.
MAP_INFO = "map info"
PLACES = (MAP_INFO, "geo points", "rpc info", "projection info", "x start", "y start", "igm file", "glt file")
#: Fields that count or name bands.
OF_BANDS = ("band names", "default bands", "wavelength", "fwhm", "bbl", "data gain values", "data offset values")
#: How near to a whole number of pixels a shift has to be.
WHOLE = 1e-3


def part_of(whole: Cube, data: Any, shift: tuple[float, ...] | None) -> Cube:
    """A cube of other pixels with what is still true of ``whole``; ``shift`` is the first pixel's place in it.

    ``shift`` is (row, col) in pixels, None where nobody knows. Map information is shifted with the pixels where the
    part lies within the whole, and left out otherwise.
    """
    header = {key: value for key, value in whole.header.items() if key.lower() not in PLACES}
    if _lies_within(whole, data, shift) and shift is not None:
        header |= _shifted(whole.header, *shift)
    if data.shape[0] == whole.bands:
        return whole.replace(data=data, header=header)
    kept = {key: value for key, value in header.items() if not _is_of_bands(key, value, whole.bands)}
    try:
        return Cube(data, whole.name, no_data=whole.no_data, scale=whole.scale, source=whole.source, header=kept)
    except CubeError:
        return Cube(data, whole.name)


def _lies_within(whole: Cube, data: Any, shift: tuple[float, ...] | None) -> bool:
    if shift is None or any(abs(value - round(value)) > WHOLE for value in shift):
        return False
    ends = zip(shift, data.shape[1:], whole.shape[1:], strict=True)
    # pixels that are as many as before were moved, and not cut out
    fits = all(round(first) >= 0 and round(first) + size <= all_of_it for first, size, all_of_it in ends)
    return fits and (any(round(value) for value in shift) or tuple(data.shape[1:]) == whole.shape[1:])


def _shifted(header: Mapping[str, Any], row: float, col: float) -> dict[str, Any]:
    """The map information, whose reference pixel (counted in samples and lines) is another one in the part."""
    for key, value in header.items():
        if key.lower() == MAP_INFO and not isinstance(value, str) and len(value) > 2:
            try:
                sample, line = float(value[1]) - round(col), float(value[2]) - round(row)
            except ValueError:
                return {}
            return {key: [value[0], f"{sample:.10g}", f"{line:.10g}", *value[3:]]}
    return {}


def _is_of_bands(key: str, value: Any, bands: int) -> bool:
    return key.lower() in OF_BANDS or (not isinstance(value, str) and len(value) == bands)
