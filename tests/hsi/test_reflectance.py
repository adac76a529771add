"""Reflectance by its formula, per column; what no detector can have seen is masked."""

from pathlib import Path

import numpy as np
import pytest

from napari_decsc.cli import main
from napari_decsc.errors import CubeError, FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.capture import find_capture
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.hsi.reflectance import NO_DATA, reflectance

BANDS, ROWS, COLS = 4, 30, 12
TRUTH = np.random.default_rng(0).uniform(0.05, 0.9, (BANDS, ROWS, COLS))
#: Each pixel of the detector has an offset and an answer of its own.
OFFSET = np.random.default_rng(1).integers(80, 120, (BANDS, 1, COLS)).astype(float)
ANSWER = np.random.default_rng(2).uniform(1500, 3000, (BANDS, 1, COLS))
LENGTHS = np.array([450.0, 550, 650, 750])


def counts(values: np.ndarray, exposure: float = 1.0) -> np.ndarray:
    return np.rint(OFFSET + ANSWER * exposure * values).astype(np.uint16)


def cube(data: np.ndarray, name: str = "x", **header: str) -> Cube:
    return Cube(data, name=name, wavelengths=LENGTHS, wavelength_unit="nm", header=header)


def references(panel: float | np.ndarray = 1.0, exposure: float = 1.0, **header: str) -> tuple[Cube, Cube]:
    light = np.broadcast_to(np.reshape(panel, (-1, 1, 1)), (BANDS, 20, COLS))
    dark = np.broadcast_to(OFFSET.astype(np.uint16), (BANDS, 10, COLS))
    return cube(dark, "dark", **header), cube(counts(light, exposure), "white", **header)


def test_reflectance_comes_back_column_by_column() -> None:
    found = reflectance(cube(counts(TRUTH)), *references())
    # one count of rounding on either side of at least 1500
    np.testing.assert_allclose(np.asarray(found.cube.data), TRUTH, atol=2e-3)
    assert (found.cube.data.dtype, found.cube.no_data, found.cube.scale) == (np.float32, NO_DATA, 1)
    assert (found.saturation, found.exposure_ratio, found.dead.any()) == (None, 1, False)


def test_the_panel_is_as_grey_as_it_is() -> None:
    panel = np.array([0.9, 0.95, 0.5, 0.2])
    found = reflectance(cube(counts(TRUTH)), *references(panel), panel=panel)
    np.testing.assert_allclose(np.asarray(found.cube.data), TRUTH, atol=3e-3)


@pytest.mark.parametrize("key", ["tint", "integration time", "exposure", "shutter"])
def test_exposures_are_taken_from_the_headers(key: str) -> None:
    dark, white = references(exposure=0.5)
    white = white.replace(header={key: "5.0 ms"})
    found = reflectance(cube(counts(TRUTH), **{key: "10.0 ms"}), dark, white)
    np.testing.assert_allclose(np.asarray(found.cube.data), TRUTH, atol=4e-3)
    assert found.exposure_ratio == 0.5
    assert "no dark reference is its own" in found.cube.notes[0]
    assert not reflectance(cube(counts(TRUTH), **{key: "10.0 ms"}), dark, white, white_dark=dark).cube.notes


def test_what_is_saturated_is_masked_and_nothing_else() -> None:
    raw = counts(TRUTH)
    raw[1, 3, 4] = 4095
    raw[2, 5, :] = 4095
    found = reflectance(cube(raw), *references())
    assert found.saturation == 4095
    np.testing.assert_array_equal(np.asarray(found.cube.data) == NO_DATA, raw == 4095)
    found = reflectance(cube(counts(TRUTH)), *references(), saturation=2000)
    np.testing.assert_array_equal(np.asarray(found.cube.data) == NO_DATA, (counts(TRUTH) >= 2000) | found.dead[:, None])


def test_the_largest_number_is_no_saturation_by_itself() -> None:
    raw = counts(TRUTH)
    raw[0, 0, 0] = 4094
    assert reflectance(cube(raw), *references()).saturation is None


def test_dead_pixels_of_the_detector_are_masked_in_every_line() -> None:
    raw, (dark, white) = counts(TRUTH), references()
    black, bright = dark.data.copy(), white.data.copy()
    bright[0, :, 3] = black[0, 0, 3]  # no light moves it
    bright[1, :, 5] = black[1, 0, 5] + 3  # nearly none
    black[2, :, 7] = 4095  # always full
    bright[3, :15, 9] = 4095  # full in most lines of the white panel
    raw[0, 0, 0] = 4095
    found = reflectance(cube(raw), cube(black), cube(bright))
    expected = np.zeros((BANDS, COLS), bool)
    expected[[0, 1, 2, 3], [3, 5, 7, 9]] = True
    np.testing.assert_array_equal(found.dead, expected)
    gone = np.asarray(found.cube.data) == NO_DATA
    assert gone.sum() == 4 * ROWS + 1


def test_a_few_saturated_lines_of_the_panel_do_not_count() -> None:
    dark, white = references()
    bright = white.data.copy()
    bright[:, :4] = 4095
    found = reflectance(cube(counts(TRUTH)), dark, cube(bright))
    np.testing.assert_allclose(np.asarray(found.cube.data), TRUTH, atol=2e-3)


