"""Fields of a header as attributes of NetCDF and Zarr, whose names have no blanks, and back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

#: The attribute that tells which field an attribute was, and the items of lists; its presence marks our own files.
FIELDS = "napari_decsc_fields"
#: What a file says of itself, and is no field.
_OF_FILES = (FIELDS, "conventions", "title")
#: Attributes are kept below what HDF5 keeps in an object's header.
LONGEST = 60_000


def attributes_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """Texts by names that every program takes, and `FIELDS`; what has no name or is too long is left out."""
    found: dict[str, str] = {}
    meant: dict[str, Any] = {}
    for key, value in fields.items():
        name, text = _name(key), _text(value)
        if name and name[0].isalpha() and 0 < len(text) <= LONGEST and name not in found:
            found[name] = text
            meant[name] = [key, list(map(str, value))] if isinstance(value, list | tuple) else key
    told = json.dumps(meant)
    return {**found, FIELDS: told} if len(told) <= LONGEST else found


def fields_of(texts: Mapping[str, str], told: Any) -> dict[str, Any]:
    """The fields that attributes were, as ``told`` by `FIELDS`; what another program has changed since is as it says.

    Parameters
    ----------
    texts : mapping
        Attributes by their names in lower case.
    told : object
        The value of `FIELDS`; anything else than what `attributes_of` makes says nothing.
    """
    try:
        meant = json.loads(told)
    except (TypeError, ValueError, RecursionError):
        return dict(texts)
    found: dict[str, Any] = {key: text for key, text in texts.items() if key not in _OF_FILES}
    for name, one in meant.items() if isinstance(meant, dict) else ():
        key, items = one if isinstance(one, list) and len(one) == 2 else (one, None)
        if not isinstance(key, str) or name.lower() not in found:
            continue
        text = found.pop(name.lower())
        is_list = isinstance(items, list) and text == _text(list(map(str, items)))
        found[key] = list(map(str, items)) if is_list and isinstance(items, list) else text
    return found


def _name(key: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in key).split())


def _text(value: str | Sequence[Any] | Any) -> str:
    return f"{{{', '.join(map(str, value))}}}" if isinstance(value, list | tuple) else str(value)
