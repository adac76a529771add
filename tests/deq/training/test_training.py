"""Training: patches, noise on the device, objective, and a run that stops and goes on."""

import json

import numpy as np
import pytest
import torch

from napari_decsc.deq.model.presets import SubspaceConfig, SubspaceModel
from napari_decsc.deq.training.corruption import corrupt, draw_model, usable
from napari_decsc.deq.training.data import Crops, Scene, read_scene, scene_files, scenes_of, validation_scenes
from napari_decsc.deq.training.examples import Pool, cut, prepare
from napari_decsc.deq.training.loop import train
from napari_decsc.deq.training.objective import equilibrium, error
from napari_decsc.deq.training.settings import TrainSettings
from napari_decsc.deq.weights import files as weights
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.sample import sample_cube

CPU = torch.device("cpu")
SMALL = SubspaceConfig(rank=3, width=8, deep=8, blocks=(1, 1, 1))


@pytest.fixture
def folder(tmp_path):
    """Two small training cubes, as counts."""
    for number, shift in enumerate((0, 20)):
        counts = (1000 * sample_cube(64, 96, 40).data[:, :, shift : shift + 64]).astype(np.int16)
        np.savez(tmp_path / f"cube{number}.npz", cube=counts)
    return tmp_path


def test_crops_are_windows_of_the_scenes_within_the_range():
    scene = Scene("ramp", torch.linspace(0, 1, 40)[:, None, None].expand(40, 128, 128))
    crops, rng = Crops([scene], bands=12, size=32, device=CPU), np.random.default_rng(0)
    drawn = torch.stack([crops.draw(rng) for _ in range(20)])
    assert drawn.shape == (20, 12, 32, 32)
    assert float(drawn.min()) >= 0
    assert float(drawn.max()) <= 1
    steps = drawn[:, :, 0, 0].diff(dim=1)
    # even steps along the bands, some upwards, some downwards (spectral reversal)
    torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), atol=1e-5, rtol=1e-3)
    assert bool((steps[:, 0] > 0).any())
    assert bool((steps[:, 0] < 0).any())


def test_crops_of_no_set_number_of_bands_have_many():
    scene = Scene("noise", torch.rand(120, 40, 50))
    crops, rng = Crops([scene], bands=0, size=64, device=CPU), np.random.default_rng(0)
    shapes = {tuple(crops.draw(rng).shape) for _ in range(60)}
    assert {bands for bands, *_ in shapes} == {1, 3, 8, 16, 31, 64, 100, 120}
    assert {tuple(sorted(rest)) for _, *rest in shapes} == {(40, 48)}


@pytest.mark.parametrize(("side", "size", "expected"), [(100, 160, 96), (100, 100, 96), (64, 32, 32), (330, 160, 160)])
def test_crops_are_cut_to_the_multiple_of_the_model(side, size, expected):
    scene = Scene("noise", torch.rand(4, side, side))
    crops, rng = Crops([scene], bands=4, size=size, device=CPU, multiple=32), np.random.default_rng(0)
    assert {tuple(crops.draw(rng).shape) for _ in range(20)} == {(4, expected, expected)}


def test_paper_trains_on_scenes_of_100_pixels(tmp_path):
    np.savez(tmp_path / "small.npz", cube=(1000 * sample_cube(100, 100, 31).data).astype(np.int16))
    settings = TrainSettings(
        preset="paper", warm_start="none", data=str(tmp_path), out=str(tmp_path / "run"), steps=1, batch=1, crop=160,
        patch=32, pool=1, reuse=1, solver_least=0, solver_most=0, phantom_steps=1, gain_every=0, device="cpu",
    )  # fmt: skip
    path = train(settings, lambda line: None)
    assert weights.load(str(path)).model.preset == "paper"


def test_a_new_paper_model_begins_with_the_spectra_of_its_cubes(tmp_path):
    data = sample_cube(96, 96, 31).data
    np.savez(tmp_path / "one.npz", cube=(10000 * data).astype(np.int16))
    settings = TrainSettings(
        preset="paper", warm_start="none", data=str(tmp_path), out=str(tmp_path / "run"), steps=1, batch=1, crop=96,
        patch=32, pool=1, reuse=1, solver_least=0, solver_most=0, phantom_steps=1, gain_every=0, device="cpu",
        learning_rate=0.0,
    )  # fmt: skip
    filters = weights.load(str(train(settings, lambda line: None))).model.shared.filters.detach()
    spectrum = filters[0].flatten(1).norm(dim=1).numpy()
    spectra = data.reshape(31, -1) / np.linalg.norm(data.reshape(31, -1), axis=0)  # bright and dark pixels alike
    strongest = np.abs(np.linalg.svd(spectra, full_matrices=False)[0][:, 0])
    assert spectrum @ strongest / np.linalg.norm(spectrum) > 0.99