def test_wrong_references_are_refused() -> None:
    raw, (dark, white) = cube(counts(TRUTH)), references()
    with pytest.raises(CubeError, match=r"dark: has 11 cols, the raw cube x 12; give references of the same detector"):
        reflectance(raw, dark.replace(data=dark.data[..., 1:]), white)
    with pytest.raises(CubeError, match="is nowhere brighter than"):
        reflectance(raw, white, dark)


def capture(folder: Path, **names: np.ndarray) -> None:
    (folder / "capture").mkdir(exist_ok=True)
    for name, data in names.items():
        write_envi(cube(np.ascontiguousarray(data)), folder / "capture" / name, interleave="bil")


def specim(folder: Path) -> Path:
    dark, white = references()
    capture(folder, scene=counts(TRUTH), DARKREF_scene=dark.data, WHITEREF_scene=white.data)
    return folder


def test_a_folder_of_specim_is_understood(tmp_path: Path) -> None:
    dark, white = references()
    specim(tmp_path)
    capture(tmp_path, WHITEDARKREF_scene=dark.data, WHITEREF_other=white.data)
    found = find_capture(tmp_path)
    names = [found.raw.name, *(path.name for path in (found.dark, found.white, found.white_dark) if path)]
    assert names == ["scene.hdr", "DARKREF_scene.hdr", "WHITEREF_scene.hdr", "WHITEDARKREF_scene.hdr"]
    assert find_capture(tmp_path / "capture" / "scene.img") == found
    capture(tmp_path, second=counts(TRUTH))
    with pytest.raises(FileFormatError, match=r"holds 2 scenes, scene\.hdr, second\.hdr; give one of them"):
        find_capture(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileFormatError, match="no raw cube in it"):
        find_capture(tmp_path / "empty")


def test_headwalls_names_are_understood(tmp_path: Path) -> None:
    dark, white = references()
    for name, data in (("raw_0", counts(TRUTH)), ("darkReference", dark.data), ("whiteReference", white.data)):
        write_envi(cube(np.ascontiguousarray(data)), tmp_path / name)
    found = find_capture(tmp_path / "raw_0.hdr")
    assert (found.dark, found.white) == (tmp_path / "darkReference.hdr", tmp_path / "whiteReference.hdr")


@pytest.mark.parametrize(("dtype", "scale"), [("float32", 1), ("uint16", 10000), ("int16", 10000)])
def test_the_command_writes_reflectance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dtype: str, scale: float
) -> None:
    folder = specim(tmp_path)
    raw = counts(TRUTH)
    raw[1, 3, 4] = 4095
    write_envi(cube(raw), folder / "capture" / "scene", interleave="bil", overwrite=True)
    assert main(["calibrate", str(folder), "--dtype", dtype]) == 0
    assert "0 of 48 pixels of the detector are dead; numbers from 4095 on are saturated" in capsys.readouterr().out
    result = open_cube(folder / "capture" / "scene_reflectance.hdr")
    assert (result.data.dtype, result.scale) == (dtype, scale)
    expected = np.where(raw == 4095, np.nan, TRUTH)
    np.testing.assert_allclose(result.physical(), expected, atol=2.2e-3)
    assert result.wavelengths.tolist() == LENGTHS.tolist()


def test_the_command_takes_references_and_a_panel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    panel = np.array([0.2, 0.4, 0.6, 0.8])
    dark, white = references(panel)
    for name, data in (("a", counts(TRUTH)), ("b", dark.data), ("c", white.data)):
        write_envi(cube(np.ascontiguousarray(data)), tmp_path / name)
    (tmp_path / "panel.txt").write_text("wavelength, reflectance\n850, 1.0\n450, 0.2\n")
    arguments = ["calibrate", str(tmp_path / "a.hdr"), str(tmp_path / "out.tif"), "--dark", str(tmp_path / "b.hdr")]
    assert main(arguments) == 1
    assert "has no white reference beside it, or several; give it with --white" in capsys.readouterr().err
    arguments += ["--white", str(tmp_path / "c.hdr"), "--panel", str(tmp_path / "panel.txt")]
    assert main(arguments) == 0
    np.testing.assert_allclose(open_cube(tmp_path / "out.tif").data, TRUTH, atol=1e-2)
    for said, why in (
        ("7", "lies between 0 and 2"),
        ("none.txt", "cannot be read"),
        (str(tmp_path / "a.hdr"), "is no table"),
    ):
        assert main([*arguments[:-1], said, "--overwrite"]) == 1
        assert why in capsys.readouterr().err
    assert (
        main([*arguments, "--white", str(tmp_path / "a.hdr"), "--dark", str(tmp_path / "out.tif"), "--overwrite"]) == 1
    )
    assert "is read by this command" in capsys.readouterr().err


def test_memory_stays_small(tmp_path: Path) -> None:
    """Values are computed for what is looked at: a window of a large cube reads that window alone."""
    looked: list[tuple[int, ...]] = []

    class Watched(np.ndarray):
        def __getitem__(self, key):
            found = super().__getitem__(key)
            looked.append(np.shape(found))
            return found

    raw = counts(TRUTH).view(Watched)
    found = reflectance(cube(raw), *references())
    looked.clear()
    assert np.asarray(found.cube.data[:, 2:4, 3:5]).shape == (BANDS, 2, 2)
    assert looked
    assert max(map(np.prod, looked)) == BANDS * 4
