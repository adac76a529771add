"""An ENVI header: its file, the encoding of its text, and its fields as numbers; the text itself is in `text`.

SPy's own parser is not used here: it decodes with the machine's locale, warns of upper-case keys and reports every
fault as one and the same error.
"""

import codecs
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi.text import MAGIC, Value, parse

#: Real headers have kilobytes; a larger "header" is a data file with the wrong name, and is not read into memory.
LARGEST_HEADER = 16 << 20

#: How programs built with Microsoft's library spell what is no number, and IDL the exponent of a double.
_OF_WINDOWS = re.compile(r"([+-]?)1\.#(INF|IND|QNAN|SNAN)0*")
_DOUBLE = re.compile(r"^([+-]?[0-9.]+)[dD]([+-]?[0-9]+)$")
_WHOLE = re.compile(r"\+?([0-9]{1,18})(?:\.0*)?\s*(?:[;(].*)?")
#: What Python programs put around numbers when they write an array as text: np.float64(400.0), array([400., 410.]).
_OF_NUMPY = re.compile(r"\b(?:np|numpy)\.[a-z]+[0-9]*\(([^()]*)\)")
_AROUND_NUMBERS = re.compile(r"\barray\(|[\[\]()'\"]")
#: A comment behind a number.
_COMMENT = re.compile(r";\s*[a-zA-Z(].*")
#: Notes that are made of one header, at most.
_MOST_NOTES = 20
#: Words, in lower case, by which programs that fill in every field say that they know nothing.
UNSAID = frozenset({"", "none", "null", "unknown", "undefined", "n/a", "na", "-"})


@dataclass(frozen=True)
class Header:
    """The fields of a header by their lower-case names, and the file they come from (for error messages).

    ``notes`` says what in its text was not as it should be.
    """

    path: Path
    fields: Mapping[str, Value]
    notes: tuple[str, ...] = ()

    def text(self, key: str, default: str = "") -> str:
        """The field as one line of text; a list's items joined by commas."""
        value = self.fields.get(key, default)
        return value.strip() if isinstance(value, str) else ", ".join(value)

    def whole(self, key: str, least: int, default: int | None = None) -> int:
        """The field as a whole number of at least ``least``; ``default`` where it is missing or empty."""
        text = self.text(key).strip("\"'")
        if default is not None and text.lower() in UNSAID:
            return default
        if not text:
            raise FileFormatError(f"{self.path.name}: {key} is missing; add a line '{key} = ' with its number")
        match = _WHOLE.fullmatch(text)
        if match is None or int(match[1]) < least:
            raise self.error(key, f"a whole number {'above 0' if least == 1 else f'of {least} or more'}")
        return int(match[1])

    def number(self, key: str) -> float | None:
        """The field as a number (may be NaN), or None where it is missing or empty."""
        items = set(_split(_COMMENT.sub("", self.text(key))))
        if not items:
            return None
        try:
            (value,) = {_number(item) for item in items}
        except ValueError:
            raise self.error(key, "one number, or the field may be left out") from None
        return value

    def numbers(self, key: str, count: int, *, gaps: bool = False) -> NDArray[np.float64] | None:
        """The field as ``count`` finite numbers, or None where it is missing or empty; with ``gaps``, NaN for some."""
        items = self._items(key)
        if not items:
            return None
        if len(items) == 2 * count:
            items = _with_points(getattr(self.fields[key], "verbatim", self.text(key)), count) or items
        if len(items) != count:
            raise FileFormatError(
                f"{self.path.name}: {key} has {len(items)} values for {count} bands; "
                f"give one for every band, or leave {key} out"
            )
        for number, item in enumerate(items, start=1):
            if not _is_usable(item, gaps):
                raise FileFormatError(
                    f"{self.path.name}: value {number} of {key} is {shortened(item)}; "
                    f"it must be a number, or {key} may be left out"
                )
        values = np.array([_number(item) for item in items])
        return values if np.isfinite(values).any() else None

    def count(self, key: str) -> int:
        """How many values a field that holds numbers has."""
        return len(self._items(key))

    def error(self, key: str, must: str) -> FileFormatError:
        """What to raise when a field cannot be used: names file, field, value and cure."""
        return FileFormatError(f"{self.path.name}: {key} is {shortened(self.text(key))}; it must be {must}")

    def _items(self, key: str) -> list[str]:
        return _split(self.text(key))


def _split(text: str) -> list[str]:
    # commas are the rule; blanks alone, and a comma behind the last value, are met in real files
    return re.findall(r"[^\s,;]+", _AROUND_NUMBERS.sub(" ", _OF_NUMPY.sub(r" \1 ", text)))


def _with_points(text: str, count: int) -> list[str]:
    """The numbers of a list that has decimal commas, as some languages do, and other marks between them; or none."""
    items = re.findall(r"(?<![\d.,])[+-]?\d+,\d+(?![\d.])", text)
    rest = re.sub(r"[+-]?\d+,\d+", "", text)
    return [item.replace(",", ".") for item in items] if len(items) == count and not re.search(r"\d", rest) else []


def read_header(path: Path) -> Header:
    """Read a header file. Raises FileFormatError if it cannot be read or is no ENVI header."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_HEADER + 1)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror}); check its name and permissions") from None
    if not is_header(raw):
        raise FileFormatError(f'{path.name}: is no ENVI header, whose first line is "ENVI"; choose the right .hdr file')
    if len(raw) > LARGEST_HEADER:
        raise FileFormatError(
            f"{path.name}: is larger than {LARGEST_HEADER >> 20} MB, too large for a header; choose the right .hdr file"
        )
    fields, unclosed = parse(decode(raw))
    return Header(path, fields, tuple(f"{path.name}: {_never_closed(key)}" for key in unclosed[:_MOST_NOTES]))


def _never_closed(key: str) -> str:
    said = key if len(key) <= 40 and key.isprintable() else shortened(key)
    return f"the brace of {said} is never closed; it is taken to end before the next field"


def is_header(start: bytes) -> bool:
    """True if a file that begins with these bytes is an ENVI header."""
    return decode(start[:64]).lstrip().startswith(MAGIC)


def decode(raw: bytes) -> str:
    """Text of a header in any usual encoding: UTF-8, UTF-16, else Windows-1252, which also covers Latin-1's letters."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace").replace("\0", "")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            # without a mark, UTF-16 of plain letters shows as NUL behind or before every letter
            return raw.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").replace("\0", "")


def _is_usable(item: str, gaps: bool) -> bool:
    try:
        value = _number(item)
    except ValueError:
        return False
    return math.isfinite(value) or (gaps and math.isnan(value))


def _number(text: str) -> float:
    if "_" in text:
        raise ValueError(text)  # Python would read 1_0 as 10
    if match := _OF_WINDOWS.fullmatch(text):
        return math.copysign(math.inf if match[2] == "INF" else math.nan, -1 if match[1] == "-" else 1)
    return float(_DOUBLE.sub(r"\1e\2", text))


def shortened(text: str) -> str:
    """A field's text in quotes, as messages show it: however long it is, the message stays one line."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
