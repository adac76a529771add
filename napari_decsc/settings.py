"""Described settings: one description per field feeds the form, the command line's help, the docs and saved metadata.

A settings class is a frozen dataclass whose fields are made by :func:`described`::

    @dataclass(frozen=True)
    class Gaussian:
        sigma: float = described(50.0, "Noise level of every band", unit="of 255", minimum=0, maximum=255)
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from napari_decsc.errors import SettingsError

_KEY = "napari_decsc"


@dataclass(frozen=True)
class Description:
    """What a person must know of one setting.

    Parameters
    ----------
    help : str
        What it does, in a few words.
    unit : str
        Unit of the value, empty where there is none.
    minimum, maximum : float, optional
        Both are allowed values.
    choices : tuple
        What the value may be, if not any.
    label : str
        What a form calls it; made of the field's name if empty.
    empty : str
        How a choice that is an empty text is called.
    """

    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()
    label: str = ""
    empty: str = "everything"

    @property
    def named_choices(self) -> dict[str, Any]:
        """What may be chosen, each under the name that people see.

        Returns
        -------
        dict of str to object
            Name to value.
        """
        return {self.empty if choice == "" else str(choice): choice for choice in self.choices}

    @property
    def sentence(self) -> str:
        """Help with its unit and range, for tooltips and ``--help``."""
        parts = [self.unit] if self.unit else []
        if self.minimum is not None or self.maximum is not None:
            low = "" if self.minimum is None else f"{self.minimum:g}"
            high = "" if self.maximum is None else f"{self.maximum:g}"
            parts.append(f"{low} to {high}" if low and high else (f"at least {low}" if low else f"at most {high}"))
        return f"{self.help} ({', '.join(parts)})" if parts else self.help


def described(
    default: Any,
    help: str,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[Any, ...] = (),
    label: str = "",
    empty: str = "everything",
) -> Any:
    """A dataclass field with a default and a :class:`Description`.

    Parameters
    ----------
    default : object
        The value unless another is given.
    help : str
        What it does, in a few words.
    unit : str
        Unit of the value.
    minimum, maximum : float, optional
        Both are allowed values.
    choices : tuple
        What the value may be, if not any.
    label : str
        What a form calls it.
    empty : str
        How a choice that is an empty text is called.

    Returns
    -------
    dataclasses.Field
        To be assigned in the class body of a dataclass.
    """
    text = Description(help, unit, minimum, maximum, choices, label, empty)
    return dataclasses.field(default=default, metadata={_KEY: text})


def descriptions(settings: Any) -> dict[str, Description]:
    """Field name -> description, of a settings class or object, in the order of its fields.

    Parameters
    ----------
    settings : type or object
        A settings class, or one of its objects.

    Returns
    -------
    dict of str to Description
        In the order of the fields.
    """
    return {f.name: f.metadata[_KEY] for f in dataclasses.fields(settings) if _KEY in f.metadata}


def defaults(settings: Any) -> dict[str, Any]:
    """Field name -> default value.

    Parameters
    ----------
    settings : type or object
        A settings class, or one of its objects.

    Returns
    -------
    dict of str to object
        In the order of the fields.
    """
    return {f.name: f.default for f in dataclasses.fields(settings) if _KEY in f.metadata}


def check(settings: Any) -> None:
    """Refuse values outside their descriptions. Call it from ``__post_init__``.

    Numbers of NumPy become Python's own, paths become texts, so that a record of them can be written as JSON; a choice
    by the name that people see becomes the choice.

    Parameters
    ----------
    settings : object
        Of a settings class.

    Raises
    ------
    SettingsError
        For the first field whose value is none of the choices, beyond a limit, or of another kind than its default.
    """
    standard = defaults(settings)
    for name, about in descriptions(settings).items():
        value = getattr(settings, name)
        if about.choices and isinstance(value, str):
            value = about.named_choices.get(value, value)
        if about.choices and value not in about.choices:
            raise SettingsError(f"{name} is {value!r}; choose one of {', '.join(about.named_choices)}")
        if type(standard[name]) not in _KINDS:
            continue
        taken, word = _KINDS[type(standard[name])]
        plain = taken(value)
        if plain is None:
            raise SettingsError(f"{name} is {value!r}, which is no {word}; {about.sentence}")
        # written so that NaN is outside every range
        below = about.minimum is not None and not plain >= about.minimum
        above = about.maximum is not None and not plain <= about.maximum
        if below or above:
            raise SettingsError(f"{name} is {value}; {about.sentence}")
        object.__setattr__(settings, name, plain)


def _truth(value: Any) -> bool | None:
    return bool(value) if isinstance(value, bool | np.bool_) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, Integral):
        return int(value)
    return int(float(value)) if isinstance(value, Real) and float(value).is_integer() else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, Real) else None


def _text(value: Any) -> str | None:
    return os.fsdecode(value) if isinstance(value, str | os.PathLike) else None


#: Kind of a default -> what takes a value to this kind (None where it cannot), and what a person calls the kind.
_KINDS: dict[type, tuple[Callable[[Any], Any], str]] = {
    bool: (_truth, "yes or no"),
    int: (_whole, "whole number"),
    float: (_number, "number"),
    str: (_text, "text"),
}


def as_dict(settings: Any) -> dict[str, Any]:
    """The described fields and their values, ready for JSON.

    Parameters
    ----------
    settings : object
        Of a settings class.

    Returns
    -------
    dict of str to object
        Field to value; tuples are lists.
    """
    return {name: _plain(getattr(settings, name)) for name in descriptions(settings)}


def from_dict(cls: type, values: Mapping[str, Any]) -> Any:
    """A ``cls`` from a mapping.

    Parameters
    ----------
    cls : type
        A settings class.
    values : mapping
        Field to value; fields that are missing keep their defaults.

    Returns
    -------
    object
        Of the class.

    Raises
    ------
    SettingsError
        For a name that is no field, or a value outside its description.
    """
    known = descriptions(cls)
    for name in values:
        if name not in known:
            raise SettingsError(f"{cls.__name__} has no setting {name!r}; it has {', '.join(known) or 'none'}")
    return cls(**values)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
