"""The Cube: what it accepts, what it refuses, and its physical values."""

import numpy as np
import pytest

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube

DATA = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def test_shape_is_bands_rows_cols():
    cube = Cube(DATA)
    assert cube.shape == (2, 3, 4)
    assert cube.bands == 2


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (np.zeros((3, 4)), "axes"),
        (np.zeros((0, 3, 4)), "empty"),
        (np.zeros((2, 3, 4), complex), "complex128"),
        (np.zeros((2, 3, 4), bool), "bool"),
    ],
)
def test_what_is_no_cube_is_refused(data, word):
    with pytest.raises(CubeError, match=f"scene: .*{word}"):
        Cube(data, name="scene")


@pytest.mark.skipif(np.dtype("longdouble").itemsize <= 8, reason="needs a long double of more than 8 bytes")
def test_long_doubles_which_no_file_of_ours_holds_are_refused():
    with pytest.raises(CubeError, match=r"scene: data type float\d+ is not supported; .* float64"):
        Cube(np.zeros((2, 3, 4), np.longdouble), name="scene")


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_must_be_a_positive_number(scale):
    with pytest.raises(CubeError, match="scale"):
        Cube(DATA, scale=scale)


@pytest.mark.parametrize("field", ["wavelengths", "fwhm", "good_bands"])
def test_per_band_fields_need_one_value_for_each_band(field):
    with pytest.raises(CubeError, match=f"{field} has 3 values for 2 bands"):
        Cube(DATA, **{field: [1, 1, 1]})


@pytest.mark.parametrize(
    ("values", "unit", "nanometres"),
    [
        ([400, 500], "nm", [400, 500]),
        ([0.4, 2.5], "um", [400, 2500]),
        ([0.001, 0.002], "mm", [1000, 2000]),
        ([4e-7, 5e-7], "m", [400, 500]),
        ([10000, 20000], "1/cm", [1000, 500]),  # 1/cm: 10000 waves in 1 cm = 1e7 nm
    ],
)
def test_wavelengths_in_nanometres(values, unit, nanometres):
    np.testing.assert_allclose(Cube(DATA, wavelengths=values, wavelength_unit=unit).wavelengths_nm, nanometres)


@pytest.mark.parametrize("unit", ["", "index"])
def test_an_axis_that_is_no_length_has_no_nanometres(unit):
    assert Cube(DATA, wavelengths=[1, 2], wavelength_unit=unit).wavelengths_nm is None
    assert Cube(DATA, wavelength_unit=unit).wavelengths_nm is None


def test_physical_values_are_raw_over_scale_and_no_data_is_compared_on_raw_values():
    data = np.array([[[-9999, 5000, 0]]], dtype=np.int16)
    physical = Cube(data, scale=10000, no_data=-9999).physical()
    assert physical.dtype == np.float32
    np.testing.assert_array_equal(physical, np.array([[[np.nan, 0.5, 0]]], dtype=np.float32))


def test_replace_keeps_everything_else():
    cube = Cube(DATA, name="scene", wavelengths=[1, 2], no_data=7, scale=2, header={"sensor type": "EMIT"})
    changed = cube.replace(name="other")
    assert (changed.name, changed.no_data, changed.scale) == ("other", 7, 2)
    assert changed.data is cube.data
    assert changed.header == cube.header
    assert cube.name == "scene"
