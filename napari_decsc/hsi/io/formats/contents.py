"""Which array of a file is the cube, and which of its axes counts the bands: told by the file, or asked for."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_decsc.errors import AmbiguousFileError, FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.gains import with_gains
from napari_decsc.hsi.io.envi.header import Header
from napari_decsc.hsi.io.envi.wavelengths import guess_unit, unit_of, wavelengths_in_names
from napari_decsc.hsi.io.formats.attributes import from_attributes, with_scales_beside
from napari_decsc.hsi.io.formats.axes import counts_bands, counts_cols, counts_rows, counts_steps, names_bands
from napari_decsc.hsi.io.formats.geolocation import geographic_fields, is_bottom_up
from napari_decsc.hsi.io.formats.metadata import cube_fields
from napari_decsc.hsi.io.formats.smile import with_means
from napari_decsc.hsi.io.formats.spectral import spectral_fields
from napari_decsc.hsi.io.formats.steps import array_of, steps
from napari_decsc.hsi.io.formats.variables import Contents, Variable


def looks_like_a_cube(contents: Contents, least: int = 4) -> bool:
    """Whether this package should claim the file: its own, or an array with no axis shorter than ``least``."""
    contents = _with_steps(contents)
    lengths = {vector.values.size for vector in contents.vectors.get("wavelengths", [])}

    def is_claimed(one: Variable) -> bool:
        # numbered images in HDF5, and several of them in time, may be anything; with wavelengths, or in NetCDF, they
        # are bands
        is_told = "wavelengths" in one.fields or (one.is_step and bool(lengths & set(one.cube_shape)))
        return contents.is_netcdf or is_told or not (one.is_stack or one.is_step)

    claimed = [one for one in contents.cubes if is_claimed(one)]
    return contents.metadata is not None or any(min(one.cube_shape) >= least for one in claimed)


def cube_from(contents: Contents, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a file. Raises AmbiguousFileError where a person has to choose, FileFormatError if there is none."""
    contents = _with_steps(with_means(contents))
    chosen = _variable(contents, variable)
    if chosen.dtype.itemsize > 8:
        raise FileFormatError(
            f"{contents.path}: the numbers of {chosen.name} are of type {chosen.dtype.name}, which is not the same on "
            f"all machines; save them as float64"
        )
    is_ours = contents.metadata is not None and band_axis is None
    axis, doubt = (0, "") if is_ours else _band_axis(contents, chosen, band_axis)
    data = chosen.read()
    if data.shape != chosen.cube_shape:
        data = data.reshape(chosen.cube_shape)
    data = data.transpose(axis, *_rows_and_cols(chosen, axis))
    if is_bottom_up(contents, chosen, data.shape):
        data = data[:, ::-1]
    named = chosen.cube_axes[axis] if any(chosen.cube_axes) else ""
    fields = {**spectral_fields(contents.vectors, data.shape[0], chosen.name, named), **chosen.fields}
    header = {**contents.header, **geographic_fields(contents, chosen, data.shape)}
    said = [*fields.get("notes", ()), *([doubt] if doubt else [])]
    fields["notes"] = tuple(f"{contents.path.name}: {note}" for note in said)
    cube = Cube(data, name=contents.path.stem, source=contents.path, header=header, **fields)
    names = [*_names_in(chosen.attributes), *contents.names]
    cube = _with_names(from_attributes(cube, chosen.attributes, contents.is_netcdf), names)
    cube = with_scales_beside(cube, contents.scales)
    if contents.metadata is not None:
        cube = cube.replace(**cube_fields(contents.metadata, contents.path, cube))
        cube = with_gains(cube, Header(contents.path, cube.header))
    return cube.replace(header={**cube.header, "data type": data.dtype.name})


def _with_steps(contents: Contents) -> Contents:
    found = steps(contents.variables, contents.likely_bands)
    return dataclasses.replace(contents, variables=[*contents.variables, *found]) if found else contents


def _rows_and_cols(chosen: Variable, axis: int) -> list[int]:
    """The two axes beside that of the bands: in the file's order, unless their names tell the opposite."""
    order = [other for other in range(3) if other != axis]
    first, second = (chosen.cube_axes[place] if any(chosen.cube_axes) else "" for place in order)
    return order[::-1] if counts_cols(first) and counts_rows(second) else order


