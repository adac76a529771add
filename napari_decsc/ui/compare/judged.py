"""Judgements of cubes as people read them: captions, tables and the quantities of the plot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_decsc.ui.compare.quality import Floats, Judgement
from napari_decsc.ui.parts import scoring


@dataclass(frozen=True, eq=False)
class JudgedCube:
    """A layer, its name and colour when it was judged, and the judgement."""

    layer: Any
    name: str
    colour: str
    judgement: Judgement


@dataclass(frozen=True)
class Quantity:
    """Something to draw for every band: how to get it (None where it is unknown), and how to draw it."""

    of: Callable[[Judgement], Floats | None]
    label: str
    help: str
    log: bool = False


#: What the plot offers, by name.
QUANTITIES = {
    "PSNR of each band": Quantity(
        lambda found: None if found.scores is None else found.scores.band_psnr,
        "PSNR (dB)",
        "Against the clean cube; higher is better",
    ),
    "SSIM of each band": Quantity(
        lambda found: None if found.scores is None else found.scores.band_ssim,
        "SSIM",
        "Structural similarity to the clean cube; 1 is identical",
    ),
    "Noise of each band": Quantity(
        lambda found: found.noise,
        "noise level",
        "Standard deviation of the noise, estimated from differences of neighbours; no clean cube is needed",
        log=True,
    ),
    "Structure of what was removed": Quantity(
        lambda found: found.structure,
        "structure removed",
        "How alike neighbours are in noisiest minus this cube: 0 as independent noise is, towards 1 as an image is. "
        "Bands that stand out may have lost signal",
    ),
}


def caption(found: Judgement) -> str:
    """The line below a cube's name on the canvas."""
    if found.scores is None:
        return f"noise {_median(found.noise)}"
    mpsnr, mssim, *_ = scoring.cells(found.scores)
    return f"{mpsnr} · {mssim}"


def tables(judged: Sequence[JudgedCube]) -> str:
    """Scores of the cubes whose clean cube is known; where there is none, noise and structure of all."""
    scored = [one for one in judged if one.judgement.scores is not None]
    if scored:
        rows = [(one.name, scoring.cells(one.judgement.scores)) for one in scored if one.judgement.scores is not None]
        return scoring.figures(scoring.HEADINGS, rows, [one.colour for one in scored])
    rows = [(one.name, (_median(one.judgement.noise), _median(one.judgement.structure))) for one in judged]
    headings = ("noise", "structure removed")
    note = "<p>Medians over bands. Structure removed: 0 as noise is, towards 1 as an image is.</p>"
    return scoring.figures(headings, rows, [one.colour for one in judged]) + note


def _median(values: Floats | None) -> str:
    if values is None or not np.isfinite(values).any():
        return "–"
    return f"{float(np.nanmedian(values)):.3g}"
