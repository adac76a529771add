"""The DECSC denoiser with the weights that are shipped."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_decsc.denoising.protocol import Command, Denoiser, ResumableDenoiser, run
from napari_decsc.denoising.report import Recorder
from napari_decsc.denoising.sinks import ArraySink
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.estimation import basic_estimate
from napari_decsc.deq.estimation.subspace import identify
from napari_decsc.deq.execution.source import Source
from napari_decsc.deq.model.presets import SubspaceModel
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.weights import files as weights
from napari_decsc.errors import DenoisingError, SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import new_sink
from napari_decsc.hsi.metrics import score
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.hsi.noise.planted import plant
from napari_decsc.hsi.sample import sample_cube
from napari_decsc.registry import make_denoiser

CLEAN = sample_cube(64, 64)


def noisy(noise: str = "mixture", clean: Cube = CLEAN) -> Cube:
    return add_noise(clean, make_noise(noise), seed=1)


def denoised(cube: Cube, **settings) -> Cube:
    return run(DecscDenoiser(DecscSettings(**settings)).denoise(cube))


def test_it_is_a_denoiser():
    assert isinstance(DecscDenoiser(), Denoiser)


@pytest.mark.parametrize("noise", ["mixture", "gaussian"])
def test_the_shipped_weights_gain_8_db_and_reach_a_fixed_point(noise):
    cube, iterations = noisy(noise), []
    result = run(DecscDenoiser().denoise(cube), iterations.append)
    before, after = score(CLEAN.data, cube.data), score(CLEAN.data, result.data)
    assert after.mpsnr > before.mpsnr + 8
    assert after.sam < before.sam
    assert [i for i in iterations if i.number][-1].relative_residual < 1e-2
    assert result.data.dtype == np.float32
    assert result.wavelengths is cube.wavelengths


@pytest.mark.parametrize("noise", ["mixture", "gaussian", "stripe"])
def test_what_is_handed_over_to_the_solve_of_a_whole_cube_changes_nothing(noise, monkeypatch):
    cube = noisy(noise)
    first = denoised(cube, max_iterations=2)
    monkeypatch.setattr(basic_estimate, "repaired", lambda cube, mask, found: found)
    np.testing.assert_array_equal(denoised(cube, max_iterations=2).data, first.data)


def test_a_cube_whose_sides_are_continued_is_the_same_when_it_is_solved_again():
    cube, denoiser, found = noisy(clean=sample_cube(70, 61)), DecscDenoiser(DecscSettings(max_iterations=2)), []
    for _ in range(2):  # what the first run finds of the whole cube is held for the second
        sink = ArraySink(cube.shape)
        run(denoiser.denoise_into(cube, sink))
        found.append(np.array(sink.data))
    np.testing.assert_array_equal(*found)


def test_events_number_the_evaluations_and_begin_with_a_preview():
    iterations = []
    run(DecscDenoiser(DecscSettings(tolerance=0, max_iterations=4)).denoise(noisy()), iterations.append)
    noise, subspace, groups, first, *rest = iterations
    assert [i.stage for i in (noise, subspace, groups, first)] == ["noise model", "subspace", "groups", "groups"]
    assert groups.noise.level.shape == (31,)
    assert first.preview.data.shape == CLEAN.shape
    evaluations = [i for i in rest if i.number]
    assert [i.number for i in evaluations] == [1, 2, 3, 4] * 3
    assert [i.stage for i in evaluations] == [f"equilibrium {stage}" for stage in (1, 2, 3) for _ in range(4)]
    assert all(0 < i.bound < 1 for i in evaluations)
    assert [i.stage for i in rest if not i.number and i.rare is None] == [
        "equilibrium 1", "groups", "equilibrium 2", "groups", "equilibrium 3"
    ]  # fmt: skip
    assert all(a.elapsed <= b.elapsed for a, b in itertools.pairwise(iterations))


def test_the_preview_is_already_closer_than_the_noisy_cube():
    iterations = []
    cube = noisy("gaussian")
    run(DecscDenoiser(DecscSettings(max_iterations=1)).denoise(cube), iterations.append)
    start = next(i.preview.data for i in iterations if i.preview is not None)
    assert np.square(start - CLEAN.data).mean() < 0.2 * np.square(cube.data - CLEAN.data).mean()


def test_an_evaluation_tells_by_how_much_it_changed_the_picture():
    iterations = []
    run(DecscDenoiser(DecscSettings(tolerance=0, max_iterations=6)).denoise(noisy()), iterations.append)
    first = [i for i in iterations if i.number and i.stage == "equilibrium 1"]
    changes = [i.change for i in first]
    assert 1e-4 < changes[0] < 0.3  # the local start is not far from the fixed point, and is not it
    assert changes[-1] < 0.1 * changes[0]


def test_nobody_hears_of_stages_while_a_file_is_written(tmp_path):
    events, path = [], tmp_path / "out.hdr"
    with new_sink(noisy(), path) as sink:
        run(DecscDenoiser(DecscSettings(max_iterations=1)).denoise_into(noisy(), sink), events.append)
    stages = [event for event in events if event.rare is None]
    assert [event.number for event in stages if event.stage.startswith("equilibrium")] == [1, 1, 1]
    assert [event.stage for event in stages if not event.number] == ["groups", "groups"]


def test_stop_returns_the_estimate_so_far_and_begins_no_further_tile():
    iterations = []

    def listen(iteration):
        iterations.append(iteration)
        return Command.STOP if iteration.number == 2 else None

    result = run(DecscDenoiser(DecscSettings(tile=32)).denoise(noisy("gaussian")), listen)
    assert {i.tile for i in iterations} == {1}
    assert iterations[-1].stage == "equilibrium 1"
    assert iterations[-1].tiles == 4
    # the other tiles hold their start estimate
    assert score(CLEAN.data, result.data).mpsnr > score(CLEAN.data, noisy("gaussian").data).mpsnr + 8


@pytest.mark.parametrize("noise", ["gaussian", "mixture"])
def test_tiles_agree_with_the_whole(noise):
    # so wide that no tile sees all of it: with a margin of 16 pixels instead of 48 they differ by 1.7e-3 under mixture
    cube = noisy(noise, clean=sample_cube(32, 160))
    whole, tiled = (denoised(cube, tile=side, tolerance=1e-4, max_iterations=60) for side in (0, 32))
    assert np.sqrt(np.square(whole.data - tiled.data).mean()) < 1.2e-3


def test_gradients_and_inference_mode_are_left_as_they_were_between_events():
    states = DecscDenoiser(DecscSettings(max_iterations=2)).denoise(noisy())
    next(states)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    states.close()


def test_scale_offset_type_and_missing_values_survive():
    raw = np.round(noisy("gaussian").data * 10000).astype(np.int16)
    raw[:, 10:12, 20:23] = -9999
    cube = Cube(raw, "scaled", scale=10000.0, no_data=-9999)
    result = denoised(cube, max_iterations=4)
    assert np.all(result.data[:, 10:12, 20:23] == -9999)
    seen = raw[0] != -9999
    error = (result.data / 10000 - CLEAN.data)[:, seen]
    assert np.square(error).mean() < 0.1 * np.square(raw[:, seen] / 10000 - CLEAN.data[:, seen]).mean()
    assert result.scale == 10000.0


def test_nan_voxels_come_back_as_nan():
    data = noisy("gaussian").data.copy()
    data[3, 5, 5] = np.nan
    result = denoised(Cube(data), max_iterations=2)
    assert np.isnan(result.data[3, 5, 5])
    assert np.isnan(result.data).sum() == 1


@pytest.mark.parametrize(("share", "most"), [(0.3, 0.01), (0.5, 0.012), (0.7, 0.022), (0.9, 0.0302)])
def test_gaps_all_over_a_cube_of_few_bands_do_no_harm(share, most):
    """Twelve components would fit the eleven measured voxels of a spectrum whatever they hold: 0.024 to 0.34."""
    clean, rng = sample_cube(64, 64, 16).data, np.random.default_rng(0)
    values = (clean + 0.03 * rng.standard_normal(clean.shape)).astype(np.float32)
    gaps = rng.random(clean.shape) < share
    values[gaps] = np.nan
    result = denoised(Cube(values)).data
    assert np.isnan(result[gaps]).all()
    assert np.sqrt(np.square(result - clean)[~gaps].mean()) < most


@pytest.mark.parametrize("bands", [13, 16])
def test_impulses_in_a_cube_of_few_bands_are_no_components_of_it(bands):
    clean = sample_cube(64, 64, bands)
    for seed in (1, 2):  # 0.10 and 0.12 of 13 bands, 0.018 and 0.098 of 16, where as many as measured voxels are fitted
        result = denoised(add_noise(clean, make_noise("case4"), seed=seed))
        assert np.sqrt(np.square(result.data - clean.data).mean()) < 0.025


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 1, 40), (5, 7, 3), (40, 33, 65)])
def test_any_shape(shape):
    rng = np.random.default_rng(0)
    cube = Cube(rng.random(shape, np.float32))
    result = denoised(cube, max_iterations=2)
    assert result.data.shape == shape
    assert np.isfinite(result.data).all()


def test_a_blank_cube_comes_back_as_it_was():
    assert np.all(denoised(Cube(np.zeros((4, 8, 8), np.float32)), max_iterations=1).data == 0)


def test_paper_refuses_few_bands_and_names_the_cure():
    name = "paper" if "paper" in weights.shipped() else None
    if name is None:
        pytest.skip("the weights 'paper' are not in this build")
    with pytest.raises(DenoisingError, match="subspace"):
        denoised(noisy(clean=sample_cube(32, 32, 12)), weights=name)


def test_what_is_known_of_a_window_of_bands_is_that_of_these_bands():
    cube = add_noise(sample_cube(32, 32, 40), make_noise("non-iid"), seed=0)
    values = torch.from_numpy(cube.data)[None]
    found = identify(values, torch.ones_like(values, dtype=torch.bool), 12)
    part = found.within(slice(9, 40))
    assert torch.equal(part.sigma, found.sigma[:, 9:40])
    assert part.mean.shape == (1, 31, 1, 1)
    assert not torch.allclose(part.sigma, found.sigma[:, :31])


def test_paper_takes_more_bands_in_windows():
    if "paper" not in weights.shipped():
        pytest.skip("the weights 'paper' are not in this build")
    clean = sample_cube(32, 32, 45)
    cube, iterations = noisy("gaussian", clean), []
    result = run(DecscDenoiser(DecscSettings(weights="paper", max_iterations=12)).denoise(cube), iterations.append)
    assert iterations[-1].tiles == 2
    assert score(clean.data, result.data).mpsnr > score(clean.data, cube.data).mpsnr + 5


@pytest.mark.parametrize("tile", [0, 32])
def test_targets_that_are_kept_as_rare_are_told_with_their_place(tile):
    rng = np.random.default_rng(0)
    planted = plant(np.asarray(CLEAN.data, np.float32) / np.max(CLEAN.data), "targets", rng, 0.02)
    cube = Cube((planted.clean + rng.normal(0, 0.02, CLEAN.shape)).astype(np.float32), "targets")
    denoiser = DecscDenoiser(DecscSettings(tile=tile))
    recorder = Recorder(denoiser)
    run(denoiser.denoise(cube), recorder)
    strongest = recorder.report()["rare"]["places"][:10]
    targets = set(map(tuple, np.argwhere(planted.mask).tolist()))
    assert {(place["row"], place["col"]) for place in strongest} <= targets
    assert all(place["noise_levels"] > 2 and place["bands"] for place in strongest)


def test_a_report_tells_how_the_result_was_made():
    denoiser = DecscDenoiser(DecscSettings(tile=32, max_iterations=3, tolerance=0))
    recorder = Recorder(denoiser)
    run(denoiser.denoise(noisy()), recorder)
    report = recorder.report()
    assert report["settings"]["tile"] == 32
    assert report["weights"]["name"] == "subspace"
    assert len(report["weights"]["hash"]) == 64
    assert [len(tile["relative_residual"]) for tile in report["tiles"]] == [9, 9, 9, 9]  # three stages
    assert len(report["noise"]["level"]) == 31
    json.dumps(report)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"weights": "no-such-weights"}, DenoisingError, "choose"),
        ({"device": "quantum"}, SettingsError, "choose auto or cpu"),
        ({"memory": "1kB"}, SettingsError, "too little"),
    ],
)
def test_wrong_settings_are_refused_with_the_cure(settings, error, words):
    with pytest.raises(error, match=words):
        denoised(noisy(), **settings)


def test_weights_survive_a_round_trip(tmp_path):
    first = weights.load("subspace")
    weights.save(first.model, tmp_path / "mine.safetensors", first.metadata)
    again = weights.load(str(tmp_path / "mine.safetensors"))
    for name, tensor in first.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name])
    assert again.model.config == first.model.config
    assert again.metadata["recipe"] == first.metadata["recipe"]


def test_a_pickle_is_never_read(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "evil.safetensors")
    with pytest.raises(DenoisingError, match="never read"):
        weights.load(str(tmp_path / "evil.safetensors"))


def test_tensors_of_another_program_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(DenoisingError, match="not weights of this program"):
        weights.load(str(tmp_path / "other.safetensors"))


def test_strength_0_keeps_everything_and_more_strength_removes_more():
    cube = noisy("gaussian")
    kept, half, full = (denoised(cube, strength=strength) for strength in (0.0, 0.5, 1.0))
    assert np.array_equal(kept.data, cube.data)
    removed = [np.square(result.data - cube.data).mean() for result in (half, full)]
    assert 0 < removed[0] < removed[1]


def test_a_change_of_strength_goes_on_from_what_was_found(monkeypatch):
    cube, settings = noisy("gaussian"), DecscSettings(tile=32)
    first = DecscDenoiser(settings)
    run(first.denoise(cube))
    weaker = dataclasses.replace(settings, strength=0.5)
    afresh = run(DecscDenoiser(weaker).denoise(cube))
    monkeypatch.setattr(SubspaceModel, "begin", None)  # groups and pilot are those of the first solve
    resumed = run(first.resume(weaker).denoise(cube))
    assert np.sqrt(np.square(resumed.data - afresh.data).mean()) < 1e-3
    assert not np.array_equal(resumed.data, run(first.denoise(cube)).data)


def test_weights_and_device_are_not_loaded_again_for_other_settings(monkeypatch):
    first = DecscDenoiser()
    first.describe()
    monkeypatch.setattr(weights, "load", None)
    assert isinstance(first, ResumableDenoiser)
    again = make_denoiser("decsc", DecscSettings(strength=0.5), first)
    assert again.describe()["weights"] == first.describe()["weights"]
    with pytest.raises(TypeError):
        first.resume(DecscSettings(weights="paper")).describe()


def test_another_cube_begins_afresh():
    first = DecscDenoiser(DecscSettings(max_iterations=2))
    run(first.denoise(noisy("gaussian")))
    other = noisy("mixture")
    again = run(first.resume(first.settings).denoise(other))
    assert np.array_equal(again.data, denoised(other, max_iterations=2).data)


def test_a_stopped_run_goes_on_with_the_noise_levels_of_the_whole_cube():
    cube, settings = noisy("non-iid"), DecscSettings(tile=32)
    first = DecscDenoiser(settings)
    run(first.denoise(cube), lambda iteration: Command.STOP if iteration.number == 2 else None)
    resumed = run(first.resume(settings).denoise(cube))
    afresh = denoised(cube, tile=32)
    # the tile that was never begun before is solved as if nothing had happened
    np.testing.assert_allclose(resumed.data[:, 32:, 32:], afresh.data[:, 32:, 32:], atol=1e-5)


def test_a_scene_of_more_components_than_the_network_knows_loses_none():
    bands, drawn = 24, np.random.default_rng(0)
    images = ndimage.gaussian_filter(drawn.standard_normal((20, 64, 64)), (0, 3, 3))
    images /= images.std()
    mixing = np.linalg.qr(drawn.standard_normal((bands, 20)))[0]
    clean = Cube((0.5 + 0.08 * np.tensordot(mixing, images, 1)).astype(np.float32))
    before = add_noise(clean, make_noise("gaussian", sigma=2.0), seed=0)
    gain = score(clean.data, denoised(before).data).mpsnr - score(clean.data, before.data).mpsnr
    assert gain > 4


def test_dead_columns_of_a_cube_larger_than_its_sample_are_named_as_the_cube_counts_them(monkeypatch):
    monkeypatch.setattr("napari_decsc.deq.execution.source.SAMPLE_PIXELS", 64 * 64)
    monkeypatch.setattr("napari_decsc.deq.execution.source.LEAST_PIXELS", 64 * 64)
    values = sample_cube(160, 192, 12).data + np.random.default_rng(0).normal(0, 0.02, (12, 160, 192))
    # hardly varying; blocks of the sample show columns 0 to 31 and 160 to 191
    values[[3, 5], :, [16, 180]] = 0.25 + np.random.default_rng(1).normal(0, 1e-4, (2, 160))
    values[7, 80, 100] = 90  # a single wild voxel kills no column
    found = DecscDenoiser().measure(Cube(values.astype(np.float32)))
    assert found.dead == ((3, 16), (5, 180))
    columns = Source.of(Cube(values.astype(np.float32))).sample_columns()
    assert {-1, 16, 180} <= set(columns) <= {-1, *range(192)}
