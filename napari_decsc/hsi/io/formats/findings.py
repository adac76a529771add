"""What is noted of a hierarchical file (HDF5, NetCDF) on a walk through it, and what becomes of it."""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.formats import hyperspy, spectral
from napari_decsc.hsi.io.formats.attributes import as_text
from napari_decsc.hsi.io.formats.axes import counts_bands, names_bands
from napari_decsc.hsi.io.formats.cf import Rules, numbers, says_no_data, tells_scale
from napari_decsc.hsi.io.formats.field_names import FIELDS, fields_of
from napari_decsc.hsi.io.formats.geolocation import COLS, GRID, ROWS
from napari_decsc.hsi.io.formats.joined import stacks
from napari_decsc.hsi.io.formats.json_texts import lists_in_json
from napari_decsc.hsi.io.formats.tables import number_of, tables
from napari_decsc.hsi.io.formats.variables import Contents, Variable
from napari_decsc.hsi.io.roles import role

#: Texts, by their names in lower case, that become fields of a header.
_TEXTS = ("map_info", "coordinate_system_string")
#: A text that describes the grids of an HDF-EOS5 file.
_GRIDS = "StructMetadata.0"
#: Octave's mark on the group of a variable.
_OCTAVE = "OCTAVE_NEW_FORMAT"
#: The value in that group.
_VALUE = "value"
#: The name of its type there.
_TYPE = "type"
#: The mark of R's package rhdf5, which keeps arrays as MATLAB does.
_OF_R = "rhdf5-NA.OK"
#: R's whole number for "not measured".
_MISSING_IN_R = -(2**31)
#: How CF spells the unit of latitudes.
_NORTH = ("degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn")
#: Letters of the longest array of them that is read.
_MOST_LETTERS = 1 << 22
_NUMBER = re.compile(r"[0-9]+")


