"""Did it remove my signal? A verdict on a real cube, of which nobody knows the clean one.

What was removed should be noise and nothing else: white in space and along the bands where the measured noise is, the
same where the scene is bright or structured as elsewhere, and nowhere stronger over the bands together than chance.
Each is tested with a known law (:mod:`.whiteness`, :mod:`.lost_structure`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.denoising.lost_structure import FALSE_ALARM, Energies, Place, places
from napari_decsc.denoising.removed import Removed
from napari_decsc.denoising.whiteness import Sums, Whiteness
from napari_decsc.hsi.band_list import format_bands
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import MeasuredNoise

Doubles = NDArray[np.float64]

#: Noise levels between two grey levels from which a third of the noise's variance or more is rounding: 2^2 / 12.
COARSE = 2.0
#: Correlation below which likeness is no matter, however certain it is.
NO_MATTER = 0.02
#: Share of energy below which it is none.
NO_MATTER_TEXTURE = 0.05


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was removed from a cube, how white it is, and where structure may have gone.

    Arrays over bands hold NaN for bands that cannot be judged: empty ones, and those from which nothing was removed.

    Parameters
    ----------
    removed : float array, shape (band,)
        Root mean square of what was removed, outliers left out, as a share of that of the denoised band.
    share : float
        The same over all judged bands.
    space, bands, signal, texture : Whiteness
        Likeness of neighbouring pixels, of neighbouring bands, to the denoised band, and energy where the scene has
        structure: how much more than the noise explains, and the chance of it, shape (band,).
    scores : float32 array, shape (row, col)
        Powers of ten by which chance is against what was removed around a pixel, over the bands together.
    places : tuple of Place
        Where that is more than `false_alarm` allows, worst first, 20 at most.
    count : int
        How many such places there are.
    false_alarm : float
        Probability that a cube of pure noise that was removed whole has any.
    outliers : int
        Voxels that stand more than 6 noise levels out of what was removed.
    noise_is_measured : bool
        Whether the noise's own correlations, lines and waves were known; if not, they count as suspicious.
    is_coarse : bool
        Whether grey levels lie further apart than the noise: rounding follows the scene then, and counts as suspicious.
    """

    removed: Doubles
    share: float
    space: Whiteness
    bands: Whiteness
    signal: Whiteness
    texture: Whiteness
    scores: NDArray[np.float32]
    places: tuple[Place, ...]
    count: int
    outliers: int
    noise_is_measured: bool
    is_coarse: bool = False
    false_alarm: float = FALSE_ALARM

    @property
    def worst(self) -> Place | None:
        """The place where structure is most likely to have gone."""
        return self.places[0] if self.places else None

    @property
    def suspicions(self) -> dict[str, NDArray[np.int64]]:
        """Kind of likeness -> bands, from 0, in which it is neither chance nor small; only kinds that have some."""
        kinds = {"space": self.space, "bands": self.bands, "signal": self.signal, "texture": self.texture}
        found = {
            name: _suspect(kind, NO_MATTER_TEXTURE if name == "texture" else NO_MATTER) for name, kind in kinds.items()
        }
        return {name: bands for name, bands in found.items() if bands.size}

    @property
    def is_clean(self) -> bool:
        """Whether nothing says that signal was removed."""
        return not self.suspicions and not self.count

    @property
    def sentence(self) -> str:
        """The verdict for a person: what was removed, how white it is, where structure may have gone."""
        if not np.isfinite(self.share):
            return "Nothing was removed that could be judged."
        outliers = f" and {self.outliers} outlier{'s' * (self.outliers > 1)}" if self.outliers else ""
        removed = f"Removed {percent(self.share)} of the signal (root mean square){outliers}"
        parts = [removed, self._white(), self._where()]
        if self.is_coarse and not self.is_clean:
            parts.append("grey levels are coarser than the noise, so that rounding alone looks like structure")
        return "; ".join(parts) + "."

    def _white(self) -> str:
        suspicions = self.suspicions
        if not suspicions:
            most = max(_largest(self.space.excess), _largest(self.bands.excess))
            alike = "as the noise" if self.noise_is_measured else "white"
            return f"it is {alike} in space and along the bands (neighbours correlate by {most:.3f} more at most)"
        words = [
            f"{_said(name, _largest(getattr(self, name).excess[bands]))} in {_bands(bands, len(self.removed))}"
            for name, bands in suspicions.items()
        ]
        doubt = "" if self.noise_is_measured else ", unless the noise is"
        return f"it is not {'as the noise' if self.noise_is_measured else 'white'}: {', '.join(words)}{doubt}"

    def _where(self) -> str:
        if self.worst is None:
            return f"no place shows lost structure (a false alarm in {100 * self.false_alarm:g} % of cubes)"
        many = "a place" if self.count == 1 else f"{self.count} places"
        return f"structure may have gone at {many}, the worst around row {self.worst.row}, col {self.worst.col}"

    def describe(self) -> dict[str, Any]:
        """Everything but the map, ready for JSON; bands, rows and cols count from 0.

        Returns
        -------
        dict of str to object
            Numbers, lists and texts.
        """
        kinds = {"space": self.space, "bands": self.bands, "signal": self.signal, "texture": self.texture}
        return {
            "sentence": self.sentence,
            "is_clean": self.is_clean,
            "removed_share": self.share,
            "removed_share_of_bands": _listed(self.removed),
            **{name: {"excess": _listed(kind.excess), "chance": _listed(kind.chance)} for name, kind in kinds.items()},
            "suspicions": {name: bands.tolist() for name, bands in self.suspicions.items()},
            "places": [vars(place) for place in self.places],
            "place_count": self.count,
            "false_alarm": self.false_alarm,
            "outliers": self.outliers,
            "noise_is_measured": self.noise_is_measured,
            "is_coarse": self.is_coarse,
        }


