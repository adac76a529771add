import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.band_list import format_bands, nearest_band, parse_bands
from napari_decsc.hsi.cube import Cube

CUBE = Cube(
    np.zeros((6, 1, 1), np.float32),
    "leaf",
    wavelengths=np.array([400.0, 450, 510, 580, 660, 750]),
    wavelength_unit="nm",
)


@pytest.mark.parametrize(
    ("text", "bands"),
    [
        ("", []),
        ("all", [0, 1, 2, 3, 4, 5]),
        ("1-3, 5", [0, 1, 2, 4]),
        ("3–1; 6", [0, 1, 2, 5]),
        ("440-600 nm", [1, 2, 3]),
        ("0.5 um", [2]),
        ("655nm, 1", [0, 4]),
    ],
)
def test_bands_and_wavelengths_are_read(text, bands):
    assert list(np.flatnonzero(parse_bands(text, CUBE))) == bands


@pytest.mark.parametrize("text", ["0", "7", "2-9", "1.5", "red", "800-900 nm", "5 kg", "-3"])
def test_what_names_no_band_is_refused_with_its_own_words(text):
    with pytest.raises(SettingsError, match=text):
        parse_bands(text, CUBE)


def test_wavelengths_of_a_cube_without_any_are_refused():
    with pytest.raises(SettingsError, match="no wavelengths"):
        parse_bands("650 nm", Cube(CUBE.data))


@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_what_is_written_is_read_again(chosen):
    chosen = np.array(chosen)
    np.testing.assert_array_equal(parse_bands(format_bands(chosen), CUBE), chosen)


def test_runs_are_joined():
    assert format_bands(np.array([1, 1, 1, 1, 0, 1, 1], bool)) == "1-4, 6, 7"


def test_the_nearest_band_wins_in_any_order():
    assert nearest_band(CUBE, 650) == 4
    backwards = CUBE.replace(wavelengths=CUBE.wavelengths[::-1])
    assert nearest_band(backwards, 650) == 1
    with pytest.raises(SettingsError, match="unknown"):
        nearest_band(Cube(CUBE.data), 650)
