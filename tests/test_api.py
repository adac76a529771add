"""The front door: every kind of array goes in and comes out, and mistakes are said in one sentence."""

import doctest
import io
import warnings
from pathlib import Path

import dask.array
import numpy as np
import pytest
import xarray
from scipy.ndimage import gaussian_filter

import napari_decsc as nd
from napari_decsc import api
from napari_decsc.denoising import provenance
from napari_decsc.denoising.progress import Bar
from napari_decsc.errors import CubeError, FileFormatError, SettingsError
from napari_decsc.hsi.noise.models import Gaussian
from napari_decsc.registry import make_denoiser


class Halving:
    """A denoiser of three evaluations that halves every value."""

    name = "halving"

    def denoise(self, noisy):
        for number in (1, 2, 3):
            if (yield nd.Iteration(number, 0.1, 0.1**number, 0.0)) is nd.Command.STOP:
                break
        return noisy.replace(data=np.asarray(noisy.data, np.float32) / 2)

    def describe(self):
        return {"method": self.name, "settings": {}, "weights": None, "device": "cpu"}


@pytest.fixture(scope="module")
def noisy() -> nd.Cube:
    return nd.add_noise(nd.sample_cube(rows=32, cols=24), "gaussian", sigma=30)


def test_the_examples_in_the_docstrings_are_true() -> None:
    failed, tried = doctest.testmod(api)
    assert tried >= 8
    assert not failed


def test_every_kind_of_array_is_denoised_alike_and_comes_back_as_it_was(noisy: nd.Cube) -> None:
    wanted = np.moveaxis(nd.denoise(noisy, progress=False).data, 0, -1)
    assert nd.score(nd.sample_cube(rows=32, cols=24), np.moveaxis(wanted, -1, 0)).mpsnr > 30
    array = np.moveaxis(noisy.data, 0, -1)
    lazy = dask.array.from_array(array, chunks=(16, 24, 31))
    labelled = xarray.DataArray(array, dims=("y", "x", "wavelength"), coords={"wavelength": noisy.wavelengths})
    for given in (array, lazy, labelled, labelled.chunk({"y": 16})):
        result = nd.denoise(given, band_axis=-1, progress=False)
        assert type(result) is type(given)
        assert result.dtype == np.float32
        # rounding, no more: the values are the same, their order in memory is not
        np.testing.assert_allclose(np.asarray(result), wanted, atol=1e-5)


def test_iterations_are_told_and_may_stop_the_run() -> None:
    told = []

    def listen(iteration: nd.Iteration) -> nd.Command | None:
        told.append(iteration.number)
        return nd.Command.STOP if iteration.number == 2 else None

    result = nd.denoise(np.ones((2, 3, 4)), Halving(), listen)
    np.testing.assert_array_equal(result, np.full((2, 3, 4), 0.5, np.float32))
    assert told == [1, 2]


def test_an_error_of_a_listener_is_the_callers() -> None:
    def listen(iteration: nd.Iteration) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        nd.denoise(np.ones((2, 3, 4)), Halving(), listen)


def test_settings_reach_the_method(noisy: nd.Cube) -> None:
    np.testing.assert_array_equal(nd.denoise(noisy, strength=0, progress=False).data, noisy.data)
    for name, method in nd.methods().items():
        assert set(method.options) == set(method.settings.__dataclass_fields__), name
    assert nd.methods()["decsc"].options["strength"] == (
        "How much the prior counts against the data; 0 keeps everything (of usual, 0 to 2) [1.0]"
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nd.denoise(np.ones((2, 3, 4)), "wiener"), "no method 'wiener'; choose one of decsc"),
        (lambda: nd.denoise(np.ones((2, 3, 4)), stength=1), "no setting 'stength'; it has weights"),
        (lambda: nd.denoise(np.ones((2, 3, 4)), strength=3), "strength is 3"),
        (lambda: nd.denoise(np.ones((2, 3, 4)), Halving(), strength=1), "has its settings already"),
        (lambda: nd.denoise(np.ones((2, 3, 4)), 7), "method is 7"),
        (lambda: nd.add_noise(np.ones((2, 3, 4)), "pink"), "no noise model 'pink'"),
        (lambda: nd.add_noise(np.ones((2, 3, 4)), Gaussian(), sigma=3), "has its settings already"),
        (lambda: nd.add_noise(np.ones((2, 3, 4)), seed=-1), "seed is -1"),
        (lambda: nd.add_noise(np.ones((2, 3, 4)), seed=1.5), "seed is 1.5; it must be a whole number"),
        (lambda: nd.add_noise(np.ones((2, 3, 4)), seed="a"), "seed is 'a'"),
    ],
)
def test_a_mistake_is_one_sentence(call, said) -> None:
    with pytest.raises(SettingsError, match=said):
        call()


@pytest.mark.parametrize("axis", [1.0, [0], 3])
def test_an_axis_that_is_none_is_refused(axis) -> None:
    with pytest.raises(CubeError, match=r"band_axis is .*; choose 0, 1 or 2"):
        nd.add_noise(np.ones((2, 3, 4)), band_axis=axis)
    assert nd.add_noise(np.ones((2, 3, 4)), band_axis=np.int64(-1)).shape == (2, 3, 4)


