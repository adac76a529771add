"""What the search for noise looks at: the signal's components, what is beside them, offset lines, colour in space."""

import pytest
import torch
import torch.nn.functional as F

from napari_decsc.deq.estimation import correlation
from napari_decsc.deq.estimation.components import beside, components, level_of_differences
from napari_decsc.deq.estimation.lines import Lines, offset_share

BANDS, SIDE = 24, 64


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(BANDS, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    """A cube of two smooth images, and their orthonormal spectra."""
    place = torch.arange(SIDE) / 9
    images = torch.stack([20 * torch.sin(place)[:, None].expand(SIDE, SIDE), 8 * torch.cos(place).expand(SIDE, SIDE)])
    spectra = torch.linalg.qr(torch.randn(BANDS, 2, generator=torch.Generator().manual_seed(9)))[0]
    cube = torch.tensordot(spectra, images, 1)
    return cube - cube.mean((1, 2), keepdim=True), spectra


def test_components_of_a_smooth_scene_are_found_and_noise_alone_is_beside_them():
    clean, spectra = scene()
    noisy = clean + noise()
    basis, count = components(noisy, 1.0, 10)
    assert count == 2
    assert float((basis @ (basis.T @ spectra) - spectra).norm()) < 0.05
    left = beside(noisy, basis)
    assert float((basis.T @ left.flatten(1)).abs().max()) < 1e-3
    assert float(left.square().mean()) == pytest.approx(1 - 2 / BANDS, rel=0.02)


def test_no_more_components_than_may_be():
    assert components(scene()[0] + noise(), 1.0, 1)[1] == 1


def test_noise_alone_has_no_component():
    assert components(noise(), 1.0, 10)[1] == 0


def test_the_level_of_differences_does_not_see_the_scene():
    assert level_of_differences(scene()[0] + 0.5 * noise()).tolist() == pytest.approx([0.5] * BANDS, rel=0.1)


@pytest.mark.parametrize("angle", [0.0, 90.0])
def test_lines_count_in_the_bands_in_which_they_are_offset(angle: float):
    offsets = torch.randn(BANDS, SIDE, generator=torch.Generator().manual_seed(2))
    offsets[: BANDS // 2] = 0
    striped = noise() + (offsets[:, None] if angle == 0 else offsets[:, :, None])
    here, across = Lines((SIDE, SIDE), angle), Lines((SIDE, SIDE), 90 - angle)
    assert offset_share(striped, here) == 0.5
    assert offset_share(striped, across) == 0


def test_smoothed_noise_is_coloured_in_space_and_white_noise_is_not():
    assert correlation.in_space(noise()) is None
    smooth = F.avg_pool2d(noise()[None], 3, 1, 1)[0]
    spectrum = correlation.in_space(smooth / smooth.std())
    assert spectrum is not None
    assert float(spectrum.mean()) == pytest.approx(1, rel=1e-3)
    assert float(spectrum.view(8, 8)[1, 1]) > 2 > 0.2 > float(spectrum.view(8, 8)[5, 5])
