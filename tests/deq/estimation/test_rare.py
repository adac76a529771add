"""What is rare is found at a known rate of false alarms, whatever the noise looks like in space."""

import pytest
import torch

from napari_decsc.deq.estimation.rare import is_of_few_pixels, support
from napari_decsc.filters.local import box_mean

BASIS = torch.eye(40)[:, :4]


def noise(kind: str) -> torch.Tensor:
    white = torch.randn(1, 40, 100, 100, generator=torch.Generator().manual_seed(0))
    if kind == "white":
        return white
    smooth = box_mean(white, 3)[:, :, 2:-2, 2:-2]
    return smooth / smooth.std()


def free(found) -> float:
    where = found.where()
    return 0.0 if where is None else float((where > 0).float().mean())


@pytest.mark.parametrize("kind", ["white", "correlated in space"])
def test_noise_is_not_rare(kind: str) -> None:
    assert free(support(noise(kind), BASIS)) < 1e-3


@pytest.mark.parametrize("kind", ["white", "correlated in space"])
def test_a_pixel_that_stands_out_is_rare_and_kept(kind: str) -> None:
    rest = noise(kind)
    spectrum = torch.randn(40, generator=torch.Generator().manual_seed(1))
    target = 25 * spectrum / spectrum.norm()
    rest[0, :, 40, 50] += target
    found = support(rest, BASIS)
    assert found.where()[40, 50] > 0.9
    kept = found.code(rest)[0, :, 40, 50] @ target / target.square().sum()
    assert 0.8 < kept < 1.2


def test_a_pixel_without_hidden_voxels_is_no_target_among_those_that_have_many() -> None:
    rest, drawn = noise("white"), torch.Generator().manual_seed(2)
    weight = (torch.rand(rest.shape, generator=drawn) > 0.5).float()
    weight[..., ::10, ::10] = 1
    assert free(support(rest * weight, BASIS, weight)) < 1e-3
    assert free(support(rest * weight, BASIS)) > 3e-3  # without the weights their energy looks like signal


def test_a_component_of_one_pixel_is_told_from_one_of_many() -> None:
    images = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0))
    images[0, 10, 20] += 60
    images[1] *= 1.2
    assert is_of_few_pixels(images).tolist() == [True, False]


def test_a_smooth_spectrum_of_one_pixel_is_kept_with_less_than_its_noise() -> None:
    residual = torch.randn(1, 60, 48, 48, generator=torch.Generator().manual_seed(0))
    target = 8 * torch.exp(-((torch.linspace(-1, 1, 60) / 0.6) ** 2))
    before = residual[0, :, 20, 30].clone()
    residual[0, :, 20, 30] += target
    code = support(residual, BASIS[:60, :0].new_zeros(60, 0)).code(residual)[0, :, 20, 30]
    assert (code - target).square().sum() < 0.6 * before.square().sum()
