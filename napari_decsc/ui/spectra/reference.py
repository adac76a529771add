"""How far spectra are from those of a reference: SAM and RMSE at a place, in words."""

import math
from collections.abc import Sequence
from typing import Any

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.layers import clean_of, cube_of, is_difference, provenance_of
from napari_decsc.ui.spectra.places import Pin, difference, short, statistics
from napari_decsc.ui.spectra.plot import Curve

#: A curve, its spectral angle to the reference in degrees, and its root mean square error in physical values.
Difference = tuple[Curve, float, float]


def find_reference(layers: Sequence[Any]) -> Cube | None:
    """The clean cube if one of the layers knows it, else the first that was not denoised: the one before."""
    clean = next((found for layer in layers if (found := clean_of(layer)) is not None), None)
    if clean is not None:
        return clean
    scenes = [layer for layer in layers if not is_difference(layer)]
    return next((cube_of(layer) for layer in scenes if "denoising" not in provenance_of(layer)), None)


def differences(reference: Cube | None, curves: Sequence[Curve], pin: Pin) -> list[Difference]:
    """Of every other scene of the reference's shape, at a pixel or over a region; good and measured bands only."""
    others = [
        curve
        for curve in curves
        if reference
        and not curve.is_difference
        and curve.cube.data is not reference.data
        and curve.cube.shape == reference.shape
    ]
    if reference is None or not others or not _is_inside(pin, reference):
        return []
    expected = statistics(reference, pin).mean
    found = [(curve, *difference(expected, statistics(curve.cube, pin).mean)) for curve in others]
    # where nothing was measured there is nothing to compare
    return [one for one in found if math.isfinite(one[2])]


def in_line(reference: Cube | None, found: Sequence[Difference]) -> tuple[str, list[tuple[str, str]]]:
    """A word and an entry in the colour of each curve; empty where there is nothing to compare."""
    if reference is None or not found:
        return "", []
    shown = [(curve.colour, f"{angle:.2f}° · {error:.3g}") for curve, angle, error in found]
    return f"SAM · RMSE to {short(reference.name)}:", shown


def in_text(reference: Cube | None, found: Sequence[Difference]) -> str:
    """One line a cube."""
    if reference is None:
        return ""
    return "\n".join(f"{c.cube.name}: SAM {a:.2f}°, RMSE {e:.3g} to {reference.name}" for c, a, e in found)


def _is_inside(pin: Pin, cube: Cube) -> bool:
    _, rows, cols = cube.shape
    if pin.area is not None:
        return bool((pin.area < (rows, cols)).all())
    return pin.row < rows and pin.col < cols
