"""Fringes: plane waves in single bands, each with an amplitude and a phase of its own.

Interference in a thin detector makes them, and pick-up in its electronics. A wave is a product of one along the rows
and one along the columns, so its part of an image takes a few small products.

Shapes: images (band, row, col).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_decsc.deq.estimation.regression import beside_other_bands
from napari_decsc.filters.order import medians

#: A peak must rise so far above what chance makes of as many values, in units of the noise's power around it.
MARGIN = 10.0
#: Waves of a band at most.
MOST = 5
#: Rounds in which the frequencies of several waves are found beside the others.
ROUNDS = 3
#: Frequencies below so many periods per image belong to the scene.
SLOW = 3
#: How far around a peak is looked, frequencies each way.
AROUND = 6
#: Distance of the ring about a peak that it must stand out of.
RING = 3
#: A wave of another band, as near as this in periods per image ...
NEAR = 1.5
#: ... and so many times as strong, shows through what mixes the bands.
STRONGER = 3.0
#: Amplitudes are found with so much of their own weight as a ridge.
RIDGE = 1e-3


@dataclass(frozen=True)
class Wave:
    """A plane wave of one band.

    Parameters
    ----------
    band : int
        From 0.
    down : float
        Periods per row.
    across : float
        Periods per column.
    """

    band: int
    down: float
    across: float


@torch.no_grad()
def found(noise: Tensor, known: tuple[Wave, ...] = ()) -> tuple[Wave, ...]:
    """The strongest wave of every band.

    Parameters
    ----------
    noise : tensor of shape (band, row, col)
        Of variance 1.
    known : tuple of Wave
        Beside which others are looked for.

    Returns
    -------
    tuple of Wave
        One for each band that has one; none where there are fewer than 32 rows or columns.
    """
    rows, cols = noise.shape[1:]
    if min(rows, cols) < 32:
        return ()
    window = _window(rows, cols).to(noise.device)
    return tuple(_refined(window * noise[wave.band], wave, 0.5) for wave in _peaks(noise, window, known))


@torch.no_grad()
def found_in_cube(cube: Tensor) -> tuple[Wave, ...]:
    """Waves of a noisy cube: those that other bands do not show, the strongest of every band first.

    A wave of one band is no scene, while what is periodic in the scene is in all of them.
    What mixes the bands mixes their waves: they are looked for anew once the strongest are out.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Noisy, in any unit.

    Returns
    -------
    tuple of Wave
        Up to 5 for each band.
    """
    waves: tuple[Wave, ...] = ()
    for _ in range(MOST):
        residual, level, _ = beside_other_bands(cube - fit(cube, waves))
        new = found(residual / level[:, None, None], waves)
        if not new:
            break
        waves = together((*waves, *new), cube)
    return waves


def fit(images: Tensor, waves: tuple[Wave, ...], weight: Tensor | None = None) -> Tensor:
    """The waves of every band as an image, by weighted least squares.

    Parameters
    ----------
    images : tensor of shape (band, row, col)
        In any unit.
    waves : tuple of Wave
        Their frequencies.
    weight : tensor of shape (row, col), optional
        1 if not given.

    Returns
    -------
    tensor of shape (band, row, col)
        0 in bands without a wave.
    """
    fitted = torch.zeros_like(images)
    for band in sorted({wave.band for wave in waves}):
        own = [wave for wave in waves if wave.band == band]
        down, across = _factors(own, (images.shape[1], images.shape[2]), images)
        fitted[band] = _drawn(_amplitudes(images[band], down, across, weight), down, across)
    return fitted


def amplitudes(images: Tensor, waves: tuple[Wave, ...]) -> list[float]:
    """The amplitude of every wave in its band, each by itself.

    Parameters
    ----------
    images : tensor of shape (band, row, col)
        In any unit.
    waves : tuple of Wave
        Their frequencies.

    Returns
    -------
    list of float
        In the unit of the images.
    """
    sizes = []
    for wave in waves:
        image = images[wave.band]
        down, across = _factors([wave], (image.shape[0], image.shape[1]), images)
        sizes.append(2 * float((down @ image.to(down.dtype) @ across.T).abs()) / image.numel())
    return sizes


def _factors(waves: list[Wave], shape: tuple[int, int], like: Tensor) -> tuple[Tensor, Tensor]:
    """exp(i phase) along the rows (wave, row) and along the columns (wave, col)."""
    factors = []
    for frequencies, extent in (([w.down for w in waves], shape[0]), ([w.across for w in waves], shape[1])):
        phase = torch.tensor(frequencies, dtype=torch.float64)[:, None] * torch.arange(extent)
        factors.append(torch.polar(torch.ones_like(phase), 2 * math.pi * phase).to(like.device, torch.complex64))
    return factors[0], factors[1]


def _amplitudes(image: Tensor, down: Tensor, across: Tensor, weight: Tensor | None) -> Tensor:
    """Complex amplitudes (wave,): the image is nearest to the real part of their sum."""
    count, weight = len(down), torch.ones_like(image) if weight is None else weight
    weighed, weight = (weight * image).to(down.dtype), weight.to(down.dtype)
    moment = torch.einsum("kr,rc,kc->k", down, weighed, across)
    pairs = [
        torch.einsum("jr,kr,rc,jc,kc->jk", down, other_down, weight, across, other_across)
        for other_down, other_across in ((down, across), (down.conj(), across.conj()))
    ]
    system = moment.real.new_zeros(2 * count, 2 * count)
    system[:count, :count] = (pairs[1] + pairs[0]).real / 2
    system[count:, count:] = (pairs[1] - pairs[0]).real / 2
    system[:count, count:] = (pairs[0] - pairs[1]).imag / 2
    system[count:, :count] = system[:count, count:].T.clone()
    system.diagonal().add_(RIDGE * float(system.diagonal().mean()))
    solution = torch.linalg.solve(system, torch.cat([moment.real, moment.imag]))
    return torch.complex(solution[:count], -solution[count:])


def _drawn(amplitude: Tensor, down: Tensor, across: Tensor) -> Tensor:
    image: Tensor = ((amplitude[:, None] * down).T @ across).real
    return image


def together(waves: tuple[Wave, ...], cube: Tensor) -> tuple[Wave, ...]:
    """Frequencies of bands with several waves found anew, each beside the others of its band.

    They may stand closer than the window resolves. Source: J. Li, P. Stoica, *Efficient mixed-spectrum estimation with
    applications to target feature extraction*, IEEE TSP 44 (1996): RELAX.

    Parameters
    ----------
    waves : tuple of Wave
        Frequencies as first found.
    cube : tensor of shape (band, row, col)
        Noisy, in any unit.

    Returns
    -------
    tuple of Wave
        In the same order.
    """
    renewed = list(waves)
    window = _window(*cube.shape[1:]).to(cube.device)
    for band in {wave.band for wave in waves}:
        own = [number for number, wave in enumerate(renewed) if wave.band == band]
        image = cube[band] - cube[band].mean()
        for _ in range(ROUNDS if len(own) > 1 else 0):
            for number in own:
                others = [renewed[other] for other in own if other != number]
                down, across = _factors(others, (image.shape[0], image.shape[1]), image)
                alone = image - _drawn(_amplitudes(image, down, across, None), down, across)
                renewed[number] = _refined(window * alone, renewed[number], 0.25)
    return tuple(renewed)


def _window(rows: int, cols: int) -> Tensor:
    window = torch.hann_window(rows, periodic=False)[:, None] * torch.hann_window(cols, periodic=False)
    normalised: Tensor = window / window.square().mean().sqrt()
    return normalised


def _peaks(residual: Tensor, window: Tensor, known: tuple[Wave, ...]) -> list[Wave]:
    """Every band's strongest wave that no chance makes, of those that are not slow and not another band's."""
    rows, cols = residual.shape[1:]
    power = torch.fft.rfft2(window * residual).abs().square() / window.numel()
    whole = power / (medians(power.flatten(1)) / math.log(2)).clamp(min=1e-12)[:, None, None]
    power = whole.clone()
    power[:, :SLOW, :SLOW] = 0
    power[:, 1 - SLOW :, :SLOW] = 0
    power[:, :2] = power[:, -1:] = 0  # what runs along lines belongs to them
    power[:, :, :2] = 0
    for wave in known:  # what is left of a wave that was taken out is no wave
        row, col = round(wave.down * rows) % rows, round(wave.across * cols)
        power[wave.band, max(0, row - 1) : row + 2, max(0, col - 1) : col + 2] = 0
    tops, places = power.flatten(1).max(1)
    peaks: list[tuple[float, int, int, int]] = []
    for band in tops.argsort(descending=True).tolist():
        row, col = divmod(int(places[band]), power.shape[2])
        shown = any(top > STRONGER**2 * tops[band] and abs(r - row) + abs(c - col) <= NEAR for top, _, r, c in peaks)
        if not shown and float(tops[band]) > (math.log(power.numel()) + MARGIN) * _about(whole[band], row, col):
            peaks.append((float(tops[band]), band, row, col))
    return [Wave(band, (row if row <= rows / 2 else row - rows) / rows, col / cols) for _, band, row, col in peaks]


def _about(power: Tensor, row: int, col: int) -> float:
    """The power about a place, at least 1: a wave is narrow, and what is correlated in space is not."""
    around = power[max(0, row - AROUND) : row + AROUND + 1, max(0, col - AROUND) : col + AROUND + 1]
    close = power[max(0, row - RING) : row + RING + 1, max(0, col - RING) : col + RING + 1]
    inner = power[max(0, row - RING + 1) : row + RING, max(0, col - RING + 1) : col + RING]
    ring = float(close.sum() - inner.sum()) / max(1, close.numel() - inner.numel())
    return max(1.0, float(around.median()) / math.log(2), ring)


def _refined(image: Tensor, start: Wave, step: float) -> Wave:
    """The frequency near a start at which the image's power is largest, to a 64th of a period per image."""
    rows, cols = image.shape
    down, across = torch.arange(rows, device=image.device), torch.arange(cols, device=image.device)
    best, power, values = (start.down, start.across), -1.0, image.to(torch.complex64)
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
    return Wave(start.band, *best)
