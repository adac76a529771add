"""MATLAB 5 to 7: cubes that lie in structures and cells. SciPy writes the files."""

import contextlib
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from napari_decsc.errors import AmbiguousFileError, FileFormatError
from napari_decsc.hsi.io.files import can_open, open_cube

CUBE = np.arange(5 * 6 * 7, dtype=np.float32).reshape(5, 6, 7)
HWC = CUBE.transpose(1, 2, 0)
LENGTHS = np.array([400.0, 450, 500, 550, 600])
#: What a file holds, and the name of its cube.
HOLDINGS = {
    "scene.data": {"scene": {"data": HWC, "wavelengths": LENGTHS}},
    "scene.image.cube": {"scene": {"info": {"name": "abc", "wl": LENGTHS}, "image": {"cube": HWC}}},
    "s.Data": {"s": {"Data": HWC, "empty": []}, "lambda": LENGTHS[:, None]},
    "c{2}": {"c": np.array([np.eye(3), HWC, "text"], object), "wavelength": LENGTHS},
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", HOLDINGS)
def test_a_cube_in_a_structure_opens_with_the_wavelengths_beside_it(tmp_path: Path, name: str, packed: bool) -> None:
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, HOLDINGS[name], do_compression=packed)
    assert can_open(path)
    for cube in (open_cube(path), open_cube(path, variable=name)):
        np.testing.assert_array_equal(cube.data, CUBE)
        assert cube.wavelengths is not None
        assert cube.wavelengths.tolist() == LENGTHS.tolist()
        assert isinstance(cube.data, np.memmap) == (not packed)


@pytest.mark.parametrize("packed", [False, True])
def test_the_elements_of_a_structure_are_told_apart(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "x.mat"
    scenes = np.zeros((1, 2), [("cube", object), ("note", object)])
    scenes[0, 0], scenes[0, 1] = (HWC, "first"), (HWC + 1, "second")
    scipy.io.savemat(path, {"scenes": scenes}, do_compression=packed)
    with pytest.raises(AmbiguousFileError) as question:
        open_cube(path)
    assert list(question.value.choices) == ["scenes(1).cube", "scenes(2).cube"]
    np.testing.assert_array_equal(open_cube(path, variable="scenes(2).cube").data, CUBE + 1)


def test_a_table_in_a_structure_is_a_cube_with_the_sizes_beside_it(tmp_path: Path) -> None:
    table = HWC.transpose(2, 1, 0).reshape(5, -1)
    scipy.io.savemat(tmp_path / "x.mat", {"d": {"Y": table, "nRow": 6, "nCol": 7}})
    np.testing.assert_array_equal(open_cube(tmp_path / "x.mat").data, CUBE)


def test_structures_without_end_and_without_arrays_are_named(tmp_path: Path) -> None:
    inner: dict[str, object] = {"cube": HWC}
    for _ in range(12):
        inner = {"deeper": inner}
    scipy.io.savemat(tmp_path / "deep.mat", {"scene": inner})
    scipy.io.savemat(tmp_path / "texts.mat", {"scene": {"name": "abc"}})
    for name in ("deep.mat", "texts.mat"):
        with pytest.raises(FileFormatError, match="a structure; save the cube of the structure"):
            open_cube(tmp_path / name)


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def test_objects_are_named_with_the_cure(tmp_path: Path) -> None:
    # an object (class 17) has name, kind of object and class, and then a matrix of numbers of its parts
    parts = [element(6, struct.pack("<II", 17, 0)), element(1, b"scene"), element(1, b"MCOS"), element(1, b"hypercube")]
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    (tmp_path / "five.mat").write_bytes(head + element(14, b"".join(parts)))
    with h5py.File(tmp_path / "seven.mat", "w") as file:
        file["scene"] = np.zeros((1, 6), "u4")
        file["scene"].attrs.update({"MATLAB_class": np.bytes_("hypercube"), "MATLAB_object_decode": np.int32(3)})
    for name in ("five.mat", "seven.mat"):
        with pytest.raises(FileFormatError, match=r"there is scene, an object; .*of a hypercube DataCube"):
            open_cube(tmp_path / name)


@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_structure_is_told_in_a_sentence(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, HOLDINGS["scene.image.cube"], do_compression=packed)
    whole = path.read_bytes()
    for place in range(128, len(whole) - 8, 13):
        for damage in (b"\xff\xff\xff\x7f", b"\0\0\0\0"):
            path.write_bytes(whole[:place] + damage + whole[place + 4 :])
            with contextlib.suppress(FileFormatError):
                open_cube(path)


def test_a_damaged_name_of_a_field_stays_one_line(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "x.mat", {"scene": {"dataa": np.array([HWC, "text", HWC + 1], object)}})
    raw = (tmp_path / "x.mat").read_bytes()
    (tmp_path / "x.mat").write_bytes(raw.replace(b"dataa", b"data\n"))
    with pytest.raises((AmbiguousFileError, FileFormatError)) as refused:
        open_cube(tmp_path / "x.mat")
    assert "scene.data?" in str(refused.value)
    assert "\n" not in str(refused.value)
