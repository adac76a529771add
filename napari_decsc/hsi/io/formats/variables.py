"""What was found in a file before anything of it is read: arrays, and what is known of them and of the file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.hsi.io.formats.cf import says_no_data, tells_scale
from napari_decsc.hsi.io.formats.spectral import Vector, lengths, words_of

#: Words in names of arrays that stand beside a cube: quality, errors, pictures, places, references.
_ASIDE = {
    *("mask", "masks", "flag", "flags", "quality", "qual", "qa", "err", "error", "errors", "uncert", "uncertainty"),
    *("uncertainties", "rgb", "quicklook", "browse", "preview", "thumbnail", "lat", "lon", "latitude", "longitude"),
    *("std", "stdev", "stddev", "sd", "variance", "covariance", "unc", "snr", "noise", "nedl", "nobs", "weights"),
    *("glt", "geolocation", "elevation", "zenith", "azimuth", "darkref", "whiteref", "darkreference", "whitereference"),
}
#: `white_reference`, `dark current`: a word of each.
_REFERENCES = {"white", "dark"}
_OF_REFERENCE = {"ref", "reference", "current", "frame", "panel", "board", "tile"}
#: Attributes of flags, and what CF says behind a standard name of arrays that are about another one.
_FLAGS = ("flag_values", "flag_masks", "flag_meanings")
_MODIFIERS = {"standard_error", "status_flag", "number_of_observations", "detection_minimum"}


@dataclass(frozen=True)
class Variable:
    """An array of a file, not yet read.

    ``read`` gives it as a memory map, in memory, or as a lazy (dask) array, in the file's own order of axes. ``axes``
    are their names, if they have any. ``usual`` is the axis that counts the bands by the custom of the format;
    ``certain`` the one that does so for sure. ``is_logical`` marks truths, which are no measurements. ``is_preferred``
    marks what a known product is about, ``is_stack`` arrays of two axes that were put together, ``is_step`` one of the
    cubes that an array of four axes holds. ``is_matlab`` says that the axes are in MATLAB's order. ``fields`` are those
    of the Cube that are known of this array alone.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], Any]
    axes: tuple[str, ...] = ()
    usual: int | None = None
    certain: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    is_logical: bool = False
    is_preferred: bool = False
    is_stack: bool = False
    is_step: bool = False
    is_matlab: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cube_shape(self) -> tuple[int, ...]:
        """The shape without axes of length 1, where that leaves the three axes of a cube."""
        long = tuple(size for size in self.shape if size > 1)
        return long if len(self.shape) > 3 and len(long) == 3 else self.shape

    @property
    def cube_axes(self) -> tuple[str, ...]:
        """The names of the axes of `cube_shape`; empty where there are none."""
        if len(self.axes) != len(self.shape) or self.cube_shape == self.shape:
            return self.axes
        return tuple(name for name, size in zip(self.axes, self.shape, strict=True) if size > 1)

    @property
    def is_cube(self) -> bool:
        """Whether it has three axes and real numbers."""
        return len(self.cube_shape) == 3 and 0 not in self.shape and self.dtype.kind in "iuf" and not self.is_logical

    @property
    def is_picture(self) -> bool:
        """Whether it has as many "bands" as a colour picture."""
        return min(self.cube_shape) in (3, 4)

    @property
    def is_part(self) -> bool:
        """Whether it lies in a structure or a cell of MATLAB's."""
        return self.is_matlab and not self.name.isidentifier()

    @property
    def is_aside(self) -> bool:
        """Whether its name, or CF's attributes of flags and errors, tell that it is about a cube, and none itself."""
        words = words_of(self.name.rpartition("/")[2])
        is_reference = bool(words & _REFERENCES and words & _OF_REFERENCE)
        standard = str(self.attributes.get("standard_name", "")).split()[1:]
        is_about = any(key in self.attributes for key in _FLAGS) or bool(set(standard) & _MODIFIERS)
        return bool(words & _ASIDE) or is_reference or is_about

    @property
    def beside(self) -> set[str]:
        """The names of arrays that tell more of this one: errors, counts, flags (CF's `ancillary_variables`)."""
        return set(str(self.attributes.get("ancillary_variables", "")).split())


@dataclass(frozen=True)
class Contents:
    """What a file holds: arrays, vectors by what they say of the bands, facts about the file as a whole.

    ``band_counts`` are lengths of axes that count bands by their names, where it is not known whose axes they are;
    ``metadata`` is the text by which this package's own files describe their cube. ``planes`` are arrays of two axes,
    ``facts`` the attributes of the file, ``grids`` those of the variables that describe a map projection,
    ``grids_text`` what HDF-EOS5 says of its grids, ``coordinates`` the vectors that tell where rows and cols lie,
    ``others`` what is in the file and cannot be looked into. ``is_netcdf`` says that NetCDF's rules hold,
    ``has_latitudes`` that a vector among the coordinates is in degrees north. ``scales`` are numbers beside the arrays
    whose names tell of a scale, ``names`` lists of the names of bands.
    """

    path: Path
    variables: Sequence[Variable]
    vectors: Mapping[str, list[Vector]] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    band_counts: frozenset[int] = frozenset()
    metadata: str | None = None
    planes: Sequence[Variable] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    grids: Sequence[Mapping[str, Any]] = ()
    grids_text: str = ""
    coordinates: Mapping[str, Any] = field(default_factory=dict)
    others: Sequence[str] = ()
    is_netcdf: bool = False
    has_latitudes: bool = False
    scales: Mapping[str, Any] = field(default_factory=dict)
    names: Sequence[Sequence[str]] = ()

    @property
    def likely_bands(self) -> set[int]:
        """How many bands the vectors and axes of the file fit."""
        return lengths(self.vectors) | self.band_counts | {len(names) for names in self.names}

    @property
    def cubes(self) -> list[Variable]:
        """The arrays that could be the cube."""
        return [variable for variable in self.variables if variable.is_cube]


def with_singles(contents: Contents, singles: Mapping[str, Any]) -> Contents:
    """The contents with what single numbers beside the arrays tell, in files whose arrays have no attributes.

    A value for "not measured" is one of all arrays; a scale is said, and not applied.
    """
    gaps = {name: value for name, value in singles.items() if says_no_data([name])}
    variables = [replace(one, attributes={**gaps, **one.attributes}) for one in contents.variables]
    scales = {name: value for name, value in singles.items() if tells_scale(name)}
    return replace(contents, variables=variables if gaps else contents.variables, scales=scales)
