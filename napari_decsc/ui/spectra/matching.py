"""Which spectra of a library are nearest to one of a cube, by spectral angle. No window here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import NANOMETRES, Cube
from napari_decsc.hsi.io.envi.library import SpectralLibrary
from napari_decsc.ui.spectra.places import difference

#: Fewer bands than these in common tell nothing about a material.
FEWEST = 3


def matches(cube: Cube, spectrum: NDArray[np.float64], libraries: Sequence[SpectralLibrary]) -> list[tuple[str, float]]:
    """Names and spectral angles in degrees, the nearest first; only where wavelengths overlap.

    The library's spectra are interpolated linearly at the cube's wavelengths; bands outside of them do not count.
    """
    wanted = cube.wavelengths_nm
    if wanted is None:
        return []
    found = []
    for library in libraries:
        factor = NANOMETRES.get(library.unit)
        if library.wavelengths is None or factor is None:
            continue
        order = np.argsort(library.wavelengths)
        known = library.wavelengths[order] * factor
        for name, values in zip(library.names, library.spectra[:, order], strict=True):
            there = np.isfinite(values) & np.isfinite(known)
            if there.sum() < FEWEST:
                continue
            at = np.interp(wanted, known[there], values[there], left=np.nan, right=np.nan)
            if (np.isfinite(at) & np.isfinite(spectrum)).sum() >= FEWEST:
                found.append((name, difference(at, spectrum)[0]))
    return sorted(found, key=lambda one: one[1])


def in_words(found: Sequence[tuple[str, float]], most: int = 5) -> str:
    """The nearest ones, each with its angle, in one line; empty where nothing could be compared."""
    listed = ", ".join(f"{name} {angle:.1f}°" for name, angle in found[:most])
    return f"nearest in the library: {listed}" if listed else ""
