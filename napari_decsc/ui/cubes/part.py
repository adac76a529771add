"""What still holds of a cube's header for a part of the cube: fewer pixels, fewer bands, or another place."""

from typing import Any

from napari_decsc.errors import CubeError
from napari_decsc.hsi import georeference
from napari_decsc.hsi.cube import Cube

#: Fields that name files with the place of every pixel of the whole.
PLACES = ("igm file", "glt file")
#: Fields that count or name bands.
OF_BANDS = ("band names", "default bands", "wavelength", "fwhm", "bbl", "data gain values", "data offset values")
#: How near to a whole number of pixels a shift has to be.
WHOLE = 1e-3


def part_of(whole: Cube, data: Any, shift: tuple[float, ...] | None) -> Cube:
    """A cube of other pixels with what is still true of ``whole``; ``shift`` is the first pixel's place in it.

    ``shift`` is (row, col) in pixels, None where nobody knows. What the header says of the place on the earth is
    shifted with the pixels where the part lies within the whole, and left out otherwise.
    """
    header = whole.header
    if shift is not None and _lies_within(whole, data, shift):
        row, col = (round(value) for value in shift)
        header = georeference.moved(header, row, col) if row or col else header
    else:
        header = georeference.without(header)
    if tuple(data.shape[1:]) != whole.shape[1:] or shift is None or any(shift):
        header = {key: value for key, value in header.items() if key.lower() not in PLACES}
    if data.shape[0] == whole.bands:
        return whole.replace(data=data, header=header)
    kept = {key: value for key, value in header.items() if not _is_of_bands(key, value, whole.bands)}
    try:
        return Cube(data, whole.name, no_data=whole.no_data, scale=whole.scale, source=whole.source, header=kept)
    except CubeError:
        return Cube(data, whole.name)


def _lies_within(whole: Cube, data: Any, shift: tuple[float, ...]) -> bool:
    if any(abs(value - round(value)) > WHOLE for value in shift):
        return False
    ends = zip(shift, data.shape[1:], whole.shape[1:], strict=True)
    # pixels that are as many as before were moved, and not cut out
    fits = all(round(first) >= 0 and round(first) + size <= all_of_it for first, size, all_of_it in ends)
    return fits and (any(round(value) for value in shift) or tuple(data.shape[1:]) == whole.shape[1:])


def _is_of_bands(key: str, value: Any, bands: int) -> bool:
    return key.lower() in OF_BANDS or (not isinstance(value, str) and len(value) == bands)
