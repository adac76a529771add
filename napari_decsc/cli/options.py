"""Command-line options made from described settings, and settings made from the options that were given."""

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from napari_decsc.errors import SettingsError
from napari_decsc.registry import METHODS
from napari_decsc.settings import Description, defaults, descriptions

#: Where an option of a setting lands in the namespace: apart from the command's own arguments.
_PREFIX = "setting:"
_KINDS = {int: ("N", "a whole number"), float: ("X", "a number"), str: ("TEXT", "a text")}


def add_method(parser: argparse.ArgumentParser) -> None:
    """Add ``--method``."""
    summaries = "; ".join(f"{name}: {method.summary}" for name, method in METHODS.items())
    parser.add_argument("--method", choices=METHODS, default="decsc", help=f"{summaries} [default: decsc]")


def add_settings(parser: argparse.ArgumentParser, classes: Mapping[str, type]) -> None:
    """Add ``--field-name`` for every described field of ``classes`` (name of a method or noise model -> class).

    Fields of the same name share one option; the help groups options by who has them. Nothing is converted here:
    the class that is chosen in the end decides what a value means, see `make_settings`.
    """
    for field, owners in _owners(classes).items():
        title = "settings" if len(classes) == 1 else f"settings of {', '.join(owners)}"
        _add(_group(parser, title), field, {owner: classes[owner] for owner in owners})


def make_settings(
    args: argparse.Namespace, classes: Mapping[str, type], chosen: str, *, others_allowed: bool = False
) -> Any:
    """The settings object of ``chosen`` with the options that were given.

    Raises SettingsError for a value that cannot be used, and for an option that belongs to another name (unless
    ``others_allowed``).
    """
    cls = classes[chosen]
    owners, standard, about, values = _owners(classes), defaults(cls), descriptions(cls), {}
    for field, raw in _given(args).items():
        if field in standard:
            value = _convert(field, raw, standard[field])
            values[field] = about[field].named_choices.get(value, value) if about[field].choices else value
        elif not others_allowed:
            raise SettingsError(f"{_flag(field)} does not belong to {chosen}, only to {', '.join(owners[field])}")
    return cls(**values)


def unused_settings(args: argparse.Namespace, classes: Iterable[type]) -> list[str]:
    """The options that were given and belong to none of ``classes``."""
    used = {field for cls in classes for field in descriptions(cls)}
    return [_flag(field) for field in _given(args) if field not in used]


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return {key.removeprefix(_PREFIX): raw for key, raw in vars(args).items() if key.startswith(_PREFIX)}


def _owners(classes: Mapping[str, type]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, cls in classes.items():
        for field in descriptions(cls):
            found.setdefault(field, []).append(name)
    return found


def _group(parser: argparse.ArgumentParser, title: str) -> Any:
    known = {group.title: group for group in parser._action_groups}
    return known.get(title) or parser.add_argument_group(title)


def _add(group: Any, field: str, classes: dict[str, type]) -> None:
    standard = [defaults(cls)[field] for cls in classes.values()]
    about = [descriptions(cls)[field] for cls in classes.values()]
    shared: dict[str, Any] = {
        "dest": _PREFIX + field,
        "default": argparse.SUPPRESS,
        "help": _help(dict(zip(classes, about, strict=True)), dict(zip(classes, standard, strict=True))),
    }
    if isinstance(standard[0], bool):
        group.add_argument(_flag(field), action=argparse.BooleanOptionalAction, **shared)
    elif isinstance(standard[0], tuple):
        group.add_argument(_flag(field), nargs="+", metavar=_metavar(about[0], standard[0][0]), **shared)
    else:
        group.add_argument(_flag(field), metavar=_metavar(about[0], standard[0]), **shared)


def _flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def _metavar(about: Description, default: Any) -> str:
    if about.choices:
        return "{" + ",".join(about.named_choices) + "}"
    return _KINDS.get(type(default), _KINDS[str])[0]


def _help(about: dict[str, Description], standard: dict[str, Any]) -> str:
    """One sentence if all owners agree, else one for all that do."""
    owners: dict[str, list[str]] = {}
    for name, item in about.items():
        usual = next((word for word, choice in item.named_choices.items() if choice == standard[name]), None)
        owners.setdefault(f"{item.sentence} [default: {usual or _shown(standard[name])}]", []).append(name)
    if len(owners) == 1:
        text = next(iter(owners))
    else:
        text = "; ".join(f"{', '.join(names)}: {words}" for words, names in owners.items())
    return text.replace("%", "%%")


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        return " ".join(map(_shown, default))
    if isinstance(default, float):
        return f"{default:.4g}"
    return str(default) if default not in ("", None) else "none"


def _convert(field: str, raw: Any, default: Any) -> Any:
    if isinstance(raw, bool):
        return raw
    if isinstance(default, tuple):
        return tuple(_number(field, item, default[0]) for item in raw)
    return _number(field, raw, default)


def _number(field: str, raw: str, default: Any) -> Any:
    kind = type(default) if type(default) in _KINDS else str
    try:
        return kind(raw)
    except ValueError:
        raise SettingsError(f"{_flag(field)} takes {_KINDS[kind][1]}, not {raw!r}") from None
