"""The built-in sample: a plausible scene, the same everywhere, which never passes for a measurement."""

import numpy as np
import pytest

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.sample import sample_cube


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    """Linear red, green and blue, (row, col, 3), by IEC 61966-2-1."""
    from skimage.data import coffee

    image = coffee() / 255.0
    return np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 1), (64, 48, 31), (2, 700, 3)])
def test_it_has_the_size_asked_for_and_reflectances_within_0_and_1(shape):
    rows, cols, bands = shape
    cube = sample_cube(rows, cols, bands)
    assert cube.shape == (bands, rows, cols)
    assert cube.data.dtype == np.float32
    assert 0 < cube.data.min() <= cube.data.max() < 1
    assert cube.wavelength_unit == "nm"
    assert cube.wavelengths.shape == (bands,)


def test_the_default_is_that_of_the_field_256_by_256_and_31_bands_from_400_to_700_nm():
    cube = sample_cube()
    assert cube.shape == (31, 256, 256)
    np.testing.assert_allclose(cube.wavelengths, np.arange(400, 701, 10))


def test_one_band_lies_in_the_middle():
    np.testing.assert_array_equal(sample_cube(1, 1, 1).wavelengths, [550])


def test_it_is_the_same_at_every_call_and_touches_no_global_state():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(sample_cube(40, 30, 8).data, sample_cube(40, 30, 8).data)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_spectra_are_smooth():
    # a smooth step 10 nm soft rises by at most 10 nm / (4 * 10 nm) of its height per band of 10 nm
    data = sample_cube(96, 96).data
    assert np.abs(np.diff(data, axis=0)).max() < 10 / (4 * 10)
    # halving the distance of the bands halves the steps: nothing jumps between bands
    finer = sample_cube(96, 96, 61).data
    assert np.abs(np.diff(finer, axis=0)).max() < 0.55 * np.abs(np.diff(data, axis=0)).max()


def test_the_spectral_rank_is_that_of_a_scene_not_of_a_photograph():
    singular = np.linalg.svd(sample_cube(96, 96).data.reshape(31, -1).astype(float), compute_uv=False)
    left_out = np.sqrt(np.cumsum((singular**2)[::-1])[::-1] / np.sum(singular**2))  # by the first n spectra
    rank = np.count_nonzero(left_out > 1e-3)
    assert 4 <= rank <= 12


def lobe(wavelengths: np.ndarray, height: float, centre: float, left: float, right: float) -> np.ndarray:
    """A bell whose two sides have widths of their own."""
    width = np.where(wavelengths < centre, left, right)
    return height * np.exp(-0.5 * ((wavelengths - centre) / width) ** 2)


def seen(cube) -> np.ndarray:
    """Linear sRGB, (3, row, col), that the CIE 1931 observer sees where a white cube is white.

    Matching functions: Wyman, Sloan, Shirley, "Simple analytic approximations to the CIE XYZ color matching
    functions", JCGT 2(2), 2013, multi-lobe fit. XYZ to linear sRGB: IEC 61966-2-1.
    """
    nm = cube.wavelengths
    x = lobe(nm, 1.056, 599.8, 37.9, 31) + lobe(nm, 0.362, 442, 16, 26.7) - lobe(nm, 0.065, 501.1, 20.4, 26.2)
    y = lobe(nm, 0.821, 568.8, 46.9, 40.5) + lobe(nm, 0.286, 530.9, 16.3, 31.1)
    z = lobe(nm, 1.217, 437, 11.8, 36) + lobe(nm, 0.681, 459, 26, 13.8)
    to_rgb = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    white = np.linalg.solve(to_rgb, np.ones(3))
    xyz = np.stack([white[i] * np.tensordot(f / f.sum(), cube.data, axes=1) for i, f in enumerate((x, y, z))])
    return np.tensordot(to_rgb, xyz, axes=1)


def test_the_colours_come_back(photograph):
    cube = sample_cube()
    scene = 0.02 + 0.93 * photograph[72:328, 172:428].transpose(2, 0, 1)  # the central part, between the two ends
    difference = np.abs(seen(cube) - scene)
    # primaries that are off by 0.06 at most, and layers that tint the scene a little
    assert difference.mean() < 0.015
    assert np.percentile(difference, 99) < 0.07


def test_a_larger_scene_mirrors_the_photograph(photograph):
    rows, cols = photograph.shape[:2]
    data = sample_cube(rows + 20, cols + 20, 3).data
    # layers vary from place to place by some ten pixels: beside a mirror the two sides hardly differ
    for inner, outer in ((data[:, 10], data[:, 9]), (data[:, -11], data[:, -10]), (data[..., 10], data[..., 9])):
        assert np.corrcoef(inner.ravel(), outer.ravel())[0, 1] > 0.999


def test_it_says_that_it_is_synthetic():
    cube = sample_cube(2, 2, 2)
    assert "synthetic" in cube.name
    assert "synthetic" in cube.header["description"]
    assert "not a measurement" in cube.header["description"]
    assert cube.source is None


@pytest.mark.parametrize("name", ["rows", "cols", "bands"])
@pytest.mark.parametrize("value", [0, -3])
def test_a_size_below_1_is_refused(name, value):
    with pytest.raises(SettingsError, match=f"{name} is {value}; .*at least 1"):
        sample_cube(**{name: value})