#: Kind of likeness -> how it is said, with its size.
_WORDS = {
    "space": "neighbouring pixels correlate by {:.2f}",
    "bands": "neighbouring bands correlate by {:.2f}",
    "signal": "it correlates with the signal by {:.2f}",
    "texture": "it is {} stronger where the scene has structure",
}


def judge(noisy: Cube, denoised: Cube, noise: MeasuredNoise | None = None) -> Verdict:
    """Judge what a denoising removed.

    The cubes are read twice, in tiles: they may be memory maps of any size.

    Parameters
    ----------
    noisy, denoised : Cube
        Before and after, of one shape.
    noise : MeasuredNoise, optional
        What was measured of the noise: its correlations, lines and waves explain as much of what was removed. Without
        it, noise counts as white, with the levels that were removed.

    Returns
    -------
    Verdict
        See there.

    Raises
    ------
    CubeError
        If the shapes differ.
    """
    removed = Removed(noisy, denoised, noise)
    sums, energies = Sums(removed), Energies(removed, noise)
    for part in removed.parts() if len(removed.bands) else ():
        sums.add(part)
        energies.add(part)
    found = sums.whitenesses(noise)
    scores = energies.scores()
    listed, count = places(scores)
    level = removed.level.astype(np.float64) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        share = float(np.sqrt((found.energy * level).sum() / (found.scene * level).sum()))
        band_share = np.sqrt(found.energy / found.scene)

    def spread(values: Doubles) -> Doubles:
        over_all = np.full(noisy.bands, np.nan)
        over_all[removed.bands] = values
        return over_all

    space, bands, signal, texture = (
        Whiteness(spread(kind.excess), spread(kind.chance))
        for kind in (found.space, found.bands, found.signal, found.texture)
    )
    return Verdict(
        spread(band_share), share, space, bands, signal, texture, scores, listed, count, removed.outliers,
        noise is not None,
        noise is not None and len(level) > 0 and noise.step > COARSE * float(np.median(removed.level)),
    )  # fmt: skip


def _suspect(kind: Whiteness, no_matter: float) -> NDArray[np.int64]:
    """Bands that a kind of likeness makes suspect; all kinds and bands together are wrong in `FALSE_ALARM` of cubes."""
    judged = max(1, int(np.isfinite(kind.chance).sum()))
    return np.flatnonzero((kind.chance < FALSE_ALARM / (4 * judged)) & (kind.excess > no_matter))


def _largest(values: Doubles) -> float:
    return float(np.nanmax(values, initial=0.0))


def _said(kind: str, excess: float) -> str:
    return _WORDS[kind].format(percent(excess) if kind == "texture" else excess)


def percent(share: float) -> str:
    """A share with two digits, such as "0.33 %", or "120 %" where it is more than all.

    Parameters
    ----------
    share : float
        1 is all.

    Returns
    -------
    str
    """
    if 0 < share < 5e-5:
        return "less than 0.01 %"
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"


def _bands(bands: NDArray[np.int64], of: int) -> str:
    if len(bands) == of:
        return "all bands"
    chosen = np.zeros(of, bool)
    chosen[bands] = True
    return f"band{'s' if len(bands) > 1 else ''} {format_bands(chosen)}" if len(bands) < 9 else f"{len(bands)} bands"


def _listed(values: Doubles) -> list[float | None]:
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]
