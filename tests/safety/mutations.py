"""Makes inputs for the fuzzer: valid files, files with odd fields, and both with a few bytes or lines changed."""

import random
import struct
from collections.abc import Callable

from cases import Case

SHAPES = [(1, 1, 1), (2, 3, 4), (3, 1, 5), (1, 4, 1), (5, 2, 2)]
SIZES = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 9: 16, 12: 2, 13: 4, 14: 8, 15: 8}
DATA_NAMES = ["x.img", "x.dat", "x", "x.bsq", "x.raw", "X.IMG", "x.img.bak", "x.png"]
HEADER_NAMES = ["x.hdr"] * 6 + ["x.img.hdr", "x.HDR", "x.dat.hdr"]

NUMBERS = [
    "0", "1", "-1", "2", "3", "4", "5", "00001", "+2", "1.0", "1e0", "1e3", "0x10", "1_000", "2147483647", "2147483648",
    "4294967296", "9223372036854775807", "99999999999999999999", "1e400", "-1e400", "nan", "NaN", "inf", "-Infinity",
    "-0", "-9999", "1e-320", "3.4028236e38", "-3.4e38", "", " ", "٣", "²", "½", "0.1", ".5", "5.", "true", "None",
]  # fmt: skip
TEXTS = [
    "{", "}", "{}", "{{", "}}", "{1, 2", "{1, 2, 3}", "{1 2 3}", "{1,,3}", "{a, b}", "= = =", ";", "\0", "ENVI", "bsq",
    "BIL", "bip", "BSQ ", "tiff", "ENVI Spectral Library", "ENVI Standard", "../../etc/passwd", "/etc/passwd", "µm",
    "μm", "Micrometers", "Nanometers", "Angstroms", "Wavenumber", "cm", "Unknown", "Index", "GHz", "\\", "%s%n", "🌈",
    "<b>x</b>", "$(id)", "{description = {nested}}", "Band 1 (400.5 nm)", "{400.5, 500.5, 600.5}", "\x1b[31m", "\ufeff",
]  # fmt: skip
KEYS = [
    "samples", "lines", "bands", "header offset", "data type", "interleave", "byte order", "file type", "wavelength",
    "wavelength units", "fwhm", "bbl", "data ignore value", "reflectance scale factor", "band names", "description",
    "default bands", "data gain values", "file compression", "major frame offsets", "map info", "data offset values",
    "wavelengths", "band_centers", "data_type",
]  # fmt: skip
ENCODINGS = ["utf-8"] * 6 + ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"]


def valid(rng: random.Random) -> tuple[list[tuple[str, str]], int]:
    """Fields of a valid header and the bytes of data that they describe."""
    bands, rows, cols = rng.choice(SHAPES)
    code, offset = rng.choice(list(SIZES)), rng.choice([0, 0, 0, 7])
    fields = [
        ("samples", str(cols)),
        ("lines", str(rows)),
        ("bands", str(bands)),
        ("header offset", str(offset)),
        ("file type", "ENVI Standard"),
        ("data type", str(code)),
        ("interleave", rng.choice(["bsq", "bil", "bip"])),
        ("byte order", rng.choice("01")),
    ]
    centres = [rng.uniform(0.3, 3) * rng.choice([1, 1000]) for _ in range(bands)]
    extra = [
        ("wavelength", _braced(centres)),
        ("wavelength units", rng.choice(TEXTS)),
        ("fwhm", _braced([10] * bands)),
        ("bbl", _braced([rng.randrange(2) for _ in range(bands)])),
        ("data ignore value", rng.choice(["0", "-9999", "nan", "65535", "-3.4028234663852886e+38", "1e300", "-inf"])),
        ("reflectance scale factor", rng.choice(["1", "10000", "1e6", "1e-6", "0.5"])),
        ("band names", _braced([f"Band {i} ({centre:.2f} nm)" for i, centre in enumerate(centres)])),
        ("data gain values", rng.choice([_braced([rng.uniform(-2, 2) for _ in range(bands)]), "0.0001", "{1e-300}"])),
        ("data offset values", rng.choice([_braced([rng.uniform(-9, 9)] * bands), "0", "{-1e300}"])),
        ("description", rng.choice(["{some text}", "{\nseveral, lines\n = of text}"])),
    ]
    rng.shuffle(extra)
    return fields + extra[: rng.randrange(len(extra) + 1)], offset + bands * rows * cols * SIZES[code]


def _braced(values: list[float] | list[int] | list[str]) -> str:
    return "{" + ", ".join(map(str, values)) + "}"


