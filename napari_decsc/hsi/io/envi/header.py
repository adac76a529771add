"""The text of an ENVI header: bytes -> fields and fields -> text.

SPy's own parser is not used here: it decodes with the machine's locale, warns of upper-case keys and reports every
fault as one and the same error.
"""

import codecs
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError

#: A field's value: text, or the items of a braced list. Free text, such as `description`, stays one text.
Value = str | list[str]

#: Under this name, which no field can have, are the lines that are no field: comments, and lines without "=".
LOOSE = ""

#: Real headers have kilobytes; a larger "header" is a data file with the wrong name, and is not read into memory.
LARGEST_HEADER = 16 << 20

_MAGIC = "ENVI"
#: Fields whose braces hold a text, not a list: commas in them separate nothing.
_FREE_TEXT = ("description", "coordinate system string")
_LINE_END = re.compile(r"\r\n|\r|\n")
#: How programs built with Microsoft's library spell what is no number, and IDL the exponent of a double.
_OF_WINDOWS = re.compile(r"([+-]?)1\.#(INF|IND|QNAN|SNAN)0*")
_DOUBLE = re.compile(r"^([+-]?[0-9.]+)[dD]([+-]?[0-9]+)$")
_WHOLE = re.compile(r"\+?([0-9]{1,18})(?:\.0*)?\s*(?:;.*)?")
#: What Python programs put around numbers when they write an array as text: np.float64(400.0), array([400., 410.]).
_OF_NUMPY = re.compile(r"\b(?:np|numpy)\.[a-z]+[0-9]*\(([^()]*)\)")
_AROUND_NUMBERS = re.compile(r"\barray\(|[\[\]()'\"]")
_IN_BRACKETS = re.compile(r"=[ \t]*(?:array\()?\[[^\[\]={}]*\]")
#: Words, in lower case, by which programs that fill in every field say that they know nothing.
UNSAID = frozenset({"", "none", "null", "unknown", "undefined", "n/a", "na", "-"})


class Items(list[str]):
    """The items of a braced list, and the text they were found in, which is written again to the letter."""

    def __init__(self, items: Iterable[str], text: str) -> None:
        super().__init__(items)
        self.verbatim = text


@dataclass(frozen=True)
class Header:
    """The fields of a header by their lower-case names, and the file they come from (for error messages)."""

    path: Path
    fields: Mapping[str, Value]

    def text(self, key: str, default: str = "") -> str:
        """The field as one line of text; a list's items joined by commas."""
        value = self.fields.get(key, default)
        return value.strip() if isinstance(value, str) else ", ".join(value)

    def whole(self, key: str, least: int, default: int | None = None) -> int:
        """The field as a whole number of at least ``least``; ``default`` where it is missing or empty."""
        text = self.text(key)
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
        items = set(self._items(key))
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
        # commas are the rule; blanks alone, and a comma behind the last value, are met in real files
        text = _AROUND_NUMBERS.sub(" ", _OF_NUMPY.sub(r" \1 ", self.text(key)))
        return re.findall(r"[^\s,;]+", text)


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
    return Header(path, parse(decode(raw), path.name))


def is_header(start: bytes) -> bool:
    """True if a file that begins with these bytes is an ENVI header."""
    return decode(start[:64]).lstrip().startswith(_MAGIC)


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


def parse(text: str, name: str) -> dict[str, Value]:
    """Fields of a header's text; ``name`` is its file's name, for errors.

    Keys in lower case with single blanks. A braced value goes on to the first line that ends with its closing brace.
    Lines that begin with ";" are comments. Of a field given twice the last counts. Comments outside braces and lines
    without "=" say nothing; they are kept under `LOOSE`.
    """
    fields: dict[str, Value] = {}
    loose: list[str] = []
    text = _IN_BRACKETS.sub(lambda match: _LINE_END.sub(" ", match[0]), text)
    stripped = (line.strip() for line in _LINE_END.split(text))
    lines = (line for line in stripped if not _is_comment(line, loose))
    for number, line in enumerate(lines):
        key, equals, value = line.partition("=")
        key, value = key_of(key), value.strip()
        if not equals or not key:
            loose += [line] if line and not (number == 0 and line.startswith(_MAGIC)) else []
            continue
        fields[key] = value
        if value.startswith("{"):
            inside: list[str] = []
            block = _block(value, (line for line in stripped if not _is_comment(line, inside)))
            if block is None:
                said = key if len(key) <= 40 and key.isprintable() else shortened(key)
                raise FileFormatError(f"{name}: the brace of {said} is never closed; add '}}' behind its last value")
            fields[key] = block.strip() if key in _FREE_TEXT else Items(_split(block), block)
    if "band names" in fields:
        fields["band names"] = _one_for_each_band(fields["band names"], fields.get("bands"))
    return fields | ({LOOSE: loose} if loose else {})


