"""One input of the fuzzer: a few files and the name to open; what may happen when it is opened; how it is kept."""

import contextlib
import hashlib
import json
import logging
import re
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from napari_decsc.cli.info import describe
from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import can_open, open_cube

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Case:
    """Files by name, perhaps in folders (`x.zarr/zarr.json`), and the one, or the folder, that is opened.

    It may be missing.
    """

    files: Mapping[str, bytes]
    opened: str

    def write(self, folder: Path) -> Path:
        """Empty the folder, put the files there; returns the path to open."""
        _empty(folder)
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder / self.opened

    def keep(self, folder: Path) -> Path:
        """Save as a file that a person can read; the same case gets the same name."""
        text = json.dumps({"open": self.opened, "files": {k: v.decode("latin-1") for k, v in self.files.items()}})
        path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        path.write_text(text + "\n")
        return path

    @classmethod
    def kept(cls, path: Path) -> "Case":
        """What `keep` saved."""
        saved = json.loads(path.read_text())
        return cls({name: text.encode("latin-1") for name, text in saved["files"].items()}, saved["open"])

    @classmethod
    def of_folder(cls, folder: Path, opened: str) -> "Case":
        """The case whose files lie in the folder."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        return cls({path.relative_to(folder).as_posix(): path.read_bytes() for path in files}, opened)


def _empty(folder: Path) -> None:
    for old in folder.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()


class Fault(Exception):
    """What must not happen: anything but a cube or one of the package's own errors."""


class TooLong(BaseException):
    """No Exception: whoever catches everything must not catch this."""


#: Seconds of the processor that one input may take, and seconds that it may wait: a busy machine is not the input's.
SECONDS, WAITING = 10, 300


@contextlib.contextmanager
def time_limit() -> Iterator[None]:
    """Raise TooLong in this block after some seconds, where the system has timers for that."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    timers = ((signal.ITIMER_PROF, signal.SIGPROF, SECONDS), (signal.ITIMER_REAL, signal.SIGALRM, WAITING))
    before = [signal.signal(number, _too_long) for _, number, _ in timers]
    for timer, _, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (timer, number, _), old in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, old)


def _too_long(signum: int, frame: FrameType | None) -> NoReturn:
    raise TooLong(f"took more than {SECONDS} s, or waited for more than {WAITING} s")


class Talk(logging.Handler):
    """Notes what libraries log: it is no answer to a person."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        self.said.append(f"{record.name}: {record.getMessage()}")

    @contextlib.contextmanager
    def nothing(self) -> Iterator[None]:
        """Raise Fault at the end if something was logged."""
        self.said.clear()
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)
        if self.said:
            raise Fault(f"logged {self.said[0][:200]!r}")


class Watch:
    """Notes every file opened for reading outside a folder while it is on. One for a process: hooks cannot be undone.

    Modules may be imported meanwhile (pandas, which dask imports where it is there, looks up the time zone), and the
    system told how much memory is free.
    """

    _allowed = (
        sys.prefix,
        sys.base_prefix,
        str(Path(__file__).parents[2] / "napari_decsc"),
        "/proc/",
        "/sys/",
        "/usr/share/zoneinfo/",
    )

    def __init__(self) -> None:
        self.folder: str | None = None
        self.strangers: list[str] = []
        sys.addaudithook(self._hook)

    @contextlib.contextmanager
    def only(self, folder: Path) -> Iterator[None]:
        """Raise Fault at the end if another file was opened."""
        self.folder, self.strangers = str(folder), []
        try:
            yield
        finally:
            self.folder = None
        if self.strangers:
            raise Fault(f"opened {self.strangers} outside its folder")

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event != "open" or self.folder is None or isinstance(args[0], int):
            return
        name = str(args[0], "utf-8", "replace") if isinstance(args[0], bytes) else str(args[0])
        if ".." in name or not name.startswith((self.folder, *self._allowed)):
            self.strangers.append(name)


def outcome(path: Path, watch: Watch, scratch: Path | None = None, root: Path | None = None) -> str:
    """Open the file as people do; returns what came of it, with numbers and names left out. Raises Fault.

    ``root`` is the folder of the case, unless the file lies in it itself.
    A cube that opens is described, and, with a ``scratch`` folder, written and read again: it must be the same.
    """
    root = path.parent if root is None else root
    try:
        with warnings.catch_warnings(), watch.only(root), Talk().nothing():
            warnings.simplefilter("error")
            known = can_open(path)
            cube = open_cube(path)
            describe(cube)
    except DecscError as error:
        return f"{known}: {_template(path, root, str(error))}"
    except Fault:
        raise
    except Exception as error:
        raise Fault(f"{type(error).__name__}: {error}") from error
    if scratch is not None:
        _check_round_trip(cube, scratch)
    return f"cube {cube.data.dtype} {cube.wavelength_unit} {cube.no_data is None} {cube.scale == 1} {cube.fwhm is None}"


def _template(path: Path, root: Path, text: str) -> str:
    if len(text) > 2000 or "\n" in text:
        raise Fault(f"a message of {len(text)} characters, or of several lines: {text[:200]!r}")
    names = [path.name, *(entry.name for entry in root.iterdir())]
    if not any(name in text for name in names):
        raise Fault(f"a message that does not name the file: {text!r}")
    return re.sub(r"(?<=brace of ).*(?= is never)|'.*?'|\d+", "_", text.replace(str(root), ""))[:120]


def _check_round_trip(cube: Cube, scratch: Path) -> None:
    _empty(scratch)
    try:
        again = read_envi(write_envi(cube, scratch / "again.hdr"))
    except Exception as error:
        raise Fault(f"writing what was read: {type(error).__name__}: {error}") from error
    same = cube.data.dtype.name == again.data.dtype.name and np.array_equal(_bits(cube.data), _bits(again.data))
    # a unit that nobody knows may be guessed from the values when they are read again
    same &= cube.wavelength_unit in ("", again.wavelength_unit)
    if cube.no_data is not None and cube.data.dtype.kind == "f":
        # beyond the range of the type lies infinity
        cube = cube.replace(no_data=float(cube.no_data if np.isfinite(held := _held(cube)) else held))
    for name in ("wavelengths", "fwhm", "good_bands", "no_data", "scale"):
        same &= bool(np.array_equal(getattr(cube, name), getattr(again, name), equal_nan=_has_nan(cube, name)))
    if not same:
        raise Fault("what was written is not what was read")


def _held(cube: Cube) -> Any:
    with np.errstate(over="ignore"):
        return cube.data.dtype.type(cube.no_data)


def _has_nan(cube: Cube, name: str) -> bool:
    value = getattr(cube, name)
    return isinstance(value, float) or (value is not None and name in ("wavelengths", "fwhm"))


def _bits(data: Any) -> Any:
    return np.ascontiguousarray(data).astype(data.dtype.newbyteorder("=")).view(np.uint8)


@contextlib.contextmanager
def folders() -> Iterator[tuple[Path, Path]]:
    """Two empty folders, in memory where the system has such a place: for the case and for the round trip."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as root:
        parts = Path(root) / "case", Path(root) / "scratch"
        for part in parts:
            part.mkdir()
        yield parts
