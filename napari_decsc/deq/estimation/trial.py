"""Which of several noise models serves a cube better, told by the cube itself.

Noise of the measured kind is added to the cube, and the same noise, larger, taken from it. The two copies have the
scene in common and independent noise. So whatever predicts the second from the first best is nearest to the scene.

Source: T. Pang, H. Zheng, Y. Quan, H. Ji, *Recorrupted-to-recorrupted: unsupervised deep learning for image denoising*,
CVPR 2021.

Shapes: one cube (band, row, col).
"""

from dataclasses import replace

import torch
from torch import Tensor

from napari_decsc.deq.estimation import shot
from napari_decsc.deq.estimation.lines import Lines
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.filters.local import local_wiener

#: How much of the noise is added; its inverse is taken away.
ADDED = 0.5


@torch.no_grad()
def best(cube: Tensor, models: list[NoiseModel], lines: list[Lines]) -> NoiseModel:
    """The model by which a local filter predicts best; the first of equals.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Peak 1, as it came: without its lines its brightness is not known.
    models : list of NoiseModel
        Each with a growth with the signal and a basis.
    lines : list of Lines
        Those whose offsets do not count as errors: both copies have them.

    Returns
    -------
    NoiseModel
        One of them.
    """
    # the transform knows the variance of every voxel; one scale per pixel has the same for all bands
    noise = _drawn(cube, min(models, key=lambda model: model.shot is not None and model.shot.by_pixel))
    level = noise.square().mean((1, 2))
    target = cube - noise / ADDED
    errors = []
    for model in models:
        error = _filtered(cube + ADDED * noise, model) - target
        for line in lines:
            error = line.without(error)
        errors.append(float((error.square().mean((1, 2)) / level).mean()))
    return models[errors.index(min(errors))]


def _drawn(cube: Tensor, model: NoiseModel) -> Tensor:
    """Noise of the kind of a model."""
    generator = torch.Generator().manual_seed(0)
    white = torch.randn(cube.shape, generator=generator).to(cube.device)
    whitener = model.whitener(cube)
    values = whitener.unmixed(white) * model.level[:, None, None]
    if whitener.scale is not None:
        return values * whitener.scale
    return values if model.shot is None else values * model.shot.variance(shot.smooth(cube)).sqrt()


def _filtered(cube: Tensor, model: NoiseModel) -> Tensor:
    """A cube with so much more noise, filtered in the model's basis."""
    more = (1 + ADDED**2) ** 0.5
    growth = model.shot
    if growth is None or growth.by_pixel:
        model = replace(model, level=more * model.level)
    else:
        model = replace(model, shot=replace(growth, shot=more**2 * growth.shot, read=more * growth.read))
    assert model.basis is not None
    whitener = model.whitener(cube)
    values = whitener.whitened(cube)
    mean = values.mean((1, 2), keepdim=True)
    if model.basis.shape[1] == 0:
        return whitener.restored(mean.expand_as(cube).contiguous())
    images = (model.basis.T @ (values - mean).flatten(1)).view(1, -1, *cube.shape[1:])
    smooth = local_wiener(images)[0][0].flatten(1)
    return whitener.restored((model.basis @ smooth).view_as(cube) + mean)
