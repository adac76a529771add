"""Zarr stores of ours, of xarray and of OME-Zarr; and stores that mean harm."""

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_decsc.cli import main
from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import can_open, open_cube, save_cube
from napari_decsc.hsi.io.formats import zarr_store

DATA = np.arange(5 * 70 * 66, dtype=np.int16).reshape(5, 70, 66)
LENGTHS = [400.0, 500.0, 600.0, 700.0, 800.0]
PLACE = ["UTM", "1", "1", "500000", "5500000", "30", "20", "33", "North", "WGS-84"]
FULL = Cube(
    DATA,
    wavelengths=np.array(LENGTHS),
    wavelength_unit="nm",
    fwhm=np.full(5, 10.0),
    good_bands=np.array([True, True, False, True, True]),
    no_data=-9999.0,
    scale=10000.0,
    header={"sensor type": "X", "map info": PLACE},
)


def values(cube: Cube) -> np.ndarray:
    return np.asarray(cube.data)


def test_a_cube_goes_round(tmp_path: Path) -> None:
    path = save_cube(FULL, tmp_path / "x.zarr")
    assert can_open(path)
    again = open_cube(path)
    np.testing.assert_array_equal(values(again), DATA)
    assert values(again).dtype == DATA.dtype
    assert (again.wavelengths.tolist(), again.wavelength_unit, again.fwhm.tolist()) == (LENGTHS, "nm", [10] * 5)
    assert again.good_bands.tolist() == FULL.good_bands.tolist()
    assert (again.no_data, again.scale, again.header["sensor type"]) == (-9999, 10000, "X")
    assert again.header["map info"][3:8] == ["500000.0", "5500000.0", "30.0", "20.0", "33"]
    np.testing.assert_array_equal(values(open_cube(path / "cube", band_axis=0)), DATA)


@pytest.mark.parametrize("no_data", [np.nan, -1.0, None])
def test_floats_keep_what_was_not_measured(tmp_path: Path, no_data: float | None) -> None:
    data = DATA.astype(np.float32)
    data[0, 0, 0] = np.nan if no_data is None else no_data
    again = open_cube(save_cube(Cube(data, no_data=no_data), tmp_path / "x.zarr"))
    np.testing.assert_array_equal(values(again), data)
    np.testing.assert_equal(again.no_data, no_data)