def fresh(rng: random.Random) -> Case:
    """A pair of files; half of them have odd fields."""
    fields, size = valid(rng)
    if rng.random() < 0.7:
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            rng.choice(FIELD_CHANGES)(fields, rng)
    if rng.random() < 0.2:
        rng.shuffle(fields)
    size = max(0, size + rng.choice([0] * 12 + [-1, 1, 100, -size]))
    end = rng.choice(["\n", "\n", "\r\n", "\r"])
    text = end.join([rng.choice(["ENVI"] * 20 + ["envi", "", " ENVI", "ENVI2"]), *(f"{k} = {v}" for k, v in fields)])
    header, data = rng.choice(HEADER_NAMES), rng.choice(DATA_NAMES[:1] * 8 + DATA_NAMES)
    files = {header: text.encode(rng.choice(ENCODINGS), "replace"), data: _values(rng, size)}
    if rng.random() < 0.05:
        del files[data]
    return Case(files, rng.choice([header, header, header, data]))


def _values(rng: random.Random, size: int) -> bytes:
    """Bytes; often the patterns of odd floating-point numbers."""
    if rng.random() < 0.5:
        return rng.randbytes(size)
    odd = [0.0, 1.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e300, 3.4e38, 1e-310, -9999.0]
    kind = rng.choice(["<d", "<f", ">d", ">f"])
    safe = [value for value in odd if kind[1] == "d" or abs(value) < 3.41e38 or value != value or abs(value) > 1e301]
    return b"".join(struct.pack(kind, rng.choice(safe)) for _ in range(size // 4 + 1))[:size]


Fields = list[tuple[str, str]]


def _odd_number(fields: Fields, rng: random.Random) -> None:
    place = rng.randrange(len(fields))
    fields[place] = (fields[place][0], rng.choice(NUMBERS))


def _odd_text(fields: Fields, rng: random.Random) -> None:
    place = rng.randrange(len(fields))
    fields[place] = (fields[place][0], rng.choice(TEXTS))


def _odd_list(fields: Fields, rng: random.Random) -> None:
    place = rng.randrange(len(fields))
    fields[place] = (fields[place][0], _braced([rng.choice(NUMBERS + TEXTS) for _ in range(rng.randrange(5))]))


def _drop(fields: Fields, rng: random.Random) -> None:
    if len(fields) > 1:
        del fields[rng.randrange(len(fields))]


def _add(fields: Fields, rng: random.Random) -> None:
    key = rng.choice([*KEYS, *TEXTS])
    fields.insert(rng.randrange(len(fields) + 1), (key, rng.choice(NUMBERS + TEXTS)))


def _spell(fields: Fields, rng: random.Random) -> None:
    place = rng.randrange(len(fields))
    key, value = fields[place]
    fields[place] = (rng.choice([key.upper(), key.title(), f" {key}\t", key.replace(" ", "  "), key + "="]), value)


FIELD_CHANGES: list[Callable[[Fields, random.Random], None]] = [_odd_number, _odd_text, _odd_list, _drop, _add, _spell]


def changed(case: Case, other: Case, rng: random.Random) -> Case:
    """The case with some bytes or lines of one of its files changed, perhaps taken from another case."""
    if not case.files:
        return other
    files = dict(case.files)
    name = rng.choice(list(files))
    content = bytearray(files[name])
    for _ in range(rng.choice([1, 1, 2, 4])):
        rng.choice(BYTE_CHANGES)(content, rng)
    if rng.random() < 0.2 and other.files:
        content = _spliced(bytes(content), rng.choice(list(other.files.values())), rng)
    files[name] = bytes(content[: 1 << 15])
    return Case(files, case.opened if rng.random() < 0.95 else rng.choice(list(files)))


def _spliced(one: bytes, two: bytes, rng: random.Random) -> bytearray:
    lines, others = one.split(b"\n"), two.split(b"\n")
    return bytearray(b"\n".join([*lines[: rng.randrange(len(lines) + 1)], *others[rng.randrange(len(others)) :]]))


def _flip(content: bytearray, rng: random.Random) -> None:
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _set(content: bytearray, rng: random.Random) -> None:
    if content:
        content[rng.randrange(len(content))] = rng.choice(b"\0\xff\x7f\x80{}=,;\n\r 09-")


def _cut(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(len(content) + 1) :]


def _remove(content: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(content) + 1)
    del content[start : start + rng.choice([1, 2, 8, 64])]


def _repeat(content: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(content) + 1)
    content[start:start] = content[start : start + rng.choice([1, 8, 64])] * rng.choice([1, 2, 50])


def _insert(content: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(content) + 1)
    content[start:start] = rng.choice([*NUMBERS, *TEXTS]).encode("utf-8", "replace")


def _word(content: bytearray, rng: random.Random) -> None:
    """A length or a count of a binary format."""
    if len(content) >= 8:
        start = rng.randrange(len(content) - 7)
        value = rng.choice([0, 1, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1])
        width = rng.choice([2, 4, 8])
        content[start : start + width] = (value % (1 << 8 * width)).to_bytes(width, rng.choice(["little", "big"]))


BYTE_CHANGES: list[Callable[[bytearray, random.Random], None]] = [
    _flip, _set, _cut, _remove, _repeat, _insert, _word,
]  # fmt: skip
