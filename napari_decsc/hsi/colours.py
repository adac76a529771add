"""Three bands of a cube as a colour picture: which bands, and the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube

#: Wavelengths (nm) shown as red, green and blue.
TRUE_COLOUR = (640.0, 550.0, 460.0)
#: Near infrared, red and green: plants look red.
FALSE_COLOUR = (860.0, 650.0, 550.0)
#: A band this far (nm) from the wished wavelength no longer stands for it.
REACH = 40.0
#: Percentiles between which each colour is stretched.
STRETCH = (2.0, 98.0)
#: Pixels that the percentiles are taken from, at most.
STRETCH_PIXELS = 500_000


@dataclass(frozen=True)
class Choice:
    """Three bands for red, green and blue, and how they were found.

    Parameters
    ----------
    bands : tuple of three int
        From 0.
    how : str
        In words.
    """

    bands: tuple[int, int, int]
    how: str


def default_bands(cube: Cube) -> Choice | None:
    """The header's "default bands", or None where there are no three that fit.

    Parameters
    ----------
    cube : Cube
        Of any file.

    Returns
    -------
    Choice or None
    """
    listed = cube.header.get("default bands", ())
    try:
        numbers = [int(float(str(number))) for number in ([listed] if isinstance(listed, str) else listed)]
    except ValueError:
        return None
    if len(numbers) != 3 or not all(1 <= number <= cube.bands for number in numbers):
        return None
    red, green, blue = (number - 1 for number in numbers)
    return Choice((red, green, blue), "default bands of the file")


def choose(cube: Cube, wanted: Sequence[float] = TRUE_COLOUR) -> Choice:
    """The good bands nearest to three wavelengths; where the cube has none near, the best that can be done.

    That is, in this order: the header's default bands, or bands that divide the cube into three.

    Parameters
    ----------
    cube : Cube
        Any.
    wanted : three float
        Wavelengths of red, green and blue, nm.

    Returns
    -------
    Choice
    """
    lengths = cube.wavelengths_nm
    if lengths is not None:
        usable = np.where(_good(cube), lengths, np.nan)
        bands = [int(np.nanargmin(np.abs(usable - length))) for length in wanted]
        if all(abs(lengths[band] - length) <= REACH for band, length in zip(bands, wanted, strict=True)):
            return Choice((bands[0], bands[1], bands[2]), "nearest bands")
        missing = next(w for band, w in zip(bands, wanted, strict=True) if abs(lengths[band] - w) > REACH)
        return _divided(cube, f"no band near {missing:g} nm; bands that divide the range")
    return default_bands(cube) or _divided(cube, "no wavelengths; bands that divide the range")


def _divided(cube: Cube, how: str) -> Choice:
    """Good bands at 5/6, 1/2 and 1/6 of the spectrum, the long wavelengths as red."""
    good = np.flatnonzero(_good(cube))
    if cube.wavelengths_nm is not None:
        good = good[np.argsort(cube.wavelengths_nm[good], kind="stable")]
    red, green, blue = (int(good[int(part * (good.size - 1) + 0.5)]) for part in (5 / 6, 1 / 2, 1 / 6))
    return Choice((red, green, blue), how)


def picture(cube: Cube, bands: Sequence[int]) -> NDArray[np.uint8]:
    """Bands as a picture; each stretched between percentiles, not-measured voxels black.

    Parameters
    ----------
    cube : Cube
        Any.
    bands : sequence of int
        From 0; three for a colour picture.

    Returns
    -------
    uint8 array, shape (row, col, colour)
    """
    return np.stack([_stretched(cube, band) for band in bands], axis=-1)


def _good(cube: Cube) -> NDArray[np.bool_]:
    good = np.ones(cube.bands, bool) if cube.good_bands is None else cube.good_bands.copy()
    if cube.wavelengths is not None:
        good &= np.isfinite(cube.wavelengths)
    return good if good.any() else np.ones(cube.bands, bool)


def _stretched(cube: Cube, band: int) -> NDArray[np.uint8]:
    one = Cube(np.asarray(cube.data[band : band + 1]), cube.name, no_data=cube.no_data, scale=cube.scale)
    values = one.physical()[0]
    step = max(1, int(np.sqrt(values.size / STRETCH_PIXELS)))
    seen = values[::step, ::step]
    seen = seen[np.isfinite(seen)]
    low, high = np.percentile(seen, STRETCH) if seen.size else (0.0, 1.0)
    if not high > low:
        high = low + 1.0
    shares = np.nan_to_num((values - low) / (high - low), nan=0.0, posinf=1.0, neginf=0.0)
    grey: NDArray[np.uint8] = np.round(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return grey
