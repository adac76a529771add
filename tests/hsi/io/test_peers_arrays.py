"""HDF5 and MATLAB files as MATLAB, Octave and scripts write them: which array is the cube, what describes it."""

import h5py
import numpy as np
import pytest
import scipy.io

from napari_decsc.errors import AmbiguousFileError, FileFormatError
from napari_decsc.hsi.io.files import can_open, open_cube

DATA = np.arange(6 * 20 * 30, dtype="f4").reshape(6, 20, 30)
#: As MATLAB and Octave see it: (row, col, band); in their files the axes run the other way.
STORED = DATA.transpose(1, 2, 0).transpose()
LENGTHS = np.array([400.0, 500, 600, 700, 800, 900])


def matlab_block(path):
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")


def octave(file, name, kind, value):
    group = file.create_group(name)
    group.attrs["OCTAVE_NEW_FORMAT"] = np.uint8(1)
    group["type"], group["value"] = np.bytes_(kind), value
    return group["value"]


@pytest.mark.parametrize("name", ["x.h5", "x.hdf5", "x.mat", "x.he5", "x.nc"])
@pytest.mark.parametrize("mark", ["block", "attribute"])
def test_what_matlab_wrote_has_its_axes_whatever_its_name(tmp_path, name, mark):
    path = tmp_path / name
    with h5py.File(path, "w", userblock_size=512) as file:
        file["cube"] = STORED
        if mark == "attribute":
            file["cube"].attrs["MATLAB_class"] = np.bytes_("single")
    if mark == "block":
        matlab_block(path)
    np.testing.assert_array_equal(open_cube(path).data, DATA)


@pytest.mark.parametrize("end", ["mat", "h5"])
@pytest.mark.parametrize("axis", ["vector", "range", "counted range"])
def test_what_octave_wrote(tmp_path, end, axis):
    with h5py.File(tmp_path / f"x.{end}", "w") as file:
        octave(file, "scene", "float matrix", STORED)
        octave(file, "valid", "bool matrix", (STORED > 5).astype("u1"))
        if axis == "vector":
            octave(file, "wavelength", "matrix", LENGTHS[:, None])
        else:
            kind = [("base", "f8"), ("limit", "f8"), ("increment", "f8")]
            made = octave(file, "wavelength", "double_range", np.array((400.0, 900.0, 100.0), kind))
            if axis == "counted range":
                made.attrs["OCTAVE_RANGE_NELEM"] = np.int64(6)
    cube = open_cube(tmp_path / f"x.{end}")
    np.testing.assert_array_equal(cube.data, DATA)
    assert cube.wavelengths.tolist() == LENGTHS.tolist()
    np.testing.assert_array_equal(open_cube(tmp_path / f"x.{end}", variable="scene").data, DATA)


def test_a_range_of_octave_is_not_believed_beyond_reason(tmp_path):
    kind = [("base", "f8"), ("limit", "f8"), ("increment", "f8")]
    for three, count in (((0, 1e300, 1), None), ((0, 5, 0), None), ((0, 5, 1), 2**62), ((np.nan, 5, 1), None)):
        path = tmp_path / "x.h5"
        with h5py.File(path, "w") as file:
            octave(file, "scene", "float matrix", STORED)
            made = octave(file, "wavelength", "range", np.array(three, kind))
            if count:
                made.attrs["OCTAVE_RANGE_NELEM"] = count
        assert open_cube(path).wavelengths is None


def test_truths_are_no_cube(tmp_path):
    truths = np.tile(np.arange(2, dtype="u1"), (20, 30, 3))
    scipy.io.savemat(tmp_path / "v5.mat", {"cube": DATA.transpose(1, 2, 0), "ok": truths.astype(bool)})
    with h5py.File(tmp_path / "v73.mat", "w") as file:
        file["cube"], file["ok"] = STORED, truths.transpose()
        file["ok"].attrs["MATLAB_class"] = np.bytes_("logical")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"], file["ok"] = DATA, truths.astype(bool)
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(open_cube(path).data, DATA)
        with pytest.raises(FileFormatError, match="holds no cube 'ok'"):
            open_cube(path, variable="ok")


