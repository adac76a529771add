"""The first preview: an estimate of the whole cube before its noise is known, which no result depends on."""

import numpy as np
import pytest
import torch

from napari_decsc.denoising.protocol import Command, run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.execution import preview as first_preview
from napari_decsc.deq.execution.source import Source
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.weights import files as weights
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.hsi.sample import sample_cube

CLEAN = sample_cube(96, 92, 12)
NOISY = add_noise(CLEAN, make_noise("gaussian"), seed=0)


def settings(**more):
    return DecscSettings(**{"max_iterations": 1, **more})


def error(values):
    return np.square(values - CLEAN.data).mean()


@pytest.fixture(scope="module")
def model():
    return weights.load("subspace").model


@pytest.fixture(scope="module", autouse=True)
def small_is_worth_it():
    """What is worth a preview takes longer than a test should."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_preview, "SAMPLED", 100_000)
        yield


@pytest.fixture(scope="module")
def whole():
    """A denoiser that has solved, its events, and its result."""
    events, denoiser = [], DecscDenoiser(settings())
    return denoiser, events, run(denoiser.denoise(NOISY), events.append)


@pytest.mark.parametrize("tile", [0, 64])
def test_the_first_event_shows_the_whole_cube_much_closer_than_it_came(tile):
    steps = DecscDenoiser(settings(tile=tile)).denoise(NOISY)
    first = next(steps)
    steps.close()
    assert (first.number, first.tile, first.tiles) == (0, 1, 1 if tile == 0 else 4)
    assert np.isnan(first.relative_residual)
    assert first.preview.data.shape == CLEAN.shape
    assert first.preview.data.dtype == np.float32
    assert error(first.preview.data) < 0.2 * error(NOISY.data)


def test_a_better_preview_follows_where_the_first_left_pixels_out(monkeypatch):
    monkeypatch.setattr(first_preview, "_step", lambda shape: 2)
    events = []
    run(DecscDenoiser(settings()).denoise(NOISY), events.append)
    first, second = [event.preview.data for event in events if event.preview is not None][:2]
    assert error(second) < error(first)


def test_the_local_start_is_shown_after_the_first_preview_and_before_any_evaluation(whole):
    _, events, _ = whole
    shown = [event for event in events if event.preview is not None][:2]
    assert [(event.number, event.stage) for event in shown] == [(0, "noise model"), (0, "groups")]
    assert error(shown[1].preview.data) < 1.1 * error(shown[0].preview.data)


def test_the_result_is_the_same_bit_by_bit_without_it(whole, monkeypatch):
    _, _, result = whole
    monkeypatch.setattr(first_preview, "worthwhile", lambda *_: False)
    assert np.array_equal(run(DecscDenoiser(settings()).denoise(NOISY)).data, result.data)


def test_a_change_of_strength_goes_without(whole):
    denoiser, _, _ = whole
    events = []
    run(denoiser.resume(settings(strength=0.7)).denoise(NOISY), events.append)
    assert {event.stage for event in events} == {"groups", "equilibrium 2"}


def test_a_stop_at_the_first_preview_is_heard():
    events = []

    def listen(event):
        events.append(event)
        return Command.STOP

    result = run(DecscDenoiser(settings(tile=64)).denoise(NOISY), listen)
    assert len(events) == 1
    assert error(result.data) < 0.2 * error(NOISY.data)


def test_small_cubes_and_short_memory_go_without(monkeypatch):
    monkeypatch.setattr(first_preview, "SAMPLED", 400_000)
    plenty = 1 << 40
    assert not first_preview.worthwhile((31, 96, 96), plenty)
    assert not first_preview.worthwhile((1000, 64, 64), plenty)
    assert first_preview.worthwhile((31, 256, 256), plenty)
    assert first_preview.worthwhile((200, 100, 100), plenty)
    assert first_preview.worthwhile((64, 86, 83), plenty)
    assert not first_preview.worthwhile((31, 256, 256), 4 * 31 * 256 * 256 - 1)
    assert not first_preview.worthwhile((31, 4000, 4000), plenty)


def test_of_a_large_image_every_nth_pixel_is_estimated_and_lines_are_drawn_between(model, monkeypatch):
    monkeypatch.setattr(first_preview, "SHOWN", 12 * 48 * 48)
    preview = first_preview.make(model, torch.device("cpu"), Source.of(NOISY))
    assert preview.data.shape == CLEAN.shape
    # 96 x 92 pixels at every second one leave 48 x 46
    row = preview.data[:, 10]
    np.testing.assert_allclose(row[:, 1:-1:2], (row[:, :-2:2] + row[:, 2::2]) / 2, atol=1e-6)
    col = preview.data[:, :, 10]
    np.testing.assert_allclose(col[:, 1:-1:2], (col[:, :-2:2] + col[:, 2::2]) / 2, atol=1e-6)
    assert error(preview.data) < 0.3 * error(NOISY.data)


def test_the_first_look_of_a_usual_cube_takes_a_fraction_of_its_voxels():
    for shape in ((31, 256, 256), (31, 512, 512), (224, 512, 512), (31, 4000, 4000)):
        step = first_preview._step(shape)
        assert step > 1
        assert shape[0] * -(-shape[1] // step) * -(-shape[2] // step) <= first_preview.SHOWN
    assert first_preview._step((31, 128, 128)) == 1


def test_a_device_without_memory_for_it_goes_without(model, monkeypatch):
    def too_much(*_):
        raise MemoryError

    monkeypatch.setattr(model, "preview", too_much)
    assert first_preview.make(model, torch.device("cpu"), Source.of(NOISY)) is None