def _names_in(attributes: Mapping[str, Any]) -> list[list[str]]:
    """The lists of names of bands among the attributes of an array; rioxarray's is called `long_name`."""
    found = [value for key, value in attributes.items() if names_bands(key) or key.lower() == "long_name"]
    return [[str(name) for name in value] for value in found if isinstance(value, list)]


def _with_names(cube: Cube, lists: Sequence[Sequence[str]]) -> Cube:
    """The cube with the names of its bands that a list of the right length tells, and wavelengths in them."""
    names = next((list(one) for one in lists if len(one) == cube.bands), None)
    if names is None:
        return cube
    values, spelled = wavelengths_in_names(names, cube.bands, "") if cube.wavelengths is None else (None, "")
    cube = cube.replace(header={**cube.header, "band names": names})
    if values is None:
        return cube
    unit, factor = unit_of(spelled)
    return cube.replace(wavelengths=values * factor, wavelength_unit=unit or guess_unit(values))


def _variable(contents: Contents, asked: str | None) -> Variable:
    cubes = contents.cubes
    if asked is not None:
        for found in cubes:
            if found.name.strip("/") == asked.strip("/"):
                return found
        raise FileFormatError(f"{contents.path}: holds no cube {asked!r}; {_listed(contents)}")
    if not cubes:
        raise FileFormatError(
            f"{contents.path}: holds no cube, an array of real numbers with 3 axes; "
            f"{_listed(contents)}{_cure(contents)}"
        )
    likely = _likely(contents)
    if len(likely) == 1:
        return likely[0]
    array, axis = array_of(likely[0])
    told = _names(likely)
    if array and all(array_of(one) == (array, axis) for one in likely):
        told = f"one for each step of {array} along {axis}, {likely[0].name} to {likely[-1].name}"
    raise AmbiguousFileError(
        f"{contents.path}: holds {len(likely)} cubes, {told}; "
        f"choose one with variable= (on the command line --variable)",
        option="variable",
        choices=[found.name for found in likely],
    )


def _likely(contents: Contents) -> list[Variable]:
    """The cubes that may be meant, those that speak for themselves before others."""
    likely = contents.cubes
    beside = set().union(*(found.beside for found in likely))
    tests: tuple[Callable[[Variable], bool], ...] = (
        lambda found: found.is_preferred,
        lambda found: not (found.is_aside or found.name.rpartition("/")[2] in beside),
        lambda found: 1 not in found.cube_shape,
        lambda found: bool(contents.likely_bands & set(found.cube_shape)),
        lambda found: not found.is_picture,
        lambda found: not found.is_part,
    )
    for test in tests:
        likely = [found for found in likely if test(found)] or likely
    return likely


def _band_axis(contents: Contents, chosen: Variable, asked: int | str | None) -> tuple[int, str]:
    """The axis (0, 1 or 2) that counts the bands, and what is to be said if it is hardly more than a guess.

    In this order: what was asked for; what the format or the names of the axes say; the only axis as long as a vector
    of wavelengths or an array named after bands; the axis that is clearly the odd one (see `_odd`), unless the format's
    custom contradicts; the custom.
    """
    if asked is not None:
        return _asked(contents.path, chosen, asked), ""
    told = _told_axis(contents, chosen)
    if told is not None:
        return told, _of_steps(chosen, told)
    shape = chosen.cube_shape
    odd = _odd(shape)
    if odd is not None and chosen.usual in (None, odd):
        return odd, _of_steps(chosen, odd) or (_doubt(shape, odd) if chosen.usual is None else "")
    if odd is None and chosen.usual is not None:
        return chosen.usual, ""
    raise AmbiguousFileError(
        f"{contents.path}: does not tell which axis of {' x '.join(map(str, shape))} counts the bands; "
        f"choose 0, 1 or 2 with band_axis= (on the command line --band-axis)",
        option="band_axis",
        choices=["0", "1", "2"],
    )