def test_xarray_reads_what_we_write(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    path = save_cube(FULL, tmp_path / "x.zarr")
    found = xarray.open_dataset(path, engine="zarr", consolidated=False, decode_coords="all")
    assert found.cube.dims == ("wavelength", "y", "x")
    np.testing.assert_allclose(found.cube.sel(wavelength=500).values, DATA[1] / 10000)
    assert found.wavelength.attrs["units"] == "nm"
    np.testing.assert_allclose((found.x[0], found.y[0]), (500015, 5499990))
    assert "33N" in found.crs.attrs["crs_wkt"]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("axes", [("wavelength", "y", "x"), ("y", "x", "band")])
def test_stores_of_xarray_are_read(tmp_path: Path, version: int, axes: tuple[str, ...]) -> None:
    xarray = pytest.importorskip("xarray")
    place = next(place for place, axis in enumerate(axes) if axis in ("wavelength", "band"))
    data = np.moveaxis(DATA / 2, 0, place)
    array = xarray.DataArray(data, dims=axes, coords={"wavelength": (axes[place], LENGTHS, {"units": "nm"})})
    array.encoding = {"scale_factor": 0.5, "_FillValue": -9999, "dtype": "int16"}
    array.to_dataset(name="refl").to_zarr(tmp_path / "x.zarr", zarr_format=version, consolidated=False)
    cube = open_cube(tmp_path / "x.zarr")
    assert (cube.shape, cube.wavelengths.tolist(), cube.wavelength_unit) == (DATA.shape, LENGTHS, "nm")
    assert (cube.no_data, cube.scale) == (-9999, 2)
    np.testing.assert_allclose(cube.physical(), DATA / 2)


@pytest.mark.parametrize("version", [2, 3])
def test_nan_of_xarray_is_no_data(tmp_path: Path, version: int) -> None:
    xarray = pytest.importorskip("xarray")
    array = xarray.DataArray(DATA.astype("f4"), dims=("band", "y", "x"))
    array.encoding["_FillValue"] = np.nan
    array.to_dataset(name="refl").to_zarr(tmp_path / "x.zarr", zarr_format=version, consolidated=False)
    assert np.isnan(open_cube(tmp_path / "x.zarr").no_data)


def ome(path: Path, version: str, axes: str, shape: tuple[int, ...], **more: object) -> Path:
    kinds = {"t": "time", "c": "channel"}
    named = [{"name": axis, "type": kinds.get(axis, "space")} for axis in axes]
    levels = [{"path": "0"}, {"path": "1"}]
    said = {"multiscales": [{"axes": named, "datasets": levels, "version": version}], **more}
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    group.attrs.update(said if version == "0.4" else {"ome": said})
    data = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    group.create_array("0", data=data)
    group.create_array("1", data=data[..., ::2, ::2])
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize(("axes", "shape"), [("cyx", (30, 20, 25)), ("tczyx", (1, 30, 1, 20, 25))])
def test_the_channels_of_ome_zarr_are_bands(tmp_path: Path, version: str, axes: str, shape: tuple[int, ...]) -> None:
    labels = [{"label": f"{400 + 10 * band} nm"} for band in range(30)]
    cube = open_cube(ome(tmp_path / "x.zarr", version, axes, shape, omero={"channels": labels}))
    assert cube.shape == (30, 20, 25)
    assert cube.wavelengths[:2].tolist() == [400, 410]


def test_geozarr_tells_the_place(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=3)
    group.attrs.update({"proj:code": "EPSG:32633", "spatial:transform": [30.0, 0, 500000.0, 0, -20.0, 5500000.0]})
    group.create_array("cube", data=DATA, dimension_names=("band", "y", "x"))
    found = open_cube(tmp_path / "x.zarr").header["map info"]
    assert found[:8] == ["UTM", "1", "1", "500000", "5500000", "30", "20", "33"]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("inside", [".", "x.zarr"])
def test_a_store_in_one_zip_file_is_read(tmp_path: Path, version: int, inside: str) -> None:
    xarray = pytest.importorskip("xarray")
    array = xarray.DataArray(DATA, dims=("wavelength", "y", "x"), coords={"wavelength": LENGTHS})
    array.encoding["chunks"] = (5, 32, 32)
    array.to_dataset(name="refl").to_zarr(tmp_path / "in" / "x.zarr", zarr_format=version, consolidated=False)
    root = tmp_path / "in" if inside == "x.zarr" else tmp_path / "in" / "x.zarr"
    path = Path(shutil.make_archive(str(tmp_path / "x.zarr"), "zip", root))
    assert can_open(path)
    cube = open_cube(path)
    assert (cube.shape, cube.wavelengths.tolist(), cube.data.chunks[1]) == (DATA.shape, LENGTHS, (32, 32, 6))
    np.testing.assert_array_equal(values(cube), DATA)
    with pytest.raises(FileFormatError, match="zipped Zarr files can only be read"):
        save_cube(cube, tmp_path / "y.zarr.zip")


def test_a_zip_file_that_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("c/0", bytes(1 << 20))
    assert not can_open(tmp_path / "x.zip")
    with pytest.raises(FileFormatError, match="without a Zarr store in it"):
        open_cube(tmp_path / "x.zip")
    monkeypatch.setattr("napari_decsc.hsi.io.formats.guards.fits_in_memory", lambda size: size < 1 << 20)
    with pytest.raises(FileFormatError, match=r"a chunk would take .* of memory"):
        open_cube(tmp_path / "x.zip")
    (tmp_path / "y.zip").write_text("text")
    with pytest.raises(FileFormatError, match=r"y\.zip: cannot be read as a zipped Zarr store"):
        open_cube(tmp_path / "y.zip")


def test_the_metadata_of_a_store_stand_for_it(tmp_path: Path) -> None:
    path = save_cube(FULL, tmp_path / "x.zarr")
    assert can_open(path / "zarr.json")
    assert open_cube(path / "zarr.json").wavelengths.tolist() == LENGTHS


def test_only_stores_are_replaced(tmp_path: Path) -> None:
    path = save_cube(FULL, tmp_path / "x.zarr")
    with pytest.raises(FileFormatError, match="already exists"):
        save_cube(FULL, path)
    save_cube(FULL.replace(data=DATA + 1), path, overwrite=True)
    np.testing.assert_array_equal(values(open_cube(path)), DATA + 1)
    (tmp_path / "y.zarr").mkdir()
    (tmp_path / "y.zarr" / "precious").write_text("kept")
    with pytest.raises(FileFormatError, match="is of another kind, which is not replaced"):
        save_cube(FULL, tmp_path / "y.zarr", overwrite=True)
    assert (tmp_path / "y.zarr" / "precious").read_text() == "kept"


def test_a_failure_leaves_the_old_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_cube(FULL, tmp_path / "x.zarr")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zarr_store, "converted", fails)
    with pytest.raises(FileFormatError, match="nothing was changed; free some space"):
        save_cube(FULL, path, overwrite=True)
    assert [one.name for one in tmp_path.iterdir()] == ["x.zarr"]
    np.testing.assert_array_equal(values(open_cube(path)), DATA)


