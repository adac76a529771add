"""Chunks of HDF5 arrays that plugins unpack are held against the size of a chunk before they are asked."""

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t, h5z

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.hsi.io.formats.hdf5_packed import CheckedDataset, Packing

numcodecs = pytest.importorskip("numcodecs")

DATA = np.arange(6 * 20 * 24, dtype=np.int16).reshape(6, 20, 24) // 7
SIDES = (3, 10, 12)
FILTERS = {32001: numcodecs.Blosc("lz4", shuffle=0), 32015: numcodecs.Zstd()}


def written(path: Path, *numbers: int, with_sum: bool = False) -> Path:
    """A file whose chunks are packed as the plugin would, whether it is there or not."""
    path.write_bytes(content(numbers, with_sum))
    return path


@cache
def content(numbers: tuple[int, ...], with_sum: bool) -> bytes:
    """The bytes of that file, made once.

    A plugin that another package has brought into this process (netCDF4 does) is built with another HDF5 library, and
    cannot be named where a file is made: a process without it makes the file.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.h5"
        if not any(map(h5z.filter_avail, numbers)):
            return write(path, numbers, with_sum).read_bytes()
        told = [sys.executable, __file__, str(path), str(int(with_sum)), *map(str, numbers)]
        usual = {key: value for key, value in os.environ.items() if key != "HDF5_PLUGIN_PATH"}
        subprocess.run(told, env={**usual, "HDF5_PLUGIN_PRELOAD": "::"}, check=True, timeout=100)
        return path.read_bytes()


def write(path: Path, numbers: Sequence[int], with_sum: bool) -> Path:
    """The file, with chunks in it where they are packed once."""
    settings = h5p.create(h5p.DATASET_CREATE)
    settings.set_chunk(SIDES)
    for number in numbers:
        settings.set_filter(number, h5z.FLAG_OPTIONAL)
    if with_sum:
        settings.set_fletcher32()
    with h5py.File(path, "w") as file:
        space = h5s.create_simple(DATA.shape)
        dataset = h5d.create(file.id, b"cube", h5t.NATIVE_INT16, space, settings)
        for place in np.ndindex(2, 2, 2) if len(numbers) == 1 else ():
            start = tuple(index * side for index, side in zip(place, SIDES, strict=True))
            part = DATA[tuple(slice(at, at + side) for at, side in zip(start, SIDES, strict=True))]
            packed = bytes(FILTERS[numbers[0]].encode(np.ascontiguousarray(part)))
            dataset.write_direct_chunk(start, packed + bytes(4 * with_sum))
    return path


def damaged(path: Path, start: tuple[int, ...], length: int) -> None:
    """Let a chunk of Blosc claim another length."""
    with h5py.File(path, "a") as file:
        skipped, held = file["cube"].id.read_direct_chunk(start)
        changed = bytearray(held)
        struct.pack_into("<I", changed, 12, length)
        file["cube"].id.write_direct_chunk(start, bytes(changed), skipped)


@pytest.mark.parametrize("number", FILTERS)
@pytest.mark.parametrize("with_sum", [False, True])
def test_sound_chunks_have_no_fault(tmp_path: Path, number: int, with_sum: bool) -> None:
    with h5py.File(written(tmp_path / "x.h5", number, with_sum=with_sum)) as file:
        packing = Packing(file["cube"], tmp_path / "x.h5")
        packing.check_all()
        packing.check_part(np.s_[1, :, ::3])
        assert packing.codec == {32001: "blosc", 32015: "zstd"}[number]


@pytest.mark.parametrize(
    ("part", "is_met"),
    [
        (np.s_[:], True),
        (np.s_[4], True),
        (np.s_[-1, 10:, 12:], True),
        (np.s_[3:, 9:11, 0:24:13], True),
        (np.s_[5:2:-1, 19, -1], True),
        (np.s_[:3], False),
        (np.s_[:, :10], False),
        (np.s_[4, 12, 11], False),
        (np.s_[4:4], False),
    ],
)
def test_a_damaged_chunk_is_met_where_it_is_looked_at(tmp_path: Path, part: Any, is_met: bool) -> None:
    path = written(tmp_path / "x.h5", 32001)
    damaged(path, (3, 10, 12), 9_999_999)
    with h5py.File(path) as file:
        packing = Packing(file["cube"], path)
        said = r"x\.h5: the chunk of /cube at 3, 10, 12 says that it has 9999999 bytes, but has .*; the file is damaged"
        with pytest.raises(FileFormatError, match=said):
            packing.check_all()
        if is_met:
            with pytest.raises(FileFormatError, match=said):
                CheckedDataset(file["cube"], packing)[part]
        else:
            packing.check_part(part)


def test_two_compressions_are_refused(tmp_path: Path) -> None:
    said = r"x\.h5: /cube is packed by several filters in an order"
    with h5py.File(written(tmp_path / "x.h5", *FILTERS)) as file, pytest.raises(FileFormatError, match=said):
        Packing(file["cube"], tmp_path / "x.h5")


@pytest.mark.parametrize("name", ["Blosc", "Zstd"])
@pytest.mark.parametrize("is_lazy", [False, True])
def test_what_the_plugin_packs_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_lazy: bool
) -> None:
    plugin = pytest.importorskip("hdf5plugin", reason="the package hdf5plugin is not installed")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("cube", data=DATA, chunks=SIDES, **getattr(plugin, name)())
    if is_lazy:
        monkeypatch.setattr("napari_decsc.hsi.io.formats.hdf5_values.fits_in_memory", lambda size: size < DATA.nbytes)
    cube = open_cube(tmp_path / "x.h5", band_axis=0)
    assert isinstance(cube.data, np.ndarray) is not is_lazy
    np.testing.assert_array_equal(np.asarray(cube.data), DATA)
    np.testing.assert_array_equal(np.asarray(cube.data[1, ::3, 5:19]), DATA[1, ::3, 5:19])


if __name__ == "__main__":
    write(Path(sys.argv[1]), [int(number) for number in sys.argv[3:]], sys.argv[2] == "1")