@dataclass
class Findings:
    """Notes on the arrays of a file, by their full names; ``matlab`` says that all axes are in MATLAB's order."""

    path: Path
    facts: dict[str, Any]
    matlab: bool = False
    variables: list[Variable] = field(default_factory=list)
    planes: list[Variable] = field(default_factory=list)
    vectors: dict[str, list[spectral.Vector]] = field(default_factory=dict)
    coordinates: dict[str, Any] = field(default_factory=dict)
    grids: list[Mapping[str, Any]] = field(default_factory=list)
    header: dict[str, str] = field(default_factory=dict)
    counts: set[int] = field(default_factory=set)
    octave: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)
    axes: dict[int, dict[int, str]] = field(default_factory=dict)
    groups: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    grids_text: str = ""
    singles: dict[str, float] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    has_latitudes: bool = False
    scales: dict[str, Any] = field(default_factory=dict)
    names: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._add_facts("", self.facts)

    @property
    def is_netcdf(self) -> bool:
        """Whether NetCDF's rules hold."""
        return "_NCProperties" in self.facts or self.path.suffix.lower() in (".nc", ".nc4", ".cdf")

    def add_group(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Note a group: vectors among its attributes, and Octave's mark."""
        if _OCTAVE in attributes:
            self.octave[name] = ""
        self.groups[name.strip("/")] = attributes
        self._add_facts(name, attributes)

    def reads(self, name: str, kind: np.dtype[Any]) -> bool:
        """Whether a single value of this name is worth reading."""
        group, _, own = name.rpartition("/")
        return (
            own.lower() in _TEXTS
            or own == _GRIDS
            or (role(own) is not None and kind.kind in "SO")
            or ((number_of(own) is not None or tells_scale(own)) and kind.kind in "iuf")
            or (group in self.octave and own in (_TYPE, _VALUE) and kind.kind in "SOV")
        )

    def add_single(self, name: str, value: Any, attributes: Mapping[str, Any]) -> None:
        """Note what holds one value, or none: a text, a range of Octave's, a map projection."""
        group, _, own = name.rpartition("/")
        if tells_scale(own) and numbers(value):
            self.scales[name.strip("/")] = value
        if any(key in attributes for key in GRID):
            self.grids.append(attributes)
        if attributes.get("MATLAB_class") == "cell":
            self.others.append(f"{name.strip('/')}, a cell")
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if isinstance(text, str) and own == _TYPE and group in self.octave:
            self.octave[group] = text
        elif isinstance(text, str) and role(own):
            spectral.add(self.vectors, name, text, attributes.get("units", ""))
        elif isinstance(text, str) and own == _GRIDS:
            self.grids_text = text
        elif isinstance(text, str) and own.lower() in _TEXTS:
            self.header[own.lower().replace("_", " ")] = text
        elif (
            number_of(own) is not None and getattr(value, "dtype", np.dtype("V")).kind in "iuf" and np.size(value) == 1
        ):
            self.singles[name.strip("/")] = float(np.ravel(value)[0])
        elif value is not None and getattr(value, "dtype", None) is not None and value.dtype.names:
            self.add_vector(name, _octave_range(value, attributes), attributes)

    def add_other(self, name: str, kind: np.dtype[Any]) -> None:
        """Note an array that holds no real numbers: a table of several fields, or complex ones."""
        if kind.names:
            self.others.append(f"{name.strip('/')}, a table of {', '.join(kind.names[:6])}")
        elif kind.kind == "c":
            self.others.append(f"{name.strip('/')}, complex numbers")

    def is_vector(self, name: str, size: int, attributes: Mapping[str, Any]) -> bool:
        """Whether an array with one long axis is worth reading."""
        own = self._shown(name).rpartition("/")[2].lower()
        if size == 1 and number_of(own) is not None:
            return True
        return size <= spectral.LONGEST and (
            spectral.told_role(own, attributes) is not None
            or counts_bands(own)
            or names_bands(own)
            or own in COLS + ROWS
            or hyperspy.is_values(name, self.groups)
        )

    def is_letters(self, name: str, shape: tuple[int, ...], attributes: Mapping[str, Any]) -> bool:
        """Whether an array of single letters is worth reading: a text, or a row of letters for each band."""
        is_small = 0 < len(shape) < 3 and 0 < math.prod(shape) <= _MOST_LETTERS
        return is_small and (names_bands(name) or self.is_vector(name, shape[0], attributes))

    def add_dimension(self, name: str, size: int) -> None:
        """Note a dimension without values."""
        if counts_bands(name):
            self.counts.add(size)

    def add_vector(self, name: str, values: Any, attributes: Mapping[str, Any]) -> None:
        """Note a vector that may count or describe bands, rows or cols."""
        name = self._shown(name)
        values = np.atleast_1d(np.asarray(values).squeeze())
        if values.ndim == 1 and values.dtype.kind == "S":
            self.add_texts(name, [text.decode("utf-8", "replace") for text in values.tolist()], attributes)
        if hyperspy.is_values(name, self.groups) and values.dtype.kind in "iuf":
            name, attributes = hyperspy.named(name, self.groups)
        if values.ndim != 1 or values.dtype.kind not in "iufb":
            return
        lower = {key.lower(): value for key, value in attributes.items()}
        if values.size == 1:
            self.singles[name] = float(values[0])
        if counts_bands(name) and values.size > 1:
            self.counts.add(values.size)
        if values.dtype.kind != "b":
            values = Rules(lower, self.is_netcdf).unpacked(values)
        if name.rpartition("/")[2].lower() in COLS + ROWS:
            self.coordinates[name] = values
            self.has_latitudes |= str(lower.get("units", "")).lower() in _NORTH
        spectral.add(self.vectors, name, values, lower.get("units", lower.get("unit", "")), attributes=attributes)

    def add_texts(self, name: str, texts: list[str], attributes: Mapping[str, Any]) -> None:
        """Note a text that may list numbers, or several that are one each, or the names of bands."""
        if names_bands(name) and len(texts) > 1:
            self.names.append([" ".join(text.split()) for text in texts])
        unit = attributes.get("units", "")
        spectral.add(self.vectors, self._shown(name), texts[0] if len(texts) == 1 else texts, unit)

    def add_array(
        self,
        name: str,
        shape: tuple[int, ...],
        kind: np.dtype[Any],
        attributes: Mapping[str, Any],
        read: Callable[[], Any],
        axes: tuple[str, ...] = (),
        address: int = 0,
    ) -> None:
        """Note an array of two or more axes."""
        if "MATLAB_object_decode" in attributes:  # the number of an object, which lies elsewhere
            self.others.append(f"{name.strip('/')}, an object")
            return
        if any(key in attributes for key in GRID):
            self.grids.append(attributes)
        if _OF_R in attributes and kind == np.int32 and not says_no_data(attributes):
            attributes = {**attributes, "_FillValue": _MISSING_IN_R}
        marked = "MATLAB_class" in attributes or _OF_R in attributes
        matlab = self.matlab or marked or self._is_of_octave(name)
        said = attributes.get("MATLAB_class", self.octave.get(name.rpartition("/")[0], ""))
        variable = Variable(
            self._shown(name),
            shape[::-1] if matlab else shape,
            kind,
            partial(_transposed, read) if matlab else read,
            axes,
            usual=2 if matlab and len(shape) == 3 else None,
            attributes=attributes,
            is_matlab=matlab,
            is_logical=str(said).startswith(("logical", "bool")) or kind.kind == "b",
        )
        self.addresses[variable.name] = address
        if len(shape) == 2:
            self.planes.append(variable)
        else:
            self.variables.append(variable)

    def add_axis(self, address: int, axis: int, name: str) -> None:
        """Note the name of an axis of the array at an address."""
        self.axes.setdefault(address, {})[axis] = name.rpartition("/")[2]

    def contents(self) -> Contents:
        """What was found. Arrays of one band each are put together where there is no cube."""
        told = hyperspy.axes(self.groups)
        for name, values, attributes in hyperspy.vectors(self.groups):
            self.add_vector(name, values, attributes)
        self.variables = [self._with_axes(variable, told.get(variable.name, ())) for variable in self.variables]
        for variable in self.variables:
            self._add_facts(variable.name, variable.attributes)
        cubes = any(variable.is_cube for variable in self.variables)
        made = [] if cubes else [*stacks(self._with_groups()), *self._tables()]
        header = {**fields_of(_texts(self.facts), self.facts.get(FIELDS)), **self.header}
        ours = FIELDS in self.facts
        of_file = {f"{key} of the file": value for key, value in self.facts.items() if tells_scale(key) and not ours}
        return Contents(
            self.path,
            [*self.variables, *made],
            self.vectors,
            header,
            frozenset(self.counts),
            planes=self.planes,
            facts=self.facts,
            grids=self.grids,
            grids_text=self.grids_text,
            coordinates=self.coordinates,
            others=self.others,
            is_netcdf=self.is_netcdf,
            has_latitudes=self.has_latitudes,
            scales={**of_file, **self.scales},
            names=self.names,
        )

    def _with_groups(self) -> list[Variable]:
        """The planes with the attributes of the groups they are in: a group for each band tells its wavelength."""
        groups = [self.groups.get(plane.name.rpartition("/")[0], {}) for plane in self.planes]
        pairs = zip(self.planes, groups, strict=True)
        return [dataclasses.replace(one, attributes={**group, **one.attributes}) for one, group in pairs]

    def _tables(self) -> list[Variable]:
        """The planes that have a row or a col for each pixel, as cubes."""
        of_matlab = [plane for plane in self.planes if plane.is_matlab]
        others = [plane for plane in self.planes if not plane.is_matlab]
        return [*tables(of_matlab, self.singles), *tables(others, self.singles, by_rows=True)]

    def _with_axes(self, variable: Variable, told: tuple[str, ...]) -> Variable:
        if len(told) == len(variable.shape):
            return dataclasses.replace(variable, axes=told)
        named = self.axes.get(self.addresses[variable.name], {})
        if variable.axes or variable.usual is not None:
            return variable
        return dataclasses.replace(variable, axes=tuple(named.get(axis, "") for axis in range(len(variable.shape))))

    def _add_facts(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Vectors among attributes: whole ones, and single numbers that have a number in their names."""
        numbered: dict[str, list[tuple[int, float]]] = {}
        for text in attributes.values():
            in_text = lists_in_json(text) if isinstance(text, str) else {}
            for key, listed in in_text.items():
                spectral.add(self.vectors, f"{name}/{key}", listed, in_text.get("wavelength_units", ""))
        for key, value in attributes.items():
            spectral.add(self.vectors, f"{name}/{key}", value, _unit(attributes, key))
            place, single = _NUMBER.search(key), numbers(value)
            if place and len(single) == 1 and role(stem := _NUMBER.sub("", key, count=1)):
                numbered.setdefault(stem, []).append((int(place[0]), single[0]))
        for stem, values in numbered.items():
            ordered = [value for _, value in sorted(values)]
            spectral.add(self.vectors, f"{name}/{stem}", ordered, _unit(attributes, stem))

    def _shown(self, name: str) -> str:
        """The name that the program which wrote the file shows: Octave's variables are groups, the array is inside."""
        name = name.strip("/")
        parts = name.split("/")
        kept = [
            part
            for place, part in enumerate(parts)
            if not (part == _VALUE and place and f"/{'/'.join(parts[:place])}" in self.octave)
        ]
        return "/".join(kept)

    def _is_of_octave(self, name: str) -> bool:
        return name.rpartition("/")[0] in self.octave


def rows_of(letters: Any) -> list[str]:
    """The texts of an array of single letters (bytes): of each row one, of a vector one."""
    table = np.ascontiguousarray(np.atleast_2d(letters))
    joined = table.view(f"S{table.shape[1]}")[:, 0]
    return [bytes(row).decode("utf-8", "replace").strip() for row in joined]


def _transposed(read: Callable[[], Any]) -> Any:
    return read().transpose()


def _octave_range(value: Any, attributes: Mapping[str, Any]) -> NDArray[np.float64]:
    """The numbers of a range that Octave keeps as base, limit and increment."""
    names = value.dtype.names
    if len(names) < 3 or any(value.dtype[name].kind not in "iuf" for name in names[:3]):
        return np.empty(0)
    base, limit, step = (float(value[name]) for name in names[:3])
    said = numbers(attributes.get("OCTAVE_RANGE_NELEM"))
    count = said[0] if said else (np.floor((limit - base) / step * (1 + 1e-10)) + 1 if step else 0)
    count = int(count) if np.isfinite(count) and 0 < count <= spectral.LONGEST else 0
    return np.asarray(base + step * np.arange(count), np.float64)


def _unit(attributes: Mapping[str, Any], key: str) -> Any:
    names = (f"{key}_units", f"{key}_unit", f"{key}Units", "wavelength_units", "wavelength_unit")
    return next((attributes[name] for name in names if name in attributes), "")


def _texts(facts: Mapping[str, Any]) -> dict[str, str]:
    return {key.lower(): text for key, value in facts.items() if (text := as_text(key.lower(), value)) is not None}