def test_a_patch_that_does_not_fit_the_model_is_named(folder, tmp_path):
    settings = TrainSettings(preset="paper", warm_start="none", data=str(folder), out=str(tmp_path / "run"), patch=48)
    with pytest.raises(DenoisingError, match="patch is 48; the preset paper takes multiples of 32"):
        train(settings, lambda line: None)


def test_scenes_that_are_too_small_are_named():
    lines: list[str] = []
    scenes = [Scene("large", torch.rand(4, 64, 64)), Scene("tiny", torch.rand(4, 20, 64))]
    assert [scene.name for scene in Crops(scenes, 3, 32, CPU, log=lines.append).scenes] == ["large"]
    assert len(lines) == 1
    assert lines[0].startswith("tiny: passed over, 3 bands and 32 rows and cols are needed; it has 4 x 20 x 64")


def test_files_that_are_no_scenes_are_named(folder):
    np.savez(folder / "other.npz", values=np.zeros(3))
    (folder / "broken.tif").write_bytes(b"nothing")
    lines: list[str] = []
    assert [scene.name for scene in scenes_of(folder, lines.append)] == ["cube0", "cube1"]
    assert {line.split(":")[0].rsplit("/", 1)[1] for line in lines} == {"other.npz", "broken.tif"}


def test_damaged_files_and_numbers_that_would_be_taken_for_others_are_named(folder):
    import tifffile

    stack = sample_cube(64, 64, 31).data
    (folder / "broken.npz").write_bytes(b"PK no archive")
    (folder / "broken.tif").write_bytes(b"no picture")
    tifffile.imwrite(folder / "reflectance.tif", stack, photometric="minisblack")
    tifffile.imwrite(folder / "picture.tif", (255 * stack[0]).astype(np.uint8))
    np.savez(folder / "gaps.npz", cube=np.where(stack > 0.5, np.nan, stack))
    (folder / "val").mkdir()
    (folder / "val" / "broken.tif").write_bytes(b"no picture")
    lines: list[str] = []
    scenes = scenes_of(folder, lines.append)
    assert [scene.name for scene in scenes] == ["cube0", "cube1", "gaps"]
    assert all(bool(scene.data.isfinite().all()) for scene in scenes)
    assert not list(validation_scenes(folder, log=lines.append))
    said = "\n".join(lines)
    for name in ("broken.npz", "broken.tif", "picture.tif", "val/broken.tif"):
        assert f"{folder / name}: passed over" in said
    assert "31 x 64 x 64 numbers of type float32; a .tif must be a stack of uint8" in said


@pytest.mark.parametrize("content", [b"x", None])
def test_a_checkpoint_of_another_model_or_a_damaged_one_is_named(folder, tmp_path, content):
    out = tmp_path / "run"
    out.mkdir()
    if content is None:
        state = SubspaceModel(SMALL).state_dict()
        torch.save(
            {"model": state, "average": state, "optimiser": {}, "step": 1, "seconds": 1.0}, out / "checkpoint.pt"
        )
    else:
        (out / "checkpoint.pt").write_bytes(content)
    settings = TrainSettings(preset="paper", warm_start="none", data=str(folder), out=str(out), device="cpu")
    with pytest.raises(DenoisingError, match=r"checkpoint.pt: is of another model than paper, or damaged.*--out"):
        train(settings, lambda line: None)


def test_the_examples_of_a_step_do_not_depend_on_the_steps_before(folder):
    scenes = [read_scene(path) for path in scene_files(folder)]
    model = SubspaceModel(SMALL)
    went, jumped = (Pool(Crops(scenes, 8, 32, CPU), seed=3, size=2, per_step=0.5) for _ in range(2))
    for step in range(5):
        went.advance(model, step)
    jumped.advance(model, 4)
    assert list(went.examples) == list(jumped.examples) == [2, 3]
    for number in jumped.examples:
        assert torch.equal(went.examples[number].clean, jumped.examples[number].clean)


def test_a_patch_is_cut_from_everything_that_was_found():
    example = prepare(SubspaceModel(SMALL), torch.from_numpy(sample_cube(48, 64, 12).data), np.random.default_rng(0))
    part = cut(example.found, slice(8, 40), slice(4, 36))
    assert torch.equal(part.target, example.found.target[:, :, 8:40, 4:36])
    assert torch.equal(part.pilot, example.found.pilot[:, :, 8:40, 4:36])
    assert torch.equal(part.subspace.basis, example.found.subspace.basis)


def test_counts_are_scaled_to_a_peak_of_one(folder):
    scene = read_scene(scene_files(folder)[0])
    assert 0.9 < float(scene.data.max()) <= 1


