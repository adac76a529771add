"""What texts in JSON, as Python programs write them into descriptions and attributes, say of the bands."""

import json
from collections.abc import Mapping
from typing import Any

from napari_decsc.hsi.io.roles import role

#: Bytes of the longest text that is looked at.
_LONGEST = 16 << 20
#: Dictionaries within each other.
_DEEPEST = 4


def lists_in_json(text: str) -> dict[str, str]:
    """Lists of one value for each band, and the unit of wavelengths, by their names.

    Parameters
    ----------
    text : str
        Any; what is no dictionary in JSON says nothing.

    Returns
    -------
    dict of str
        Lists as "1, 2, 3"; the unit as `wavelength_units`.
    """
    if not text.lstrip().startswith("{") or len(text) > _LONGEST:
        return {}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return _lists(said, 0) if isinstance(said, dict) else {}


def _lists(said: Mapping[str, Any], depth: int) -> dict[str, str]:
    told: dict[str, str] = {}
    for inner in said.values():
        told |= _lists(inner, depth + 1) if isinstance(inner, dict) and depth < _DEEPEST else {}
    told |= {
        key: ", ".join(map(str, value))
        for key, value in said.items()
        if role(key) and isinstance(value, list) and value
    }
    names = ("wavelength_units", "wavelength_unit", "wavelength units")
    unit = next((said[key] for key in names if isinstance(said.get(key), str)), "")
    return {**told, "wavelength_units": unit} if told and unit else told