def _is_comment(line: str, comments: list[str]) -> bool:
    if line.startswith(";"):
        comments.append(line)
        return True
    return False


def _block(first: str, lines: Iterator[str]) -> str | None:
    """What stands in the braces that ``first`` opens, taking further lines as needed; None if they never close."""
    taken, depth = [first], first.count("{") - first.count("}")
    if depth > 0 and not first.endswith("}"):
        for line in lines:
            taken.append(line)
            depth += line.count("{") - line.count("}")
            if depth <= 0 or line.endswith("}"):
                break
        else:
            return None
    block = "\n".join(taken)
    return block[1 : block.rindex("}")]


def _split(block: str) -> list[str]:
    items = [" ".join(item.split()) for item in block.split(",")]
    return items if any(items) else []


def _one_for_each_band(value: Value, bands: Value | None) -> Value:
    """The items as one for each band, where lines divide them so and commas do not: names may hold commas."""
    if not value or not isinstance(value, Items) or not isinstance(bands, str) or str(len(value)) == bands.strip():
        return value
    *lines, last = value.verbatim.strip().split("\n")
    if str(len(lines) + 1) != bands.strip() or not all(line.endswith(",") for line in lines):
        return value
    names = [*(line[:-1] for line in lines), last.removesuffix(",")]
    return Items([_one_line(name) for name in names], value.verbatim)


def header_text(fields: Mapping[str, Any]) -> str:
    """The text of a header with these fields, in their order; None is left out. Lines that are no field come last."""
    named = {key: value for key, value in fields.items() if value is not None and key != LOOSE}
    entries = [f"{key} = {_text(key, value, named.get('bands'))}\n" for key, value in named.items()]
    return "".join([f"{_MAGIC}\n", *entries, *(f"{line}\n" for line in _loose_lines(fields.get(LOOSE)))])


def _loose_lines(value: Any) -> list[str]:
    """The lines that will be read as no field again; what another file keeps under their name may be anything."""
    lines = [_one_line(str(line)) for line in value] if isinstance(value, list | tuple) else []
    return [
        line for line in lines if line.startswith(";") or (line and not key_of(line.partition("=")[0]) * ("=" in line))
    ]


def key_of(key: str) -> str:
    """A field's name as headers spell it: lower case, single blanks, nothing that ends a name."""
    return re.sub(r"[=\s]+", " ", key).strip(" ;").lower()


def _text(key: str, value: Any, bands: Any) -> str:
    if isinstance(value, Items):
        return f"{{{value.verbatim}}}"
    if isinstance(value, list | tuple | np.ndarray):
        items = [_one_line(str(item)) for item in value]
        # a list on one line ends where the line ends, whatever its items hold; only commas and line ends can break it
        return _on_lines(items, bands) or "{" + ", ".join(item.replace(",", ";") for item in items) + "}"
    text = str(value).strip()
    if key in _FREE_TEXT:
        return "{" + (text if _closes_at_its_end(text) else text.translate({ord("{"): "(", ord("}"): ")"})) + "}"
    return _one_line(text)


def _on_lines(items: Sequence[str], bands: Any) -> str | None:
    """A list of one item for each band, some with commas, on lines as GDAL writes them; None if they cannot be."""
    text = "\n" + ",\n".join(items)
    if not any("," in item for item in items) or str(len(items)) != str(bands) or not all(items):
        return None
    is_read_again = _closes_at_its_end(text) and not any(item.startswith(";") for item in items)
    return f"{{{text}}}" if is_read_again else None


def _closes_at_its_end(text: str) -> bool:
    """Whether a text in braces is read to its end: in one of several lines a brace within may be taken for the last."""
    first, *lines = f"{{{text}}}".split("\n")
    rest = iter(lines)
    return _block(first, rest) is not None and next(rest, None) is None


def _one_line(text: str) -> str:
    return " ".join(text.split())


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
