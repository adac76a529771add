"""What is rare is found at a known rate of false alarms, whatever the noise looks like in space."""

import pytest
import torch

from napari_decsc.deq.estimation.rare import support
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
