"""Arrays of other libraries as cubes, and back: nothing is lost on the way."""

import dask.array
import numpy as np
import pytest
import xarray

from napari_decsc.errors import CubeError
from napari_decsc.hsi.arrays import to_cube
from napari_decsc.hsi.cube import Cube

DATA = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)


def labelled(dims: tuple[str, ...] = ("y", "wavelength", "x"), **coords) -> xarray.DataArray:
    return xarray.DataArray(DATA, dims=dims, coords=coords, name="scene", attrs={"site": "north"})


def doubled(cube: Cube) -> Cube:
    return cube.replace(data=np.asarray(cube.data) * 2)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("kind", [np.asarray, lambda a: dask.array.from_array(a, chunks=(1, 3, 2))])
def test_the_way_there_and_back_changes_nothing(kind, axis) -> None:
    cube, back = to_cube(kind(DATA), axis)
    assert cube.shape == np.moveaxis(DATA, axis, 0).shape
    np.testing.assert_array_equal(np.asarray(cube.data), np.moveaxis(DATA, axis, 0))
    result = back(doubled(cube))
    assert type(result) is type(kind(DATA))
    np.testing.assert_array_equal(np.asarray(result), 2 * DATA)


def test_a_dask_array_keeps_its_chunks_and_is_not_read_before_it_is_needed() -> None:
    def refuse(block):
        raise AssertionError("was read")

    lazy = dask.array.from_array(DATA, chunks=(1, 3, 2)).map_blocks(refuse, meta=np.empty((0, 0, 0), np.float32))
    cube, back = to_cube(lazy, 2)
    result = back(Cube(np.moveaxis(DATA, 2, 0)))
    assert result.chunks == lazy.chunks
    np.testing.assert_array_equal(result.compute(), DATA)
    with pytest.raises(AssertionError, match="was read"):
        np.asarray(cube.data)


def test_a_cube_is_what_it_is() -> None:
    cube = Cube(DATA)
    same, back = to_cube(cube)
    assert same is cube
    assert back(cube) is cube


def test_masked_voxels_are_not_measured_and_masked_again() -> None:
    masked = np.ma.MaskedArray(DATA.astype(np.int16), mask=DATA > 20)
    cube, back = to_cube(masked)
    np.testing.assert_array_equal(np.isnan(cube.physical()), DATA > 20)
    result = back(doubled(cube))
    np.testing.assert_array_equal(result.mask, DATA > 20)
    np.testing.assert_array_equal(result.compressed(), 2 * DATA[DATA <= 20])


def test_a_data_array_tells_its_wavelengths_and_keeps_coordinates_and_attributes() -> None:
    given = labelled(
        wavelength=("wavelength", [0.4, 0.5, 0.6], {"units": "micrometers"}),
        fwhm=("wavelength", [0.01, 0.01, 0.02]),
        good_wavelengths=("wavelength", [1, 0, 1]),
        y=("y", [10.0, 20.0]),
    )
    given.attrs["_FillValue"] = 5.0
    cube, back = to_cube(given)
    assert cube.shape == (3, 2, 4)
    assert cube.name == "scene"
    assert (cube.wavelength_unit, cube.no_data) == ("um", 5.0)
    np.testing.assert_allclose(cube.wavelengths, [0.4, 0.5, 0.6])
    np.testing.assert_allclose(cube.fwhm, [0.01, 0.01, 0.02])
    np.testing.assert_array_equal(cube.good_bands, [True, False, True])
    xarray.testing.assert_identical(back(doubled(cube)), given.copy(data=2 * DATA))


def test_a_lazy_data_array_stays_lazy() -> None:
    given = labelled().chunk({"y": 1})
    cube, back = to_cube(given)
    result = back(doubled(cube))
    assert result.chunks == given.chunks
    np.testing.assert_array_equal(result.values, 2 * DATA)


def test_bands_are_found_by_a_coordinate_where_no_dimension_is_named_after_them() -> None:
    assert to_cube(labelled(("a", "b", "c"), wl=("c", [400.0, 500, 600, 700])))[0].bands == 4
    assert to_cube(labelled(("y", "band", "x")))[0].bands == 3
    assert to_cube(labelled(("a", "b", "c")), "b")[0].bands == 3


@pytest.mark.parametrize(
    ("array", "axis", "said"),
    [
        (np.zeros((2, 3)), None, "three axes"),
        (DATA, 3, "choose 0, 1 or 2"),
        (DATA, "band", "choose 0, 1 or 2"),
        (labelled(("p", "q", "r")), None, "p, q, r"),
        (labelled(("band", "wavelength", "c")), None, "band_axis"),
        (labelled(), "bands", "choose y, wavelength, x"),
        (xarray.Dataset({"radiance": labelled()}), None, "give one of them: radiance"),
        ("scene.hdr", None, "open_cube"),
        (DATA.astype(complex), None, "complex"),
    ],
)
def test_what_is_no_cube_is_said_with_its_cure(array, axis, said) -> None:
    with pytest.raises(CubeError, match=said):
        to_cube(array, axis)
