"""The text of an ENVI header: text -> fields by their names, and fields -> text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: A field's value: text, or the items of a braced list. Free text, such as `description`, stays one text.
Value = str | list[str]

#: Under this name, which no field can have, are the lines that are no field: comments, and lines without "=".
LOOSE = ""
MAGIC = "ENVI"
#: Fields whose braces hold a text, not a list: commas in them separate nothing.
_FREE_TEXT = ("description", "coordinate system string")
#: ENVI's own fields. Where one begins, a list before it has ended, closed or not.
_KNOWN = {
    *("samples", "lines", "bands", "header offset", "file type", "data type", "interleave", "byte order", "fwhm"),
    *("wavelength", "wavelength units", "bbl", "band names", "spectra names", "data ignore value", "default bands"),
    *("reflectance scale factor", "data gain values", "data offset values", "map info", "projection info"),
    *("coordinate system string", "sensor type", "description", "acquisition time", "default stretch", "x start"),
    *("y start", "z plot range", "z plot titles", "class lookup", "class names", "classes", "file compression"),
}
_LINE_END = re.compile(r"\r\n|\r|\n")
_IN_BRACKETS = re.compile(r"=[ \t]*(?:array\()?\[[^\[\]={}]*\]")


class Items(list[str]):
    """The items of a braced list, and the text they were found in, which is written again to the letter."""

    def __init__(self, items: Iterable[str], text: str) -> None:
        super().__init__(items)
        self.verbatim = text


@dataclass
class _Lines:
    """The lines of a header without blanks at their ends, gone through from front to back.

    ``is_hopeless`` is set once a brace is found that nothing closes to the end of the file; those behind it are then
    taken to end at the next field at once, so that many of them take no long time.
    """

    lines: Sequence[str]
    place: int = 0
    is_hopeless: bool = False

    def next(self) -> str:
        """The next line."""
        self.place += 1
        return self.lines[self.place - 1]

    def braced_next(self) -> str:
        """The next line if it opens the braces of a field whose name stands alone on its line, else ""."""
        begun = self.place
        while self.place < len(self.lines):
            line = self.next()
            if line.startswith("{"):
                return line
            if line:
                break
        self.place = begun
        return ""

    def block(self, first: str, is_list: bool) -> tuple[str, bool]:
        """What stands in the braces that ``first`` opens, taking further lines as needed, and whether they close.

        They close on the first line that ends with a closing brace. A list that does not ends where a field begins.
        """
        taken, depth, begun = [first], _depth(first), self.place
        is_closed = depth <= 0 or first.endswith("}")
        while not is_closed and self.place < len(self.lines):
            line = self.next()
            if line.startswith(";"):
                continue
            if "=" in line and (self.is_hopeless or (is_list and _key(line) in _KNOWN)):
                self.place -= 1
                return "\n".join(taken)[1:], False
            taken.append(line)
            depth += _depth(line)
            is_closed = depth <= 0 or line.endswith("}")
        block = "\n".join(taken)
        if is_closed:
            return block[1 : block.rindex("}")], True
        if self.is_hopeless:
            return block[1:], False
        self.place, self.is_hopeless = begun, True
        return self.block(first, is_list)


def parse(text: str) -> tuple[dict[str, Value], list[str]]:
    """Fields of a header's text, and the names of those whose brace is never closed.

    Keys in lower case with single blanks; `data_type` and the like, as some programs spell ENVI's names, have blanks
    too. A braced value may begin on the line behind its name, and goes on to the first line that ends with its closing
    brace. Lines that begin with ";" are comments. Of a field given twice the last counts. Comments outside braces and
    lines without "=" say nothing; they are kept under `LOOSE`.
    """
    fields: dict[str, Value] = {}
    loose: list[str] = []
    unclosed: list[str] = []
    text = _IN_BRACKETS.sub(lambda match: _LINE_END.sub(" ", match[0]), text)
    lines = _Lines([line.strip() for line in _LINE_END.split(text)])
    while lines.place < len(lines.lines):
        line = lines.next()
        key, value = _key(line), line.partition("=")[2].strip()
        if line.startswith(";") or "=" not in line or not key:
            is_magic = lines.place == 1 and line.startswith(MAGIC)
            loose += [line] if line and not is_magic else []
            continue
        value = value or lines.braced_next()
        fields[key] = value
        if value.startswith("{"):
            block, is_closed = lines.block(value, key not in _FREE_TEXT)
            unclosed += [] if is_closed else [key]
            fields[key] = block.strip() if key in _FREE_TEXT else Items(_split(block), block)
    if "band names" in fields:
        fields["band names"] = _one_for_each_band(fields["band names"], fields.get("bands"))
    return fields | ({LOOSE: loose} if loose else {}), unclosed


def _depth(line: str) -> int:
    return line.count("{") - line.count("}")


def _key(line: str) -> str:
    key = key_of(line.partition("=")[0])
    spelled = key.replace("_", " ")
    return spelled if spelled in _KNOWN else key


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
    return "".join([f"{MAGIC}\n", *entries, *(f"{line}\n" for line in _loose_lines(fields.get(LOOSE)))])


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
    is_read_again = _closes_at_its_end(text, is_list=True) and not any(item.startswith(";") for item in items)
    return f"{{{text}}}" if is_read_again else None


def _closes_at_its_end(text: str, is_list: bool = False) -> bool:
    """Whether a text in braces is read to its end: in one of several lines a brace within may be taken for the last."""
    first, *rest = f"{{{text}}}".split("\n")
    lines = _Lines(rest)
    return lines.block(first, is_list)[1] and lines.place == len(rest)


def _one_line(text: str) -> str:
    return " ".join(text.split())