def _told_axis(contents: Contents, chosen: Variable) -> int | None:
    """The axis that the format, names of axes, or a vector as long as it tell; None if none of them does."""
    if chosen.certain is not None:
        return chosen.certain
    axes = chosen.cube_axes
    named = [place for place, name in enumerate(axes) if counts_bands(name)]
    # where two are rows and cols, the third counts bands, whatever it is called
    pixels = [place for place, name in enumerate(axes) if counts_rows(name) or counts_cols(name)]
    is_image = any(map(counts_rows, axes)) and any(map(counts_cols, axes)) and len(pixels) == 2
    left = [place for place in range(3) if place not in pixels] if is_image else []
    likely = contents.likely_bands | {len(names) for names in _names_in(chosen.attributes)}
    fitting = [place for place, size in enumerate(chosen.cube_shape) if size in likely]
    return next((found[0] for found in (named, left, fitting) if len(found) == 1), None)


def _of_steps(chosen: Variable, axis: int) -> str:
    """What is to be said of bands that are counted by an axis of dates, frames or the like."""
    name = chosen.cube_axes[axis] if any(chosen.cube_axes) else ""
    return f"the axis {name!r} is taken for that of the bands, as no other is left" if counts_steps(name) else ""


def _doubt(shape: Sequence[int], odd: int) -> str:
    """What is to be said of an axis that was found by the sizes alone, where the other two are no usual image."""
    middle, large = sorted(shape)[1:]
    if large < 2 * middle:
        return ""
    return (
        f"that the axis of {shape[odd]} counts the bands of {' x '.join(map(str, shape))} is guessed from the sizes; "
        f"if another one does, choose it with band_axis= (on the command line --band-axis)"
    )


def _odd(shape: Sequence[int]) -> int | None:
    """The axis that differs from the two of an image: at most half as long as either, or beside two of equal length."""
    small, middle, large = sorted(shape)
    if 2 * small <= middle:
        return list(shape).index(small)
    if small == middle < large:
        return list(shape).index(large)
    if small < middle == large:
        return list(shape).index(small)
    return None


def _asked(path: Path, chosen: Variable, asked: int | str) -> int:
    word = str(asked).strip().lower()
    names = [name.lower() for name in chosen.cube_axes]
    if names.count(word) == 1:
        return names.index(word)
    axes = {"0": 0, "1": 1, "2": 2, "-1": 2, "-2": 1, "-3": 0}
    if word not in axes:
        raise FileFormatError(f"{path}: band axis is {asked!r}; it must be 0, 1 or 2{_or_a_name(chosen)}")
    return axes[word]


def _or_a_name(chosen: Variable) -> str:
    return f", or one of {', '.join(chosen.cube_axes)}" if any(chosen.cube_axes) else ""


def _listed(contents: Contents) -> str:
    arrays = [*contents.variables, *contents.planes]
    if not arrays and not contents.others:
        return "there is no array in it"
    return f"there is {', '.join([*([_names(arrays)] if arrays else []), *contents.others[:3]])}"


def _cure(contents: Contents) -> str:
    # a table has many more pixels than bands; what is nearly square is an image of one band
    if any(1 < min(plane.shape) <= max(plane.shape) // 2 for plane in contents.planes):
        return "; a table of (band, pixel) or (pixel, band) needs its rows and cols back: reshape it, and save it again"
    if any(other.endswith(("a structure", "a cell")) for other in contents.others):
        return "; save the cube of the structure or cell as a variable of its own"
    if any(other.endswith("an object") for other in contents.others):
        return "; save its cube as a variable of its own (of a hypercube DataCube, and Wavelength beside it)"
    if any(", a table of " in other for other in contents.others):
        return "; save the field that holds the cube as an array of its own"
    if any(map(_is_complex, contents.variables)) or any(other.endswith("complex numbers") for other in contents.others):
        return "; save the magnitude of the complex numbers"
    if any(sum(size > 1 for size in one.shape) > 4 for one in contents.variables):
        return "; save one of the cubes in it as an array of three axes"
    return ""


def _is_complex(variable: Variable) -> bool:
    return variable.dtype.kind == "c"


def _kind(variable: Variable) -> str:
    return ", complex numbers" if _is_complex(variable) else ", truths" if variable.is_logical else ""


def _names(variables: Sequence[Variable], most: int = 12) -> str:
    names = [f"{found.name} ({' x '.join(map(str, found.shape))}{_kind(found)})" for found in variables]
    return ", ".join([*names[:most], *(["..."] if len(names) > most else [])])
