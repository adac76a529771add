"""The noise of one cube, as it was measured: what a sensor engineer would ask for, in the cube's physical units.

It is found from the cube alone (:mod:`napari_decsc.deq.estimation`), and stands in every report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import counted

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LineOffsets:
    """Offsets of whole lines of pixels, and their gains.

    Parameters
    ----------
    angle : float
        Direction of the lines, degrees from the columns: 0 for columns, 90 for rows.
    level : float array, shape (band,)
        Standard deviation of the offsets of a band's lines, physical units; 0 where a band has none.
    gain : float
        Standard deviation of the lines' gains about 1.
    """

    angle: float
    level: Floats
    gain: float = 0.0

    @property
    def name(self) -> str:
        """What such lines are called: columns, rows, or lines at an angle."""
        return {0.0: "columns", 90.0: "rows"}.get(
            round(self.angle, 3), f"lines {self.angle:.1f} degrees off the columns"
        )


@dataclass(frozen=True, eq=False)
class Fringe:
    """A plane wave in one band.

    Parameters
    ----------
    band : int
        Index of the band, from 0.
    period : float
        Pixels.
    angle : float
        Direction in which it runs, degrees from the rows' direction (along a row: 0).
    amplitude : float
        Physical units.
    """

    band: int
    period: float
    angle: float
    amplitude: float


@dataclass(frozen=True, eq=False)
class MeasuredNoise:
    """What was found of a cube's noise.

    Parameters
    ----------
    level : float array, shape (band,)
        Standard deviation of what is random from voxel to voxel, physical units; NaN for an empty band.
    correlation : float array, shape (band, band)
        Correlation of that noise between bands.
    spectrum : float array, shape (8, 8)
        Its energy in the cosine coefficients of patches of 8 x 8 pixels (vertical, horizontal frequency), mean 1; all 1
        for noise that is white in space.
    signal : float array, shape (band,)
        Standard deviation of the signal in space, physical units.
    shot : float array, shape (band,)
        Growth of the noise's variance with the signal, physical units: variance = read^2 + shot * signal; 0: none.
    read : float array, shape (band,)
        Noise level where there is no signal, physical units.
    lines : tuple of LineOffsets
        Offsets and gains of columns, rows or oblique lines.
    fringes : tuple of Fringe
        Plane waves.
    dead : tuple of (band, column)
        Columns of a band that carry no information, from 0.
    outliers : int
        Voxels that no noise of this kind explains (impulses, wild values).
    empty : dict of int to str
        Bands that hold nothing, from 0, and why.
    step : float
        Distance of grey levels, physical units; 0 where values are continuous or noise hides it.
    hidden : int
        Voxels that were not measured: no data, or stuck on the floor or the ceiling of the scale.
    """

    level: Floats
    correlation: Floats
    spectrum: Floats
    signal: Floats
    shot: Floats
    read: Floats
    lines: tuple[LineOffsets, ...] = ()
    fringes: tuple[Fringe, ...] = ()
    dead: tuple[tuple[int, int], ...] = ()
    outliers: int = 0
    empty: dict[int, str] | None = None
    step: float = 0.0
    hidden: int = 0

    @property
    def snr(self) -> Floats:
        """Signal to noise ratio of every band, dB: 20 log10(signal / level); NaN for an empty band, shape (band,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio: Floats = (20 * np.log10(self.signal / self.level)).astype(np.float32)
        return ratio

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of noise that were found, in words."""
        away = self.correlation - np.eye(len(self.level))
        named = {
            "correlated between bands": bool(np.nanmax(np.abs(away), initial=0) > 0.2),
            "correlated in space": bool(np.abs(self.spectrum - 1).max() > 0.5),
            "grows with the signal": bool(np.any(self.shot > 0)),
            "fringes": bool(self.fringes),
            "dead columns": bool(self.dead),
            "outliers": self.outliers > 0,
            "grey levels": self.step > 0,
        }
        offsets = tuple(f"offsets of {lines.name}" for lines in self.lines)
        return offsets + tuple(name for name, there in named.items() if there)

    def over_bands(self, bands: int, left_out: Mapping[int, str]) -> "MeasuredNoise":
        """The same with the bands that were left out of the measurement among the others.

        Parameters
        ----------
        bands : int
            Of the whole cube.
        left_out : mapping of int to str
            Such a band, from 0, and why; the others are those of this noise, in order.

        Returns
        -------
        MeasuredNoise
            Levels of bands that were left out are NaN, offsets of their lines 0.
        """
        kept = np.setdiff1d(np.arange(bands), list(left_out))
        correlation = np.eye(bands, dtype=np.float32)
        correlation[np.ix_(kept, kept)] = self.correlation

        def spread(values: Floats, missing: float = np.nan) -> Floats:
            whole = np.full(bands, missing, np.float32)
            whole[kept] = values
            return whole

        return replace(
            self,
            correlation=correlation,
            level=spread(self.level),
            signal=spread(self.signal),
            shot=spread(self.shot),
            read=spread(self.read),
            lines=tuple(replace(lines, level=spread(lines.level, 0)) for lines in self.lines),
            fringes=tuple(replace(fringe, band=int(kept[fringe.band])) for fringe in self.fringes),
            dead=tuple((int(kept[band]), col) for band, col in self.dead),
            empty={**{int(kept[band]): why for band, why in (self.empty or {}).items()}, **left_out},
        )

    def sentences(self) -> list[str]:
        """The noise in a few sentences for a person.

        Returns
        -------
        list of str
            One kind of noise a sentence.
        """
        level = self.level[np.isfinite(self.level)]
        if level.size == 0:
            return ["No band holds anything that could be measured."]
        low, middle, high = np.percentile(level, (0, 50, 100))
        several = f" in the median band ({low:.4g} to {high:.4g})" if level.size > 1 else ""
        white = f"It is white in space{' and between bands' if level.size > 1 else ''}."
        found = [f"Noise level {middle:.4g}{several}.", f"Found: {', '.join(self.kinds)}." if self.kinds else white]
        for lines in self.lines:
            many = counted(int(np.count_nonzero(lines.level)), "band")
            gain = f", gains by {100 * lines.gain:.1f} %" if lines.gain else ""
            found.append(f"{lines.name.capitalize()} of {many} are offset by {lines.level.max():.4g} at most{gain}.")
        if self.dead:
            where = counted(len({band for band, _ in self.dead}), "band")
            found.append(f"{counted(len(self.dead), 'dead column')} in {where}.")
        if self.outliers:
            found.append(f"{counted(self.outliers, 'voxel')} {'is' if self.outliers == 1 else 'are'} beyond all noise.")
        if self.empty:
            found.append(f"{counted(len(self.empty), 'band')} {'holds' if len(self.empty) == 1 else 'hold'} nothing.")
        return found

    def describe(self) -> dict[str, Any]:
        """Everything but the matrices' full size, ready for JSON; arrays as lists.

        Returns
        -------
        dict of str to object
            Numbers, lists and texts.
        """
        return {
            "kinds": list(self.kinds),
            "level": _listed(self.level),
            "snr_db": _listed(self.snr),
            "correlation_of_neighbours": _listed(np.diagonal(self.correlation, 1)),
            "spectrum": [_listed(row) for row in self.spectrum],
            "shot": _listed(self.shot),
            "read": _listed(self.read),
            "lines": [
                {"name": lines.name, "angle": lines.angle, "level": _listed(lines.level), "gain": lines.gain}
                for lines in self.lines
            ],
            "fringes": [vars(fringe) for fringe in self.fringes],
            "dead_columns": [list(place) for place in self.dead],
            "outliers": self.outliers,
            "empty_bands": {str(band): reason for band, reason in (self.empty or {}).items()},
            "grey_level": self.step,
            "hidden": self.hidden,
        }


def _listed(values: NDArray[Any]) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
