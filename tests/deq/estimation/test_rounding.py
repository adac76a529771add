"""Rounding as noise of a known level."""

import numpy as np
import torch

from napari_decsc.deq.estimation.rounding import measured
from napari_decsc.hsi.sample import sample_cube


def rounded(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    clean = sample_cube(64, 64, 12).data.astype(np.float32)
    clean /= clean.max()
    return torch.from_numpy(clean), torch.from_numpy((np.round((count - 1) * clean) / (count - 1)).astype(np.float32))


def test_the_step_is_found_and_no_voxel_leaves_its_level() -> None:
    clean, cube = rounded(200)
    found = measured(cube, torch.ones_like(cube, dtype=torch.bool))
    assert found is not None
    assert torch.allclose(found.step, torch.tensor(1 / 199), rtol=1e-3)
    result = found.without(cube)
    assert float((result - clean).square().mean()) < 0.8 * float((cube - clean).square().mean())
    assert torch.equal(torch.round(199 * result), torch.round(199 * cube))


def test_bands_without_levels_stay_and_a_cube_without_any_has_none() -> None:
    clean, cube = rounded(200)
    cube[3] = clean[3]
    found = measured(cube, torch.ones_like(cube, dtype=torch.bool))
    assert found is not None
    assert torch.equal(found.without(cube)[3], clean[3])
    assert measured(clean, torch.ones_like(cube, dtype=torch.bool)) is None


def test_flat_fields_on_their_levels_stay() -> None:
    rng = np.random.default_rng(0)
    fields = rng.integers(0, 200, (12, 4, 4)).repeat(16, 1).repeat(16, 2) / 199
    cube = torch.from_numpy(fields.astype(np.float32))
    found = measured(cube, torch.ones_like(cube, dtype=torch.bool))
    assert found is not None
    inside = (np.arange(64) % 16 > 4) & (np.arange(64) % 16 < 11)
    change = (found.without(cube) - cube)[:, inside][:, :, inside]
    assert float(change.abs().max()) < 1e-5
