"""What texts in JSON, as Python programs write them into descriptions and attributes, say of the bands."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from napari_decsc.hsi.io.roles import role

#: Longest text that is looked at.
_LONGEST = 16 << 20
#: Dictionaries within each other.
_DEEPEST = 4


def lists_in_json(text: str) -> dict[str, str]:
    """Lists of one value for each band, and the unit of wavelengths, by their names.

    A list of dictionaries, one for each band, is such lists too: STAC's `eo:bands`.

    Parameters
    ----------
    text : str
        Any; what is no dictionary or list in JSON says nothing.

    Returns
    -------
    dict of str
        Lists as "1, 2, 3"; the unit as `wavelength_units`.
    """
    if not text.lstrip().startswith(("{", "[")) or len(text) > _LONGEST:
        return {}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return _lists(said if isinstance(said, dict) else {"bands": said}, 0)


def _lists(said: Mapping[str, Any], depth: int) -> dict[str, str]:
    told: dict[str, str] = {}
    for inner in said.values():
        told |= _lists(inner, depth + 1) if isinstance(inner, dict) and depth < _DEEPEST else {}
        told |= _of_bands(inner) if isinstance(inner, list) and inner and isinstance(inner[0], dict) else {}
    told |= {
        key: ", ".join(map(str, value))
        for key, value in said.items()
        if role(key) and isinstance(value, list) and value and not isinstance(value[0], dict)
    }
    names = ("wavelength_units", "wavelength_unit", "wavelength units")
    unit = next((said[key] for key in names if isinstance(said.get(key), str)), "")
    return {**told, "wavelength_units": unit} if told and unit else told


def _of_bands(bands: Sequence[Any]) -> dict[str, str]:
    """The numbers that the dictionaries of all bands have under one name, without its domain (before a ":")."""
    found = {}
    for key in bands[0]:
        values = [one.get(key) if isinstance(one, dict) else None for one in bands]
        name = key.rpartition(":")[2]
        if len(bands) > 1 and role(name) and all(type(value) in (int, float) for value in values):
            found[name] = ", ".join(map(str, values))
    return found
