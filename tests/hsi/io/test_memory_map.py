"""Memory maps are read in pieces, their pages are given back, and other processes find them again."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io import memory_map as mapped
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.sample import sample_cube


@pytest.fixture(params=["bsq", "bil", "bip"])
def stored(request, tmp_path):
    """A cube in memory, and its file's map."""
    cube = sample_cube(20, 33, 7)
    return cube.data, read_envi(write_envi(cube, tmp_path / "cube.hdr", interleave=request.param)).data


@pytest.mark.parametrize("piece", [1, 200, 3000, 1 << 20])
@pytest.mark.parametrize("window", [np.s_[:, 2:9, 5:6], np.s_[::2, ::3, ::-1], np.s_[1:2], np.s_[:, :, 4:4]])
def test_a_window_is_read_as_it_is_whatever_the_order_of_the_file(stored, window, piece, monkeypatch):
    monkeypatch.setattr(mapped, "PIECE_BYTES", piece)
    data, view = stored
    assert np.array_equal(mapped.read(view[window]), data[window])


@pytest.mark.parametrize("most", [1, 7, 40, 10_000])
def test_pieces_cover_a_view_once_and_are_small(stored, most):
    _, view = stored
    seen = np.zeros(view.shape, int)
    for part in mapped.pieces(view, most):
        assert view[part].size <= most
        seen[part] += 1
    assert (seen == 1).all()


def test_a_copy_does_not_depend_on_the_map(stored):
    _, view = stored
    copy = mapped.read(view)
    assert not np.shares_memory(copy, view)
    assert not isinstance(copy, np.memmap)


def test_a_reference_finds_the_same_numbers_again(stored):
    data, view = stored
    found = pickle.loads(pickle.dumps(mapped.reference(view[1:, ::2, 3:])))
    assert np.array_equal(found.open(), data[1:, ::2, 3:])
    assert not found.open().flags.writeable


def test_a_reference_to_a_file_that_changed_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.arange(8))
    found = mapped.reference(np.load(path, mmap_mode="r"))
    np.save(path, np.arange(9))
    with pytest.raises(FileFormatError, match="not the file that was opened"):
        found.open()
    path.unlink()
    with pytest.raises(FileFormatError, match="cannot be read here"):
        found.open()


def test_an_array_in_memory_has_no_reference():
    assert mapped.reference(np.zeros(3)) is None


def test_a_map_whose_changes_live_in_memory_alone_keeps_them(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(1000))
    private = np.load(tmp_path / "a.npy", mmap_mode="c")
    private[:] = 5
    mapped.release(private)
    assert np.all(private == 5)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_reading_a_large_file_leaves_little_of_it_in_memory(tmp_path):
    path = tmp_path / "sparse.bin"
    with path.open("wb") as file:
        file.truncate(400 << 20)
    view = np.memmap(path, np.float32, "r", shape=(100, 1024, 1024))

    def resident() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile"))

    before = resident()
    mapped.read(view[:, ::64, ::64])
    assert resident() - before < 8 << 20
    # the same without care: the file's pages stay
    np.array(view[:, ::64, ::64])
    assert resident() - before > 8 << 20
