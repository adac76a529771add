"""Spectral libraries: what goes in comes out, SPy reads the same, and a library is not taken for a cube."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spectral.io import envi

from napari_decsc.errors import CubeError, FileFormatError
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.io.envi.library import SpectralLibrary, is_library, read_library, write_library
from napari_decsc.hsi.io.files import can_open, open_cube
from napari_decsc.hsi.sample import sample_cube

SPECTRA = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
LIBRARY = SpectralLibrary(SPECTRA, ("grass", "soil, dry"), np.array([450.0, 550.0, 650.0]), "nm")


def put(folder, raw=SPECTRA, **changes):
    """A library as another program might write it."""
    fields = {"samples": 3, "lines": 2, "bands": 1, "data type": 5, "interleave": "bsq", "byte order": 0}
    fields |= {"file type": "ENVI Spectral Library", **{key.replace("_", " "): value for key, value in changes.items()}}
    text = "ENVI\n" + "".join(f"{key} = {value}\n" for key, value in fields.items() if value is not None)
    (folder / "lib.hdr").write_text(text)
    (folder / "lib.sli").write_bytes(np.asarray(raw).tobytes())
    return folder / "lib.hdr"


@pytest.mark.parametrize("name", ["lib.hdr", "lib.sli", "lib"])
def test_a_library_comes_back(tmp_path, name):
    header = write_library(LIBRARY, tmp_path / name, extra={"napari-decsc": "pinned"})
    assert header == tmp_path / "lib.hdr"
    for path in (header, tmp_path / "lib.sli"):
        again = read_library(path)
        np.testing.assert_array_equal(again.spectra, SPECTRA)
        np.testing.assert_array_equal(again.wavelengths, LIBRARY.wavelengths)
        # commas separate names in a header
        assert (again.names, again.unit, again.source) == (("grass", "soil; dry"), "nm", header)
        assert is_library(path)
    assert "napari-decsc = pinned" in header.read_text()


@settings(max_examples=15, deadline=None)
@given(
    spectra=st.lists(st.lists(st.floats(width=64), min_size=2, max_size=2), min_size=1, max_size=4),
    unit=st.sampled_from(["nm", "um", "1/cm", "index"]),
)
def test_any_library_comes_back(tmp_path_factory, spectra, unit):
    lengths = np.array([1500.0, 2000] if unit == "nm" else [1.5, 2])
    library = SpectralLibrary(np.array(spectra), tuple(f"s {n}" for n in range(len(spectra))), lengths, unit)
    again = read_library(write_library(library, tmp_path_factory.getbasetemp() / "any", overwrite=True))
    np.testing.assert_array_equal(again.spectra, library.spectra)
    assert (again.names, again.unit) == (library.names, unit)


def test_spy_reads_the_same(tmp_path):
    spy = envi.open(str(write_library(LIBRARY, tmp_path / "lib")), str(tmp_path / "lib.sli"))
    np.testing.assert_array_equal(spy.spectra, SPECTRA)
    assert spy.names == ["grass", "soil; dry"]
    assert spy.bands.centers == [450, 550, 650]


def test_a_library_that_spy_wrote(tmp_path):
    envi.SpectralLibrary(
        SPECTRA.astype(np.float32), {"wavelength": [1, 2, 3], "wavelength units": "um", "spectra names": ["a", "b"]}
    ).save(str(tmp_path / "spy"))
    library = read_library(tmp_path / "spy.hdr")
    assert library.spectra == pytest.approx(SPECTRA, abs=1e-7)
    assert (library.names, library.unit) == (("a", "b"), "um")


def test_scale_no_data_and_names(tmp_path):
    raw = np.array([[1000, -1, 3000], [4000, 5000, 6000]], ">i2")
    changes = {"data_type": 2, "byte_order": 1, "reflectance_scale_factor": 10000, "data_ignore_value": -1}
    library = read_library(put(tmp_path, raw, **changes, spectra_names="{a}"))
    np.testing.assert_array_equal(library.spectra, [[0.1, np.nan, 0.3], [0.4, 0.5, 0.6]])
    assert library.names == ("a", "spectrum 2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lines": 3}, "lib.sli holds 48 bytes but lib.hdr describes 72"),
        ({"samples": 10**17}, "the file is cut short"),
        ({"bands": 2}, "bands is '2'; it must be 1 in a spectral library"),
        ({"lines": 0}, "lines is '0'; it must be a whole number above 0"),
        ({"wavelength": "{1, 2}"}, "wavelength has 2 values for 3 bands"),
        ({"reflectance_scale_factor": 0}, "it must be a number above 0"),
        ({"file_type": "ENVI Standard"}, "file type is 'ENVI Standard'; it must be 'ENVI Spectral Library'"),
    ],
)
def test_what_is_no_sound_library_is_refused(tmp_path, changes, message):
    with pytest.raises(FileFormatError) as refusal:
        read_library(put(tmp_path, **changes))
    assert message in str(refusal.value)


def test_a_library_is_no_cube(tmp_path):
    header = put(tmp_path)
    with pytest.raises(FileFormatError, match="which holds no cube but spectra"):
        open_cube(header)
    # so that a window which opens it says so too
    assert can_open(header)
    cube = write_envi(sample_cube(rows=8, cols=8, bands=4), tmp_path / "cube.hdr")
    assert can_open(cube)
    assert not is_library(cube)
    assert not is_library(tmp_path / "nothing.hdr")


def test_an_old_library_is_kept_unless_it_may_be_replaced(tmp_path):
    header = write_library(LIBRARY, tmp_path / "lib")
    with pytest.raises(FileFormatError, match="already exists"):
        write_library(LIBRARY, header)
    one = SpectralLibrary(SPECTRA[:1], ("grass",))
    assert read_library(write_library(one, header, overwrite=True)).names == ("grass",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lib.hdr", "lib.sli"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((0, 3)), ()), "2 axes and 0 values"),
        ((SPECTRA, ("a",)), "1 names for 2 spectra"),
        ((SPECTRA, ("a", "b"), np.zeros(2)), "2 wavelengths for 3 bands"),
    ],
)
def test_what_disagrees_is_refused(arguments, message):
    with pytest.raises(CubeError, match=message):
        SpectralLibrary(*arguments)
