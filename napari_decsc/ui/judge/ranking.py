"""Bands ranked by their noise, and which of them a person may want to mark as bad. No window here."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import MeasuredNoise

#: A band whose noise is this many times that of its neighbours stands out of the spectrum.
STANDS_OUT = 4.0
#: Neighbours on each side that a band's noise is compared with.
REACH = 3
HEADINGS = ("band", "wavelength", "level", "SNR (dB)", "suspect")


@dataclass(frozen=True)
class BandNoise:
    """One band: its index, wavelength (NaN: unknown), noise level, SNR in dB, and why it may be bad ("" if not).

    ``short`` says why in so few words that they fit into a column.
    """

    band: int
    wavelength: float
    level: float
    snr: float
    reason: str
    short: str = ""


def ranked(noise: MeasuredNoise, cube: Cube) -> list[BandNoise]:
    """All bands, the worst first: empty ones, then by SNR."""
    lengths = cube.wavelengths if cube.wavelengths is not None else np.full(cube.bands, np.nan)
    around = _around(np.asarray(noise.level, float))
    found = [
        BandNoise(
            band, float(lengths[band]), float(noise.level[band]), float(noise.snr[band]), *reason(noise, around, band)
        )
        for band in range(cube.bands)
    ]
    empty = noise.empty or {}
    worth = {one.band: one.snr if np.isfinite(one.snr) and one.band not in empty else -np.inf for one in found}
    return sorted(found, key=lambda one: (worth[one.band], one.band))


def reason(noise: MeasuredNoise, around: NDArray[np.float64], band: int) -> tuple[str, str]:
    """Why a band may be bad, in words and in few: empty, louder than its signal, or louder than its neighbours."""
    empty = noise.empty or {}
    if band in empty:
        return f"holds nothing ({empty[band]})", "empty"
    level, signal = float(noise.level[band]), float(noise.signal[band])
    if not np.isfinite(level):
        return "could not be measured", "unknown"
    if level > 0 and signal <= level:
        return "noise louder than the signal", "all noise"
    if level > STANDS_OUT * around[band] > 0:
        times = f"{level / around[band]:.0f}"
        return f"noise {times} times that of the bands around it", f"noise × {times}"
    return "", ""


def suggested(bands: Sequence[BandNoise], count: int) -> NDArray[np.bool_]:
    """True for the bands that may be bad, shape (band,)."""
    bad = np.zeros(count, bool)
    bad[[one.band for one in bands if one.reason]] = True
    return bad


def as_csv(bands: Sequence[BandNoise], unit: str) -> str:
    """A table with one line a band, in the order given; bands are counted from 1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["band", f"wavelength ({unit})" if unit else "wavelength", "level", "snr_db", "suggested_bad"])
    for one in bands:
        writer.writerow([one.band + 1, *(_number(v) for v in (one.wavelength, one.level, one.snr)), one.reason])
    return text.getvalue()


def _around(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median level of the neighbours of every band, itself left out; NaN where none was measured."""
    padded = np.pad(level, REACH, constant_values=np.nan)
    offsets = [offset for offset in range(2 * REACH + 1) if offset != REACH]
    neighbours = np.stack([padded[offset : offset + level.size] for offset in offsets])
    some = np.asarray(np.isfinite(neighbours).any(axis=0))
    return np.array([np.nanmedian(neighbours[:, band]) if some[band] else np.nan for band in range(level.size)])


def _number(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else ""
