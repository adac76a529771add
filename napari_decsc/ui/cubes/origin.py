"""Where the values of a layer come from: what it remembers, as far as it still holds."""

from typing import Any

import numpy as np

from napari_decsc.errors import SettingsError
from napari_decsc.ui.cubes.layers import Record, record_of, shift_of
from napari_decsc.ui.cubes.lineage import CROP, Lineage, Step

SAVE_FIRST = "its values lie in no file; save the cube first"


def lineage_of(layer: Any) -> Lineage:
    """How a layer's values came about; rows and cols that were cut out by another plugin are a step.

    Raises
    ------
    SettingsError
        If nobody can say.
    """
    record = record_of(layer)
    if record is None or record.lineage is None:
        raise SettingsError(f"{layer.name}: {SAVE_FIRST}")
    if layer.data is record.shown:
        return record.lineage
    place = _place(layer, record)
    if place is None:
        raise SettingsError(f"{layer.name}: its values were changed elsewhere; save the cube first")
    rows, cols = place
    is_whole = tuple(layer.data.shape) == tuple(record.shown.shape)
    cut = {"rows": [rows.start, rows.stop], "cols": [cols.start, cols.stop]}
    return record.lineage if is_whole else record.lineage.then(Step(CROP, "crop", cut))


def known_lineage(layer: Any) -> Lineage | None:
    """As `lineage_of`; None where nobody can say."""
    try:
        return lineage_of(layer)
    except SettingsError:
        return None


def _place(layer: Any, record: Record) -> tuple[slice, slice] | None:
    """Rows and cols of the remembered array that a layer holds, as far as its place and one band tell."""
    whole, part, shift = record.shown, layer.data, shift_of(layer, record)
    if shift is None or part.shape[0] != whole.shape[0]:
        return None
    first = [round(value) for value in shift]
    if not np.allclose(first, shift, atol=1e-3):
        return None
    ends = [begin + size for begin, size in zip(first, part.shape[1:], strict=True)]
    if min(first) < 0 or ends[0] > whole.shape[1] or ends[1] > whole.shape[2]:
        return None
    rows, cols = (slice(begin, end) for begin, end in zip(first, ends, strict=True))
    band = part.shape[0] // 2
    one, other = np.asarray(part[band]), np.asarray(whole[band, rows, cols])
    return (rows, cols) if np.array_equal(one, other, equal_nan=True) else None
