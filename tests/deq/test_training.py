"""Training: patches, noise on the device, objective, and a run that stops and goes on."""

import json

import numpy as np
import pytest
import torch

from napari_decsc.deq import weights
from napari_decsc.deq.model import Subspace, SubspaceConfig
from napari_decsc.deq.training.corruption import corrupt, draw_model, usable
from napari_decsc.deq.training.data import Patches, Scene, read_scene, scene_files
from napari_decsc.deq.training.loop import train
from napari_decsc.deq.training.objective import equilibrium, error
from napari_decsc.deq.training.settings import TrainSettings
from napari_decsc.hsi.errors import DenoisingError
from napari_decsc.hsi.sample import sample_cube

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    """Two small training cubes, as counts."""
    for number, shift in enumerate((0, 20)):
        counts = (1000 * sample_cube(64, 96, 40).data[:, :, shift : shift + 64]).astype(np.int16)
        np.savez(tmp_path / f"cube{number}.npz", cube=counts)
    return tmp_path


def test_patches_are_windows_of_the_scenes_within_the_range():
    scene = Scene("ramp", torch.linspace(0, 1, 40)[:, None, None].expand(40, 128, 128))
    patches = Patches([scene], bands=12, size=32, device=CPU)
    batch = patches.batch(20, np.random.default_rng(0))
    assert batch.shape == (20, 12, 32, 32)
    assert float(batch.min()) >= 0
    assert float(batch.max()) <= 1
    steps = batch[:, :, 0, 0].diff(dim=1)
    # even steps along the bands, some upwards, some downwards (spectral reversal)
    torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), atol=1e-5, rtol=1e-3)
    assert bool((steps[:, 0] > 0).any())
    assert bool((steps[:, 0] < 0).any())


def test_patches_of_one_seed_are_the_same():
    scene = Scene("noise", torch.rand(31, 80, 80))
    first, second = (Patches([scene], 31, 32, CPU).batch(3, np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(first, second)


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
    from napari_decsc.hsi.noise import make_noise

    monkeypatch.setattr(corruption, "draw_model", lambda rng: make_noise("gaussian", sigma=51.0))
    clean = torch.full((2, 4, 128, 128), 0.5)
    noisy = corrupt(clean, np.random.default_rng(0), torch.Generator().manual_seed(0))
    assert float((noisy - clean).std()) == pytest.approx(0.2, rel=0.02)


def test_the_objective_is_the_mean_log_error():
    clean = torch.zeros(1, 2, 32, 32)
    estimate = torch.stack([torch.full((32, 32), 0.1), torch.full((32, 32), 0.01)])[None]
    estimate[..., :8, :] = 7.0  # the border does not count
    expected = (np.log(1e-2 + 3e-6) + np.log(1e-4 + 3e-6)) / 2 + 0.055
    assert float(error(estimate, clean)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("depth", [0, 3])
def test_every_parameter_learns_from_the_equilibrium(depth):
    torch.manual_seed(0)
    model = Subspace(SubspaceConfig(low=(8, 6, 4), width=32, heads=2))
    with torch.no_grad():  # heads start at zero, behind which nothing else would learn
        for name, parameter in model.named_parameters():
            if name.endswith(("gate.weight", "addition.weight", "gate2")):
                parameter.normal_(std=0.05)
    clean = torch.from_numpy(sample_cube(32, 32, 12).data)[None]
    noisy = clean + 0.1 * torch.randn_like(clean)
    c = model.context(noisy, usable(noisy))
    z = equilibrium(model, c, depth, TrainSettings(phantom_steps=2))
    error(model.output(z, c), clean).backward()
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
    log = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [2, 3]


def test_a_warm_start_of_another_preset_is_refused(folder, tmp_path):
    settings = TrainSettings(preset="paper", warm_start="subspace", data=str(folder), out=str(tmp_path / "run"))
    with pytest.raises(DenoisingError, match="preset"):
        train(settings)
