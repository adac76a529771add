"""Arrays of four axes (several dates, frames, members) as one cube for each step of the axis that is no cube's."""

from collections.abc import Sequence, Set
from functools import partial
from typing import Any

from napari_decsc.hsi.io.formats.axes import counts_bands, counts_cols, counts_rows, counts_steps
from napari_decsc.hsi.io.formats.variables import Variable

#: Steps of one array that are offered.
_MOST = 10_000


def steps(variables: Sequence[Variable], likely_bands: Set[int]) -> list[Variable]:
    """A cube for each step of each array that has four axes longer than 1, by names such as `cube@time=1`."""
    return [step for one in variables for step in _steps(one, likely_bands)]


def array_of(step: Variable) -> tuple[str, str]:
    """The name of the array that a step is of, and that of the axis; two empty texts for what is no step."""
    name, mark, rest = step.name.rpartition("@")
    return (name, rest.partition("=")[0]) if mark and step.is_step else ("", "")


def _steps(one: Variable, likely_bands: Set[int]) -> list[Variable]:
    long = [axis for axis, size in enumerate(one.shape) if size > 1]
    if len(long) != 4 or one.dtype.kind not in "iuf" or one.is_logical or 0 in one.shape:
        return []
    axis = _step_axis(one, long, likely_bands)
    kept = [other for other in long if other != axis]
    name = one.axes[axis] if len(one.axes) == len(one.shape) and one.axes[axis] else f"axis{axis}"
    # arrays of MATLAB have rows and cols first, the bands behind them
    usual = 2 if one.is_matlab and axis != kept[-1] - 1 else None
    return [
        Variable(
            f"{one.name}@{name}={step + 1}",
            tuple(one.shape[other] for other in kept),
            one.dtype,
            partial(_read, one, axis, step, tuple(one.shape[other] for other in kept)),
            tuple(one.axes[other] for other in kept) if len(one.axes) == len(one.shape) else (),
            usual=usual,
            attributes=one.attributes,
            is_step=True,
        )
        for step in range(min(one.shape[axis], _MOST))
    ]


def _read(one: Variable, axis: int, step: int, shape: tuple[int, ...]) -> Any:
    return one.read()[(slice(None),) * axis + (step,)].reshape(shape)


def _step_axis(one: Variable, long: Sequence[int], likely_bands: Set[int]) -> int:
    """The axis that is none of a cube's: by its name, as the one beside those of a cube, or by the place of the bands.

    Bands are told by wavelengths, and stand before or behind both rows and cols.
    """
    names = {axis: one.axes[axis] for axis in long} if len(one.axes) == len(one.shape) else {}
    for tells in (counts_steps, _is_of_no_cube):
        told = [axis for axis, name in names.items() if tells(name)]
        if len(told) == 1:
            return told[0]
    bands = [place for place, axis in enumerate(long) if one.shape[axis] in likely_bands]
    place = bands[0] if len(bands) == 1 else (2 if one.is_matlab else 1)
    return long[{0: 1, 1: 0, 2: 3, 3: 0}[place]]


def _is_of_no_cube(name: str) -> bool:
    return not (counts_bands(name) or counts_rows(name) or counts_cols(name))
