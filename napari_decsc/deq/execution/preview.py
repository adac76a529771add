"""The first preview, shown while noise and subspace of the whole cube are still looked for. No result depends on it.

Estimation looks at up to 256 x 256 pixels. A few blocks of them tell noise levels and spectral basis nearly as well,
and are enough for a local Wiener estimate; of a large image, that of every n-th pixel of every n-th row: what a person
sees within the first second need not be sharp.
"""

import numpy as np
import torch
import torch.nn.functional as F

from napari_decsc.denoising.protocol import Preview
from napari_decsc.deq.execution.session import tensors
from napari_decsc.deq.execution.source import Source, Values, sample_pixels
from napari_decsc.deq.model.base import Decsc
from napari_decsc.errors import is_out_of_memory

#: What the preview is found on: a quarter of the sample that estimation takes, but no fewer pixels ...
FEWEST = 64 * 64
#: ... and no more ...
MOST = 96 * 96
#: ... fewer if they have more voxels than this.
VOXELS = 300_000
#: Voxels that are estimated, about, at most: every second pixel of a large image is enough for a first preview.
SHOWN = 1_000_000
#: No preview where estimation looks at fewer voxels ...
SAMPLED = 400_000
#: ... or at less than so many times as much: it is there as soon.
WORTH = 1.5
#: No preview of a cube of more bytes: it is held in memory, beside the result.
BYTES = 1 << 28


def worthwhile(shape: tuple[int, int, int], spare: int) -> bool:
    """Whether a cube is worth a first preview, and memory holds it.

    Parameters
    ----------
    shape : tuple of int
        Bands, rows, columns.
    spare : int
        Bytes of memory.

    Returns
    -------
    bool
    """
    bands, rows, cols = shape
    sampled = min(rows * cols, sample_pixels(bands))
    takes_long = bands * sampled >= SAMPLED and sampled >= WORTH * _mosaic_pixels(shape)
    return takes_long and 4 * bands * rows * cols <= min(BYTES, spare)


def make(model: Decsc, device: torch.device, source: Source) -> Preview | None:
    """A rough estimate of the whole cube; None where the model has none, or the device's memory does not do.

    Parameters
    ----------
    model : Decsc
        That estimates.
    device : torch device
        Where it is computed.
    source : Source
        The noisy cube.

    Returns
    -------
    Preview or None
        In raw units.
    """
    shape = source.shape
    try:
        preview = _estimated(model, device, source, _step(shape))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    if preview is None:
        return None
    _, rows, cols = shape
    everywhere = slice(0, rows), slice(0, cols)
    whole = _enlarged(preview, _step(shape))[:, :rows, :cols]
    return Preview(source.raw(whole, *everywhere), *everywhere)


def _estimated(model: Decsc, device: torch.device, source: Source, step: int) -> Values | None:
    with model.computing():
        subspace = model.identify_roughly(*tensors(source.sample(_mosaic_pixels(source.shape)), device))
        if subspace is None:
            return None
        cube = model.preview(*tensors(source.thinned(step), device), subspace)
    return None if cube is None else cube[0].cpu().numpy()


def _mosaic_pixels(shape: tuple[int, int, int]) -> int:
    bands, rows, cols = shape
    sampled = min(rows * cols, sample_pixels(bands))
    return max(FEWEST, min(MOST, VOXELS // bands, sampled // 4))


def _step(shape: tuple[int, int, int]) -> int:
    """Every how many pixels are estimated."""
    bands, rows, cols = shape
    step = 1
    while bands * -(-rows // step) * -(-cols // step) > SHOWN:
        step += 1
    return step


def _enlarged(values: Values, step: int) -> Values:
    """The pixels between those that were estimated, by straight lines; (step row, step col) of them."""
    if step == 1:
        return values
    _, rows, cols = values.shape
    size = (rows - 1) * step + 1, (cols - 1) * step + 1
    between = F.interpolate(torch.from_numpy(values)[None], size, mode="bilinear", align_corners=True)[0]
    return np.pad(between.numpy(), ((0, 0), (0, step - 1), (0, step - 1)), mode="edge")