def test_a_folder_without_cubes_is_named(tmp_path):
    with pytest.raises(DenoisingError, match="--data"):
        scene_files(tmp_path)


def test_blind_noise_draws_every_kind():
    rng = np.random.default_rng(0)
    names = {draw_model(rng).name for _ in range(300)}
    assert names == {"gaussian", "non-iid", "corr", "case2", "case3", "case4", "mixture"}


def test_noise_on_the_device_has_the_level_that_was_drawn(monkeypatch):
    from napari_decsc.deq.training import corruption
    from napari_decsc.hsi.noise.models import make_noise

    monkeypatch.setattr(corruption, "draw_model", lambda rng: make_noise("gaussian", sigma=51.0))
    clean = torch.full((2, 4, 128, 128), 0.5)
    noisy = corrupt(clean, np.random.default_rng(0), torch.Generator().manual_seed(0))
    assert float((noisy - clean).std()) == pytest.approx(0.2, rel=0.02)


def test_the_objective_is_the_error_by_its_yardstick():
    clean = torch.zeros(1, 2, 32, 32)
    estimate = torch.stack([torch.full((32, 32), 0.1), torch.full((32, 32), 0.01)])[None]
    estimate[..., :8, :] = 7.0  # the border does not count
    yardstick = torch.tensor([0.01, 0.0002])
    expected = (1 + 0.5) / 2 + 0.3 * (np.log(1.03) + np.log(0.53)) / 2
    assert float(error(estimate, clean, yardstick)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("depth", [0, 3])
def test_every_parameter_learns_from_the_equilibrium(depth):
    torch.manual_seed(0)
    model = SubspaceModel(SMALL)
    with torch.no_grad():  # the head starts at zero, behind which nothing else would learn
        model.refiner.leave.weight.normal_(std=0.05)
    clean = torch.from_numpy(sample_cube(32, 32, 12).data)[None]
    noisy = clean + 0.1 * torch.randn_like(clean)
    c = model.context(noisy, usable(noisy))
    z = equilibrium(model, c, depth, TrainSettings(phantom_steps=2))
    error(model.output(z, c), clean, torch.full((12,), 1e-3)).backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]
    assert still == []


def test_a_run_learns_stops_and_goes_on(folder, tmp_path):
    lines: list[str] = []
    common = {
        "data": str(folder),
        "out": str(tmp_path / "run"),
        "warm_start": "none",
        "batch": 1,
        "patch": 32,
        "crop": 32,
        "pool": 2,
        "bands": 8,
        "solver_most": 2,
        "phantom_steps": 1,
        "gain_every": 2,
        "device": "cpu",
    }
    path = train(TrainSettings(steps=2, **common), lines.append)
    assert any("gain" in line for line in lines)
    before = weights.load(str(path))
    assert before.metadata["steps"] == "2"
    train(TrainSettings(steps=3, **common), lines.append)
    assert any("going on" in line and "step 2" in line for line in lines)
    after = weights.load(str(path))
    assert after.metadata["steps"] == "3"
    assert after.hash != before.hash
    assert json.loads(after.metadata["recipe"])["preset"] == "subspace"
    assert after.metadata["data"] == "2 scenes: cube0, cube1"
    assert "contracts by 0.9999 per evaluation" in after.metadata["summary"]
    log = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [2, 3]


def test_a_warm_start_of_another_preset_is_refused(folder, tmp_path):
    settings = TrainSettings(preset="paper", warm_start="subspace", data=str(folder), out=str(tmp_path / "run"))
    with pytest.raises(DenoisingError, match="preset"):
        train(settings)


def test_a_share_of_the_weights_a_run_began_with_can_be_kept(folder, tmp_path):
    first = SubspaceModel(SMALL)
    weights.save(first, tmp_path / "first.safetensors", {})
    begun = weights.load(str(tmp_path / "first.safetensors")).model

    def trained(keep):
        settings = TrainSettings(
            warm_start=str(tmp_path / "first.safetensors"), data=str(folder), out=str(tmp_path / "run"), steps=2,
            batch=1, patch=32, crop=32, pool=2, reuse=4, solver_least=0, solver_most=0, phantom_steps=1, ema=0.0,
            keep=keep,
        )  # fmt: skip
        return weights.load(str(train(settings, lambda line: None))).model

    # the second call finds the run over, and saves what it ended with
    ended, between = trained(0.0), trained(0.25)
    moved = 0.0
    for end, begin, found in zip(ended.parameters(), begun.parameters(), between.parameters(), strict=True):
        torch.testing.assert_close(found, end.lerp(begin, 0.25), rtol=1e-2, atol=1e-5)
        moved += float((end - begin).detach().abs().sum())
    assert moved > 0
