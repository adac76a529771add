"""Wavelengths and widths that differ from column to column, as those of push-broom sensors do (smile): their means."""

import dataclasses
import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.formats import spectral
from napari_decsc.hsi.io.formats.guards import fits_in_memory
from napari_decsc.hsi.io.formats.variables import Contents, Variable
from napari_decsc.hsi.io.roles import role

#: Numbers in a table that is read for its means.
_LARGEST = 1 << 26


def with_means(contents: Contents) -> Contents:
    """The contents with a vector for each table (band, col) or (col, band) that fits a cube, where there is no other.

    The mean over the columns counts; by how much they differ is noted.
    """
    vectors = {field: list(found) for field, found in contents.vectors.items()}
    bands_at: dict[tuple[int, ...], int] = {}
    for field in ("wavelengths", "fwhm"):
        for plane in _planes(contents):
            if _tells(plane, field) and _fits(plane, contents, vectors.get(field, [])):
                _add_mean(vectors, plane, bands_at)
    return dataclasses.replace(contents, vectors=vectors)


def _planes(contents: Contents) -> list[Variable]:
    """The arrays of two axes longer than 1."""
    found = []
    for one in contents.variables:
        shape = tuple(size for size in one.shape if size > 1)
        if len(shape) == 2:
            read = partial(_reshaped, one, shape)
            found.append(dataclasses.replace(one, shape=shape, axes=(), read=read))
    return [*contents.planes, *found]


def _reshaped(one: Variable, shape: tuple[int, ...]) -> Any:
    return one.read().reshape(shape)


def _tells(plane: Variable, field: str) -> bool:
    is_table = plane.dtype.kind in "iuf" and not plane.is_logical and math.prod(plane.shape) <= _LARGEST
    return is_table and min(plane.shape) > 1 and role(plane.name) == field


def _fits(plane: Variable, contents: Contents, known: list[spectral.Vector]) -> bool:
    """Whether the sides of the table are two sides of an array, and no vector tells the same of its bands."""
    arrays = [one for one in contents.variables if one.name != plane.name and len(one.cube_shape) in (3, 4)]
    sides = [set(one.cube_shape) for one in arrays]
    return any(set(plane.shape) <= side for side in sides) and not any(
        vector.values.size in plane.shape for vector in known
    )


def _add_mean(vectors: dict[str, list[spectral.Vector]], plane: Variable, bands_at: dict[tuple[int, ...], int]) -> None:
    if not fits_in_memory(2 * math.prod(plane.shape) * 8):
        return
    values = np.asarray(plane.read(), np.float64)
    values = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    # wavelengths differ far more from band to band than from column to column; widths have the order of those
    axis = bands_at.setdefault(tuple(plane.shape), _axis_of_bands(values))
    table = values if axis == 0 else values.T
    if np.isnan(table).all(axis=1).any():
        return
    lower = {key.lower(): value for key, value in plane.attributes.items()}
    spread = float(np.max(np.nanmax(table, axis=1) - np.nanmin(table, axis=1)))
    name = plane.name.rpartition("/")[2]
    note = f"values of {name} differ from column to column by up to {spread:.3g}; the means of the columns are taken"
    spectral.add(
        vectors, plane.name, np.nanmean(table, axis=1), lower.get("units", ""), note=note if spread > 0 else ""
    )


def _axis_of_bands(values: NDArray[np.float64]) -> int:
    steps = [float(np.nanmean(np.abs(np.diff(values, axis=axis)))) for axis in (0, 1)]
    return 0 if steps[0] >= steps[1] else 1