def scripts(path, arrays):
    """The same arrays as MATLAB 5, MATLAB 7.3, HDF5 and NumPy's archive."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.name == "v5.mat":
        scipy.io.savemat(path, {name: np.moveaxis(a, 0, -1) if a.ndim == 3 else a for name, a in arrays.items()})
    else:
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                is_cube = path.suffix == ".mat" and array.ndim == 3
                file[name] = np.moveaxis(array, 0, -1).transpose() if is_cube else array


KINDS = ["v5.mat", "v73.mat", "x.h5", "x.npz"]
ASIDE = {
    "a picture": {"rgb": DATA[:3]},
    "a picture by another name": {"image": DATA[:3], "bands": LENGTHS},
    "a mask": {"quality_mask": DATA},
    "errors": {"cube_uncertainty": DATA},
    "a longer cube without wavelengths": {"other": np.zeros((9, 20, 30)), "wl": LENGTHS},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("aside", ASIDE)
def test_what_stands_beside_the_cube_is_not_taken_for_it(tmp_path, kind, aside):
    scripts(tmp_path / kind, {"rad": DATA, **ASIDE[aside]})
    cube = open_cube(tmp_path / kind)
    np.testing.assert_array_equal(cube.data, DATA)
    assert (cube.wavelengths is None) == (len(ASIDE[aside]) == 1)


@pytest.mark.parametrize("kind", KINDS)
def test_two_cubes_are_still_asked_about(tmp_path, kind):
    scripts(tmp_path / kind, {"clean": DATA, "noisy": DATA, "rgb": DATA[:3]})
    with pytest.raises(AmbiguousFileError) as question:
        open_cube(tmp_path / kind)
    assert sorted(question.value.choices) == ["clean", "noisy"]
    assert open_cube(tmp_path / kind, variable="rgb").bands == 3


NAMES = [
    *("wavelength", "Wavelengths", "wl", "WVL", "lambda", "bands", "wavelength_3d", "List_Cw_Vnir", "band_centers"),
    *("center_wavelengths", "centre_wavelength", "waves", "wavelengths_nm", "CentralWavelength", "cw", "wave_length"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_wavelengths_under_the_names_people_use(tmp_path, kind, name):
    scripts(tmp_path / kind, {"x": DATA, name: LENGTHS})
    cube = open_cube(tmp_path / kind)
    assert cube.wavelengths.tolist() == LENGTHS.tolist()
    assert cube.wavelength_unit == "nm"


@pytest.mark.parametrize("kind", KINDS)
def test_wavenumbers_are_no_nanometres(tmp_path, kind):
    scripts(tmp_path / kind, {"x": DATA, "Wavenumbers": 1e4 - 1000 * np.arange(6.0)})
    cube = open_cube(tmp_path / kind)
    assert cube.wavelength_unit == "1/cm"
    assert cube.wavelengths_nm.tolist() == pytest.approx([1000, 1111.111, 1250, 1428.571, 1666.667, 2000], abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["bands", "wavelength", "wl"])
def test_numbers_of_bands_are_no_wavelengths_whatever_their_name(tmp_path, kind, name):
    scripts(tmp_path / kind, {"x": DATA, name: np.arange(1.0, 7)})
    assert open_cube(tmp_path / kind).wavelengths_nm is None


@pytest.mark.parametrize("where", ["file", "group", "array", "text", "numbered", "each band", "each group"])
def test_wavelengths_in_attributes(tmp_path, where):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        group = file.create_group("scene/sensor")
        if where == "each band":
            for band in range(6):
                made = group.create_dataset(f"band_{band + 1}", data=DATA[band])
                made.attrs["center_wavelength"] = LENGTHS[band]
        elif where == "each group":
            for band in range(6):
                file[f"scene/band_{band + 1:03}/data"] = DATA[band]
                file[f"scene/band_{band + 1:03}"].attrs["center_wavelength"] = LENGTHS[band]
        else:
            group["cube"] = DATA
            place = {"file": file, "array": group["cube"]}.get(where, group)
            if where == "numbered":
                for band in range(6):
                    place.attrs[f"Band{band + 1}_Center_Wavelength"] = LENGTHS[band]
            else:
                place.attrs["wavelengths"] = str(LENGTHS.tolist()) if where == "text" else LENGTHS
    cube = open_cube(tmp_path / "x.h5")
    np.testing.assert_array_equal(cube.data, DATA)
    assert cube.wavelengths.tolist() == LENGTHS.tolist()


def test_numbered_images_are_opened_but_not_claimed(tmp_path):
    for name, facts in (("plain.h5", {}), ("bands.h5", {"wavelength": 400.0})):
        with h5py.File(tmp_path / name, "w") as file:
            for band in range(6):
                file[f"image{band}"] = DATA[band]
                file[f"image{band}"].attrs.update({key: value + 100 * band for key, value in facts.items()})
        np.testing.assert_array_equal(open_cube(tmp_path / name).data, DATA)
        assert can_open(tmp_path / name) == bool(facts)


def test_a_table_and_a_structure_are_named_with_the_cure(tmp_path):
    scipy.io.savemat(tmp_path / "y.mat", {"Y": DATA.reshape(6, 600)})
    with pytest.raises(FileFormatError, match=r"holds no cube.* there is Y \(6 x 600\); .*reshape it"):
        open_cube(tmp_path / "y.mat")
    scipy.io.savemat(tmp_path / "s.mat", {"data": {"cube": "elsewhere"}})
    with pytest.raises(FileFormatError, match=r"there is data, a structure; save the cube of the structure"):
        open_cube(tmp_path / "s.mat")


def test_a_table_that_tells_its_rows_and_cols_is_a_cube(tmp_path):
    # as the cubes of unmixing benchmarks come: (band, pixel), pixels counted down the cols
    table = DATA.transpose(0, 2, 1).reshape(6, 600)
    for made, name in ((table, "v5.mat"), (table.transpose(), "turned.mat")):
        scipy.io.savemat(tmp_path / name, {"Y": made, "nRow": 20, "nCol": 30, "nBand": 6})
        np.testing.assert_array_equal(open_cube(tmp_path / name).data, DATA)
    with h5py.File(tmp_path / "v73.mat", "w") as file:
        file["Y"], file["nRow"], file["nCol"] = table.transpose(), np.array([[20.0]]), np.array([[30.0]])
    np.testing.assert_array_equal(open_cube(tmp_path / "v73.mat").data, DATA)


@pytest.mark.parametrize(("number", "name"), [(32013, "ZFP"), (32017, "SZ"), (32099, "filter 32099")])
def test_a_missing_filter_is_named_with_the_cure(tmp_path, number, name):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_chunk(DATA.shape)
        settings.set_filter(number, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple(DATA.shape)
        data = h5py.h5d.create(file.id, b"cube", h5py.h5t.IEEE_F32LE, space, settings)
        data.write_direct_chunk((0, 0, 0), DATA.tobytes())
    if h5py.h5z.filter_avail(number):
        pytest.skip("the filter is there")
    with pytest.raises(FileFormatError, match=rf"x.h5: cube is compressed by {name}.*pip install hdf5plugin"):
        open_cube(tmp_path / "x.h5")


TEXTS = [f"{length:g} nm" for length in LENGTHS]


@pytest.mark.parametrize(
    "describe",
    [
        lambda file: file["cube"].attrs.update({"wavelength": TEXTS}),
        lambda file: file["cube"].attrs.update({"wavelengths": [text.removesuffix(" nm") for text in TEXTS]}),
        lambda file: file["cube"].attrs.update({"band_names": np.array(TEXTS, "S")}),
        lambda file: file.create_dataset("wavelengths", data=np.array(TEXTS, "S")),
    ],
    ids=["texts with units", "texts", "names of bands", "a vector of texts"],
)
def test_wavelengths_as_a_list_of_texts(tmp_path, describe):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"] = DATA
        describe(file)
    cube = open_cube(tmp_path / "x.h5")
    assert (cube.wavelengths.tolist(), cube.wavelength_unit) == (LENGTHS.tolist(), "nm")


def test_a_list_of_words_is_no_wavelengths(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"] = DATA
        file["cube"].attrs["wavelength"] = [*TEXTS[:-1], "unknown"]
        file["bands"] = np.array(list("abcdef"), "S")
    assert open_cube(tmp_path / "x.h5").wavelengths is None


def test_an_array_of_one_band_beside_a_cube_is_not_it(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["depth"], file["hyper"] = DATA[:1], DATA
    assert open_cube(tmp_path / "x.h5").shape == DATA.shape


def test_names_of_attributes_may_have_blanks(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"] = DATA
        file["cube"].attrs.update({"Scale Factor": 10000.0, "Data Ignore Value": 7.0})
    cube = open_cube(tmp_path / "x.h5")
    assert (cube.scale, cube.no_data) == (10000, 7)
