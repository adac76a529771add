"""Scores as people read them."""

import math
from collections.abc import Sequence

from napari_decsc.hsi.metrics import Scores

HEADINGS = ("", "MPSNR (dB)", "MSSIM", "SAM (°)", "ERGAS")


def cells(scores: Scores) -> tuple[str, ...]:
    """MPSNR in dB, MSSIM, SAM in degrees, ERGAS."""
    return (
        _number(scores.mpsnr, 2),
        _number(scores.mssim, 4),
        _number(scores.sam_degrees, 2),
        _number(scores.ergas, 2),
    )


def table(rows: Sequence[tuple[str, Scores]]) -> str:
    """Scores as a small HTML table, one row a cube."""
    lines = ["<table cellspacing='0' cellpadding='3'><tr>", *(f"<th align='right'>{text}</th>" for text in HEADINGS)]
    for name, scores in rows:
        numbers = "".join(f"<td align='right'>{text}</td>" for text in cells(scores))
        lines.append(f"</tr><tr><td>{name}</td>{numbers}")
    return "".join(lines) + "</tr></table>"


def _number(value: float, digits: int) -> str:
    if math.isinf(value):
        return "∞"
    return "–" if math.isnan(value) else f"{value:.{digits}f}"
