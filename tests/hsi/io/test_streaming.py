"""A cube that is written tile by tile is the one that is written at once."""

import numpy as np
import pytest

from napari_decsc.denoising.sinks import ArraySink
from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import can_stream, new_sink
from napari_decsc.hsi.sample import sample_cube

CUBE = sample_cube(21, 34, 5)
TILES = [(slice(r, min(r + 8, 21)), slice(c, min(c + 16, 34))) for r in range(0, 21, 8) for c in range(0, 34, 16)]


def stream(cube: Cube, path, tiles=TILES, **words):
    with new_sink(cube, path, **words) as sink:
        for rows, cols in tiles:
            sink.write(cube.data[:, rows, cols].astype(np.float32), rows, cols)


@pytest.mark.parametrize("tiles", [TILES, TILES[::-1], [(slice(r, r + 7), slice(0, 34)) for r in (0, 7, 14)]])
def test_both_files_are_those_of_a_cube_written_at_once(tmp_path, tiles):
    stream(CUBE, tmp_path / "tiles.hdr", tiles, extra={"made by": "a test"})
    write_envi(CUBE, tmp_path / "whole.hdr", extra={"made by": "a test"})
    for end in (".hdr", ".img"):
        assert (tmp_path / f"tiles{end}").read_bytes() == (tmp_path / f"whole{end}").read_bytes()


def test_whole_numbers_are_rounded_and_cut_as_ever(tmp_path):
    cube = Cube(CUBE.data * 40000 - 1, "scaled", scale=40000.0, no_data=-1)
    stream(cube, tmp_path / "tiles.hdr", dtype="int16")
    write_envi(cube, tmp_path / "whole.hdr", dtype="int16")
    assert (tmp_path / "tiles.img").read_bytes() == (tmp_path / "whole.img").read_bytes()


def test_an_error_in_mid_stream_leaves_nothing_and_keeps_what_was_there(tmp_path):
    write_envi(CUBE, tmp_path / "cube.hdr")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    data = CUBE.data.copy()
    data[0, -1, -1] = np.nan
    with pytest.raises(FileFormatError, match="cannot express"):
        stream(Cube(data), tmp_path / "cube.hdr", dtype="int16", overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_disk_without_room_is_known_before_anything_is_computed(tmp_path, monkeypatch):
    from napari_decsc.hsi.io.envi import streaming

    monkeypatch.setattr(streaming.shutil, "disk_usage", lambda _: streaming.shutil._ntuple_diskusage(100, 90, 10))
    with pytest.raises(FileFormatError, match="are free there"), new_sink(CUBE, tmp_path / "cube.hdr"):
        pytest.fail("the block must not be entered")
    assert not list(tmp_path.iterdir())


def test_only_envi_files_can_be_streamed_to(tmp_path):
    assert can_stream(tmp_path / "a.hdr")
    assert can_stream(tmp_path / "a")
    assert can_stream(tmp_path / "a.tif")
    assert not can_stream(tmp_path / "a.npz")


@pytest.mark.parametrize("on_disk", [False, True])
def test_an_array_sink_holds_what_it_is_given(on_disk, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sink = ArraySink(CUBE.shape, on_disk=on_disk)
    for rows, cols in TILES:
        sink.write(CUBE.data[:, rows, cols], rows, cols)
    assert np.array_equal(sink.data, CUBE.data)
    assert not list(tmp_path.iterdir())


def test_a_streamed_cube_is_read_lazily(tmp_path):
    stream(CUBE, tmp_path / "cube.hdr")
    assert isinstance(read_envi(tmp_path / "cube.hdr").data, np.memmap)
