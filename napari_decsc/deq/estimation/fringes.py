"""Fringes: plane waves, each with an amplitude and a phase of its own in every band.

Shapes: images (band, row, col), waves (2 waves, row * col), orthonormal in pairs.
"""

import math

import torch
from torch import Tensor

from napari_decsc.filters.order import medians

#: A peak must rise so far above what chance makes of as many values, in units of the noise's power around it.
MARGIN = 10.0
#: Rounds in which every frequency is found anew beside the others.
ROUNDS = 3
#: Frequencies below so many periods per image belong to the scene; how far around a peak is looked.
SLOW, AROUND = 3, 6


@torch.no_grad()
def found(noise: Tensor, most: int) -> list[tuple[float, float]]:
    """Frequencies (per row, per column), in periods per pixel, of waves in noise of variance 1, strongest first."""
    _, rows, cols = noise.shape
    if min(rows, cols) < 32:
        return []
    window = _window(rows, cols).to(noise.device)
    residual, frequencies = noise, list[tuple[float, float]]()
    for _ in range(most):
        place = _peak(residual, window, frequencies)
        if place is None:
            break
        band, row, col = place
        start = ((row if row <= rows / 2 else row - rows) / rows, col / cols)
        frequency = _refined(window * residual[band], start)
        frequencies.append(frequency)
        residual = residual - _part(residual, waves([frequency], (rows, cols), noise.device))
    return _together(noise, window, frequencies)


def _together(noise: Tensor, window: Tensor, frequencies: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Frequencies found anew beside the waves of all others, where they stand closer than the window resolves.

    Source: J. Li, P. Stoica, *Efficient mixed-spectrum estimation with applications to target feature extraction*, IEEE
    TSP 44 (1996): RELAX.
    """
    shape = (noise.shape[1], noise.shape[2])
    for _ in range(ROUNDS if len(frequencies) > 1 else 0):
        wave = waves(frequencies, shape, noise.device)
        amplitude = torch.linalg.solve(wave @ wave.T + 1e-3 * torch.eye(len(wave)).to(wave), wave @ noise.flatten(1).T)
        residual = noise - (amplitude.T @ wave).view_as(noise)
        for number, frequency in enumerate(frequencies):
            own = slice(2 * number, 2 * number + 2)
            band = int(amplitude[own].square().sum(0).argmax())
            image = residual[band] + (amplitude[own, band] @ wave[own]).view(shape)
            frequencies[number] = _refined(window * image, frequency, 0.25)
    return frequencies


def _part(images: Tensor, wave: Tensor) -> Tensor:
    """One wave of images."""
    part: Tensor = ((images.flatten(1) @ wave.T) @ wave).view_as(images)
    return part


def waves(frequencies: list[tuple[float, float]], shape: tuple[int, int], device: torch.device) -> Tensor:
    """Cosine and sine of every frequency, of norm 1: (2 waves, row * col)."""
    row, col = torch.meshgrid(torch.arange(shape[0]).double(), torch.arange(shape[1]).double(), indexing="ij")
    made = []
    for down, across in frequencies:
        phase = (2 * math.pi * (down * row + across * col)).flatten()
        made += [phase.cos(), phase.sin()]
    both = torch.stack(made)
    unit: Tensor = both / both.norm(dim=1, keepdim=True)
    return unit.float().to(device)


def fit(images: Tensor, wave: Tensor, weight: Tensor) -> Tensor:
    """The waves in images, (band, row, col), by least squares with ``weight`` (row, col)."""
    weighed = wave * weight.flatten()
    system = weighed @ wave.T
    system.diagonal().add_(1e-3 * float(system.diagonal().mean()))
    amplitude = torch.linalg.solve(system, weighed @ images.flatten(1).T)
    fitted: Tensor = (amplitude.T @ wave).view_as(images)
    return fitted


def _window(rows: int, cols: int) -> Tensor:
    window = torch.hann_window(rows, periodic=False)[:, None] * torch.hann_window(cols, periodic=False)
    normalised: Tensor = window / window.square().mean().sqrt()
    return normalised


def _peak(residual: Tensor, window: Tensor, known: list[tuple[float, float]]) -> tuple[int, int, int] | None:
    """Band, row and column of the strongest new frequency that no chance makes, of those that are not slow."""
    power = torch.fft.rfft2(window * residual).abs().square() / window.numel()
    level = medians(power.flatten(1)) / math.log(2)
    power = power / level.clamp(min=1e-12)[:, None, None]
    power[:, :SLOW, :SLOW] = 0
    power[:, 1 - SLOW :, :SLOW] = 0
    power[:, :2] = power[:, -1:] = 0  # what runs along lines belongs to them
    power[:, :, :2] = 0
    for down, across in known:  # what is left of a wave that was taken out is no wave
        row, col = round(down * residual.shape[1]) % residual.shape[1], round(across * residual.shape[2])
        power[:, max(0, row - 1) : row + 2, max(0, col - 1) : col + 2] = 0
    best = int(power.argmax())
    band, place = divmod(best, power[0].numel())
    row, col = divmod(place, power.shape[2])
    top = float(power[band, row, col])
    around = power[band, max(0, row - AROUND) : row + AROUND + 1, max(0, col - AROUND) : col + AROUND + 1]
    if top < (math.log(power.numel()) + MARGIN) * max(1.0, float(around.median()) / math.log(2)):
        return None
    return band, row, col


def _refined(image: Tensor, start: tuple[float, float], step: float = 0.5) -> tuple[float, float]:
    """The frequency near a start at which the image's power is largest, to a 64th of a period per image."""
    rows, cols = image.shape
    down, across = torch.arange(rows, device=image.device), torch.arange(cols, device=image.device)
    best, power, values = start, -1.0, image.to(torch.complex64)
    for _ in range(6):
        middle = best
        for u in (-1, 0, 1):
            for v in (-1, 0, 1):
                tried = (middle[0] + u * step / rows, middle[1] + v * step / cols)
                left = torch.exp(-2j * math.pi * tried[0] * down)
                right = torch.exp(-2j * math.pi * tried[1] * across)
                now = float((left @ values @ right).abs())
                if now > power:
                    best, power = tried, now
        step /= 2
    return best