def test_the_noise_of_other_bands_is_refused() -> None:
    measured = nd.noise_model(nd.sample_cube(16, 16, 5))
    few = np.ones((4, 16, 16), np.float32)
    with pytest.raises(CubeError, match="the noise was measured in 5 bands, cube has 4; give the noise of this cube"):
        nd.judge(few, few, measured)


def test_bands_in_the_last_axis_of_a_square_image_are_suspected() -> None:
    with pytest.warns(UserWarning, match=r"\(4, 4, 9\).*band_axis=-1") as caught:
        nd.add_noise(np.ones((4, 4, 9)), "gaussian")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nd.add_noise(np.ones((4, 4, 9)), "gaussian", band_axis=0)


def test_noise_is_added_to_any_kind_and_seeded() -> None:
    clean = xarray.DataArray(np.full((8, 9, 3), 0.5), dims=("y", "x", "band"))
    first, again, other = (nd.add_noise(clean, Gaussian(sigma=51), seed) for seed in (1, 1, 2))
    xarray.testing.assert_identical(first, again)
    assert first.dims == clean.dims
    assert float(first.std()) == pytest.approx(0.2, abs=0.03)
    assert not np.array_equal(first, other)


def test_a_data_array_is_saved_with_its_wavelengths(tmp_path: Path) -> None:
    clean = xarray.DataArray(np.full((8, 9, 3), 0.5), dims=("y", "x", "wavelength"))
    clean = clean.assign_coords(wavelength=("wavelength", [450.0, 550, 650], {"units": "nm"}))
    path = nd.save_cube(clean, tmp_path / "clean.hdr")
    again = nd.open_cube(path)
    np.testing.assert_array_equal(again.data, np.full((3, 8, 9), 0.5))
    np.testing.assert_array_equal(again.wavelengths, [450, 550, 650])
    assert again.wavelength_unit == "nm"
    with pytest.raises(FileFormatError, match="exists"):
        nd.save_cube(clean, path)
    nd.save_cube(clean, path, overwrite=True, dtype="uint8")
    assert nd.open_cube(path).data.dtype == np.uint8


def test_a_file_tells_how_its_cube_was_made(tmp_path: Path) -> None:
    noisy = nd.add_noise(nd.sample_cube(rows=16, cols=16), "gaussian", seed=7, sigma=30)
    made = [nd.denoise(noisy, "fasthyde", progress=False, rank=3), nd.denoise(noisy, Halving(), progress=False)]
    for number, cube in enumerate(made):
        again = nd.open_cube(nd.save_cube(cube, tmp_path / f"{number}.hdr"))
        record = provenance.read(again.header)
        assert record["noise"] == {"model": "gaussian", "seed": 7, "settings": {"sigma": 30}}
        assert record["denoising"]["method"] == ("fasthyde", "halving")[number]
        assert "Denoised by napari-decsc" in again.header["description"]
    assert provenance.read(made[0].header)["denoising"]["settings"]["rank"] == 3


def test_what_was_removed_is_judged() -> None:
    clean = nd.sample_cube(rows=64, cols=64, bands=8)
    noisy = nd.add_noise(clean, "gaussian", sigma=20)
    blurred = gaussian_filter(clean.data, (0, 3, 3))
    good, bad = nd.judge(noisy, clean), nd.judge(noisy.data, blurred)
    assert good.count == 0
    assert bad.count > 0
    assert "white" in good.sentence


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, drawn in ((Terminal(), "halving: 3eval"), (io.StringIO(), "")):
        monkeypatch.setattr("sys.stderr", stream)
        nd.denoise(np.ones((2, 3, 4)), Halving())
        assert drawn in stream.getvalue()
        assert bool(drawn) == bool(stream.getvalue())
        shown = stream.getvalue()
        nd.denoise(np.ones((2, 3, 4)), Halving(), progress=False)
        assert stream.getvalue() == shown


def test_a_bar_counts_tiles_where_there_are_several_and_says_what_happened() -> None:
    stream = Terminal()
    with Bar("decsc", stream) as bar:
        for tile in (1, 2):
            bar(nd.Iteration(1, 1.0, 0.5, 0.1, tile, 3))
        bar(nd.Iteration(1, 1.0, 0.5, 0.1, 2, 3, message="memory used up"))
    assert "decsc: memory used up" in stream.getvalue()
    assert "3/3" in stream.getvalue()


def test_no_picture_is_made_on_the_way_where_nobody_looks():
    noisy = nd.add_noise(nd.sample_cube(48, 48, 12), "gaussian", sigma=25, seed=0)
    seen = []
    shown = nd.denoise(noisy, on_iteration=seen.append, progress=False)
    made, denoiser = [], make_denoiser("decsc")
    in_steps = denoiser.denoise
    denoiser.denoise = lambda cube: made.append(cube) or in_steps(cube)
    assert np.array_equal(nd.denoise(noisy, denoiser, progress=False).data, shown.data)
    assert any(iteration.preview is not None for iteration in seen)
    assert not made
    nd.denoise(noisy, denoiser, progress=False, on_iteration=lambda iteration: None)
    assert made
