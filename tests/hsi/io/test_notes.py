"""What other programs noted about a file goes with the file."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import atomic
from napari_decsc.hsi.io.files import notes_of, open_cube, save_cube

CUBE = Cube(np.arange(24, dtype=np.uint8).reshape(4, 2, 3))
ENVI = ["a.img.aux.xml", "a.img.ovr", "a.img.msk", "a.img.enp", "a.sta", "a.enp"]
TIFF = ["a.tif.aux.xml", "a.tif.ovr", "a.tif.msk", "a.tif.hdr", "a.tfw"]
OTHERS = ["b.img.aux.xml", "a.txt", "a.png.aux.xml"]


@pytest.mark.parametrize(("name", "notes"), [("a.hdr", ENVI), ("a.img", ENVI), ("a.tif", TIFF)])
def test_a_replaced_file_loses_the_notes_on_the_old_one(tmp_path: Path, name: str, notes: list[str]) -> None:
    written = save_cube(CUBE, tmp_path / name)
    for note in (*notes, *OTHERS):
        (tmp_path / note).write_text("old")
    assert sorted(note.name for note in notes_of(tmp_path / name)) == sorted(notes)
    save_cube(CUBE, tmp_path / name, overwrite=True)
    left = {path.name for path in tmp_path.iterdir()}
    assert not left & set(notes)
    assert left >= set(OTHERS)
    assert open_cube(written).shape == CUBE.shape


@pytest.mark.parametrize(("name", "note"), [("a.hdr", "a.img.aux.xml"), ("a.tif", "a.tif.aux.xml")])
def test_notes_on_a_file_that_is_gone_are_asked_about(tmp_path: Path, name: str, note: str) -> None:
    (tmp_path / note).write_text("old")
    with pytest.raises(FileFormatError, match=r"aux\.xml already exists and would be believed"):
        save_cube(CUBE, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [note]
    save_cube(CUBE, tmp_path / name, overwrite=True)
    assert not (tmp_path / note).exists()


def test_notes_stay_where_the_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = save_cube(CUBE, tmp_path / "a.hdr")
    before = header.read_text()
    (tmp_path / "a.img.aux.xml").write_text("old")
    replace, failed = atomic.os.replace, []

    def fails(source: Path, target: Path) -> None:
        if Path(target).suffix == ".img" and not failed:
            failed.append(target)
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(atomic.os, "replace", fails)
    with pytest.raises(FileFormatError, match="nothing was changed"):
        save_cube(CUBE.replace(data=CUBE.data + 1), header, overwrite=True)
    assert (tmp_path / "a.img.aux.xml").read_text() == "old"
    assert header.read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.hdr", "a.img", "a.img.aux.xml"]


def test_an_exchange_that_a_death_cut_short_takes_notes_away_and_nothing_else(tmp_path: Path) -> None:
    header = save_cube(CUBE, tmp_path / "a.hdr")
    for name in ("a.img.aux.xml", "precious.txt"):
        (tmp_path / name).write_text("old")
    journal = atomic._journal(header)
    journal.write_text(json.dumps([2**30, 0.0, [], ["a.img.aux.xml", "precious.txt", "../a.ovr", "a.img"]]))
    open_cube(header)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.hdr", "a.img", "precious.txt"]
