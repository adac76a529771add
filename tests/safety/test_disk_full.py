"""A disk without room, or a limit on the size of files: an error with its cure, and everything as it was."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_decsc.cli import main
from napari_decsc.cli.outputs import write_text
from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi

#: Bytes of the small disk.
ROOM = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where the system lets us have one."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root only")
    words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "napari-decsc-test", str(place)]
    try:
        mounted = subprocess.run(words, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no program `mount` here")
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def short_files(tmp_path: Path) -> Iterator[Path]:
    """A folder in which, for this process, no file may be longer than one megabyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error instead of the end of the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield tmp_path
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture(params=["small_disk", "short_files"])
def place(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def cube(megabytes: float, value: float) -> Cube:
    return Cube(np.full((4, 64, int(megabytes * 1024)), value, np.float32), name="cube")


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_old_cube_stays(place: Path) -> None:
    write_envi(cube(0.25, 1), place / "x.hdr")
    before = listing(place)
    with pytest.raises(FileFormatError, match=r"x\.hdr: cannot be written \(.*\), nothing was changed; \w+") as refusal:
        write_envi(cube(2, 2), place / "x.hdr", overwrite=True)
    assert "disk" in str(refusal.value) or "place" in str(refusal.value)
    assert listing(place) == before
    assert read_envi(place / "x.hdr").data.max() == 1


def test_a_new_cube_leaves_nothing(place: Path) -> None:
    with pytest.raises(FileFormatError, match="cannot be written"):
        write_envi(cube(2, 2), place / "x.hdr")
    assert listing(place) == {}


def test_there_must_be_room_for_both(small_disk: Path) -> None:
    """The old cube is kept until the new one is whole: both are on the disk for a while."""
    write_envi(cube(0.6, 1), small_disk / "x.hdr")
    before = listing(small_disk)
    with pytest.raises(FileFormatError, match="free some space or choose another disk"):
        write_envi(cube(0.6, 2), small_disk / "x.hdr", overwrite=True)
    assert listing(small_disk) == before


def test_a_report_too(place: Path) -> None:
    write_text(place / "report.json", "old")
    with pytest.raises(FileFormatError, match=r"report\.json: cannot be written"):
        write_text(place / "report.json", "x" * 2 * ROOM)
    assert listing(place) == {"report.json": b"old"}


def test_the_command_line_says_so_in_one_sentence(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_envi(cube(0.6, 1), small_disk / "x.hdr")
    before = listing(small_disk)
    assert main(["add-noise", str(small_disk / "x.hdr"), str(small_disk / "noisy.hdr")]) == 1
    error = capsys.readouterr().err
    assert "noisy.hdr: cannot be written (No space left on device), nothing was changed; free some space" in error
    assert error.count("\n") == 1
    assert listing(small_disk) == before
