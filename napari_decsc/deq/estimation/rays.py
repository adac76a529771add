"""The angle of lines that run obliquely: their power lies on a ray of the spectrum."""

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.estimation.lines import Lines

#: Degrees between two angles that are tried.
STEP = 0.5
#: Radii of a ray.
RADII = 64
#: A ray must hold so many times the power elsewhere at the same radius.
POWER = 3.0
#: A ray is lines only if it is evenly filled: the median of its power by the mean.
EVEN = 0.25
#: Degrees by which two angles must differ.
APART = 3.0


@torch.no_grad()
def strongest_ray(noise: Tensor, known: list[float]) -> float | None:
    """The angle of the lines that hold most, if there are any.

    Parameters
    ----------
    noise : tensor of shape (band, row, col)
        Of variance 1.
    known : list of float
        Angles that are not looked at again.

    Returns
    -------
    float or None
        Degrees off the columns; None if there are no lines, or fewer than 48 rows or columns.
    """
    _, rows, cols = noise.shape
    if min(rows, cols) < 48:
        return None
    window = torch.hann_window(rows, periodic=False)[:, None] * torch.hann_window(cols, periodic=False)
    window = (window / window.square().mean().sqrt()).to(noise.device)
    power = torch.zeros_like(noise[0])
    for band in noise:
        power += torch.fft.fft2(window * band).abs().square()
    power = _by_radius(power / (window.numel() * len(noise)))
    angles = torch.arange(0, 180, STEP)
    along = _sampled(torch.fft.fftshift(power), angles)
    for index in along.argsort(descending=True)[:5].tolist():
        angle = float(angles[index])
        if float(along[index]) < POWER:
            return None
        if any(_apart(angle, other) < APART for other in known):
            continue
        lines = _best(noise, angle)
        return lines.angle if _even(noise, lines) else None
    return None


def _by_radius(power: Tensor) -> Tensor:
    """Power divided by the median of its radius: noise that is correlated in space has no direction."""
    rows, cols = power.shape
    radius = (torch.fft.fftfreq(rows)[:, None].square() + torch.fft.fftfreq(cols).square()).sqrt().to(power.device)
    ring = (radius * 64).long().clamp(max=45)
    result = power.clone()
    for number in range(int(ring.max()) + 1):
        inside = ring == number
        if int(inside.sum()) > 4:
            result[inside] = power[inside] / power[inside].median().clamp(min=1e-12)
    result[0, 0] = 1
    return result


def _sampled(power: Tensor, angles: Tensor) -> Tensor:
    """Median of a centred spectrum along the ray at every angle."""
    rows, cols = power.shape
    radii = torch.linspace(0.06, 0.48, RADII)
    down = torch.sin(torch.deg2rad(angles))[:, None] * radii * rows + rows // 2
    across = torch.cos(torch.deg2rad(angles))[:, None] * radii * cols + cols // 2
    grid = torch.stack([across / (cols - 1) * 2 - 1, down / (rows - 1) * 2 - 1], -1).to(power)
    sampled = F.grid_sample(power[None, None], grid[None], align_corners=True, padding_mode="border")[0, 0]
    return sampled.median(1).values.cpu()  # lines hold power at every radius, waves at one


def _best(noise: Tensor, angle: float) -> Lines:
    """The lines near an angle that hold most."""
    tried = [angle + 0.25 * step for step in range(-6, 7)]
    shape = (noise.shape[1], noise.shape[2])
    lines = [Lines(shape, each, noise.device) for each in tried]
    return max(lines, key=lambda each: float(each.gather(noise).square().mean()))


def _even(noise: Tensor, lines: Lines) -> bool:
    """Whether offsets are white across the lines, which those of a few plane waves are not."""
    weight = noise.new_ones(lines.shape)
    offsets = lines.fit(noise, weight, noise.new_full((len(noise),), 1e-3))[:, 8:-8]
    power = torch.fft.rfft(offsets).abs().square()
    return float((power.median(1).values / power.mean(1)).median()) > EVEN


def _apart(a: float, b: float) -> float:
    return abs((a - b + 90) % 180 - 90)