def changed(path: Path, **changes: object) -> Path:
    metadata = path / "cube" / "zarr.json"
    metadata.write_text(json.dumps({**json.loads(metadata.read_text()), **changes}))
    return path


class Touch:
    """What a pickle does when it is read: it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple:
        return open, (self.path, "w")


@pytest.mark.parametrize("place", ["filters", "compressor"])
def test_no_store_runs_code(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "x.zarr"
    folder.mkdir()
    said = {"zarr_format": 2, "shape": [5, 6, 7], "chunks": [5, 6, 7], "dtype": "<i2", "fill_value": 0, "order": "C"}
    said |= {"compressor": None, "filters": None}
    said[place] = {"id": "pickle"} if place == "compressor" else [{"id": "pickle"}]
    (folder / ".zarray").write_text(json.dumps(said))
    (folder / "0.0.0").write_bytes(pickle.dumps(Touch(tmp_path / "ran")))
    with pytest.raises(FileFormatError, match="packed by 'pickle', which is not unpacked here"):
        np.asarray(open_cube(folder, band_axis=0).data)
    assert not (tmp_path / "ran").exists()


def test_codecs_within_shards_are_looked_at(tmp_path: Path) -> None:
    path = save_cube(FULL, tmp_path / "x.zarr")
    inner = [{"name": "numcodecs.pickle"}]
    shards = {"chunk_shape": [1, 8, 8], "codecs": inner, "index_codecs": [{"name": "bytes"}]}
    with pytest.raises(FileFormatError, match=r"packed by 'numcodecs\.pickle'"):
        open_cube(changed(path, codecs=[{"name": "sharding_indexed", "configuration": shards}]))


def grid(side: int) -> dict:
    return {"name": "regular", "configuration": {"chunk_shape": [side] * 3}}


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [5, 70, -66]},
        {"shape": "many"},
        {"shape": [2**40, 2**40, 2**40], "chunk_grid": grid(2**40)},
        {"data_type": "float128"},
        {"data_type": {"name": "odd"}},
        {"codecs": 3},
        {"chunk_grid": grid(0)},
        {"zarr_format": 9},
        {"node_type": "group"},
    ],
)
def test_damaged_metadata_are_refused_in_a_sentence(tmp_path: Path, changes: dict) -> None:
    path = changed(save_cube(FULL, tmp_path / "x.zarr"), **changes)
    with pytest.raises(FileFormatError, match=r"x\.zarr"):
        np.asarray(open_cube(path).data)
    can_open(path)


def test_a_store_without_metadata_is_refused(tmp_path: Path) -> None:
    path = save_cube(FULL, tmp_path / "x.zarr")
    (path / "cube" / "zarr.json").write_text("{")
    with pytest.raises(FileFormatError, match="is no JSON"):
        open_cube(path)
    shutil.rmtree(path / "cube")
    with pytest.raises(FileFormatError, match="holds no cube"):
        open_cube(path)


def test_the_command_line_takes_stores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save_cube(FULL, tmp_path / "x.zarr")
    assert main(["info", str(path)]) == 0
    assert "400 to 800 nm" in capsys.readouterr().out
    assert main(["info", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("x.zarr") == 1
    arguments = ["add-noise", str(path), str(tmp_path / "y.zarr")]
    assert main(arguments) == 0
    assert main(arguments) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0


def test_a_damaged_chunk_is_told_in_a_sentence_when_it_is_looked_at(tmp_path: Path) -> None:
    path = save_cube(FULL, tmp_path / "x.zarr")
    chunk = path / "cube" / "c" / "0" / "1" / "1"
    chunk.write_bytes(b"damaged" + chunk.read_bytes()[7:])
    cube = open_cube(path)
    np.testing.assert_array_equal(np.asarray(cube.data[:, :64, :64]), DATA[:, :64, :64])
    with pytest.raises(FileFormatError, match=r"x\.zarr/cube: chunk c/0/1/1 is no whole Zstandard frame; it is"):
        np.asarray(cube.data)
