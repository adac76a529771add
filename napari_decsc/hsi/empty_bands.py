"""Bands that hold nothing of the scene: dead, saturated or constant, bad by the header, or noise alone.

They tell nothing about the other bands, and the other bands nothing about them. So a denoiser leaves them out, and
gives them back as they came, or fills them from the bands beside them.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.band_list import format_bands
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.masks import blank_bands, usable
from napari_decsc.hsi.percentiles import percentiles
from napari_decsc.hsi.scaling import sample

#: Why a band was left out: it says nothing.
BLANK = "no usable voxel, or constant"
#: Or the header calls it bad.
FLAGGED = "bad by the header"
#: Or noise drowns the scene.
JUNK = "noise alone, louder than the scene"
#: A band may be noise alone if the deviation of its values exceeds this share of the range that bands usually have.
LOUD = 0.5
#: The range lies between these percentiles.
RANGE = (0.5, 99.5)
#: It is, if what the others tell of it, and its neighbouring pixels of each other, is within so many deviations of
#: chance.
CHANCE = 4.0
#: Of fewer pixels nothing can be said.
FEWEST_PIXELS = 1024
#: Components of the other bands that it may be told by.
COMPONENTS = 16
#: Median absolute deviation of a normal variable.
NORMAL_MAD = 0.6745
#: Deviations at which values are clipped.
CLIP = 5.0

Floats = NDArray[np.float32]


def empty_bands(cube: Cube, stuck: tuple[float, ...], *, flagged: bool = True, junk: bool = True) -> dict[int, str]:
    """Bands that hold nothing, from 0, and why.

    Flags that call every band bad are no flags, and where every band holds nothing, none is left out.

    Parameters
    ----------
    cube : Cube
        A sample of it is looked at.
    stuck : tuple of float
        Of :func:`~napari_decsc.hsi.masks.stuck_values`, physical units.
    flagged, junk : bool
        Whether bands that the header calls bad count, and those of noise alone.

    Returns
    -------
    dict of int to str
        The first reason that holds.
    """
    found = dict.fromkeys(junk_bands(cube, stuck) if junk else (), JUNK)
    good = cube.good_bands
    if flagged and good is not None and good.any():
        found |= dict.fromkeys(np.flatnonzero(~good).tolist(), FLAGGED)
    found |= dict.fromkeys(blank_bands(cube, stuck), BLANK)
    return dict(sorted(found.items())) if len(found) < cube.bands else {}


def junk_bands(cube: Cube, stuck: tuple[float, ...]) -> tuple[int, ...]:
    """Bands of noise alone, louder than the scene, from 0.

    Such a band varies more than others have range, no other band tells anything of it, and its pixels tell nothing of
    those beside them. Where air lets no light through, a reflectance is noise divided by nearly nothing: Green et al.,
    *Imaging spectroscopy and the Airborne Visible/Infrared Imaging Spectrometer (AVIRIS)*, Remote Sens. Environ. 65
    (1998).

    Parameters
    ----------
    cube : Cube
        A sample of it is looked at.
    stuck : tuple of float
        Of :func:`~napari_decsc.hsi.masks.stuck_values`, physical units.

    Returns
    -------
    tuple of int
        None where there are fewer than three bands, or hardly any pixels.
    """
    values = sample(cube)
    if len(values) < 3 or values[0].size < FEWEST_PIXELS:
        return ()
    values = np.where(usable(values, stuck), values, np.float32(np.nan))
    seen = np.isfinite(values).any(axis=(1, 2))
    if not seen.any():
        return ()
    middle, deviation = np.zeros(len(values)), np.zeros(len(values))
    low, middle[seen], high = percentiles(values[seen], (RANGE[0], 50, RANGE[1]))
    away = np.abs(values[seen] - middle[seen, None, None].astype(np.float32))
    deviation[seen] = percentiles(away, (50,))[0] / NORMAL_MAD
    loud = deviation > LOUD * np.median(high - low)
    if not loud.any() or (loud | ~seen).all():
        return ()
    reach = CLIP * np.maximum(deviation, 1e-30)[:, None, None]
    values = np.clip(np.nan_to_num(values - middle[:, None, None]), -reach, reach)
    values -= values.mean(axis=(1, 2), keepdims=True)
    scene = _components(values[seen & ~loud])
    return tuple(int(band) for band in np.flatnonzero(loud) if _is_noise(values[band], scene))


def told(left_out: Mapping[int, str], *, fill: bool) -> str:
    """What became of the bands that hold nothing, in a sentence; bands count from 1.

    Parameters
    ----------
    left_out : mapping of int to str
        Such a band, from 0, and why.
    fill : bool
        Whether they are filled.

    Returns
    -------
    str
        For the person who waits, and the report.
    """
    several = []
    for why in dict.fromkeys(left_out.values()):
        chosen = np.zeros(max(left_out) + 1, bool)
        chosen[[band for band, other in left_out.items() if other == why]] = True
        several.append(f"{format_bands(chosen)} ({why})")
    became = "are filled from the bands beside them" if fill else "come back as they came"
    return f"left out of everything: bands {', '.join(several)}; they {became}"


def filled(values: Floats, kept: NDArray[np.intp], places: NDArray[np.float64], missing: NDArray[np.intp]) -> Floats:
    """Missing bands, each on a line between the nearest kept ones; beyond the last the same as that.

    Parameters
    ----------
    values : float32 array, shape (kept band, row, col)
        What is known.
    kept, missing : int arrays
        Which bands these are, and which are wanted, from 0.
    places : float array, shape (band,)
        Wavelength of every band, in rising or falling order, or its number.

    Returns
    -------
    float32 array, shape (missing band, row, col)
        In the units of ``values``.
    """
    order = np.argsort(places[kept])
    known, wanted = places[kept][order], places[missing]
    above = np.clip(np.searchsorted(known, wanted), 1, max(1, len(known) - 1))
    low, high = order[above - 1], order[np.minimum(above, len(known) - 1)]
    gap = places[kept[high]] - places[kept[low]]
    share = np.clip((wanted - places[kept[low]]) / np.where(gap > 0, gap, 1), 0, 1).astype(np.float32)[:, None, None]
    between: Floats = (1 - share) * values[low] + share * values[high]
    return between


def _components(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The strongest components of bands (band, row, col), (component, pixel), orthonormal."""
    flat = values.reshape(len(values), -1)
    scaled = flat / np.maximum(flat.std(axis=1, keepdims=True), 1e-30)
    vectors = np.linalg.eigh(scaled @ scaled.T)[1][:, -COMPONENTS:]
    images: NDArray[np.float64] = np.linalg.qr((vectors.T @ scaled).T)[0].T
    return images


def _is_noise(band: NDArray[np.float64], scene: NDArray[np.float64]) -> bool:
    """Whether a band (row, col) is nothing but noise beside the components of a scene (component, pixel)."""
    energy = float(np.square(band).sum())
    if energy == 0:
        return False
    told = float(np.square(scene @ band.ravel()).sum()) / energy * band.size
    count = len(scene)
    beside = min(float((band[:, 1:] * band[:, :-1]).sum()), float((band[1:] * band[:-1]).sum())) / energy
    return bool(told < count + CHANCE * (2 * count) ** 0.5 + CHANCE and beside * band.size**0.5 < CHANCE)
