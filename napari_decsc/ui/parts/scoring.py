"""Scores as people read them."""

import html
import math
from collections.abc import Sequence
from itertools import zip_longest

from napari_decsc.hsi.metrics import Scores

HEADINGS = ("MPSNR", "MSSIM", "SAM", "ERGAS")
#: A longer name gets a line of its own above its figures.
SHORT = 12


def cells(scores: Scores) -> tuple[str, ...]:
    """MPSNR in dB, MSSIM, SAM in degrees, ERGAS."""
    return (
        f"{_number(scores.mpsnr, 2)} dB",
        _number(scores.mssim, 4),
        f"{_number(scores.sam_degrees, 2)}°",
        _number(scores.ergas, 2),
    )


def table(rows: Sequence[tuple[str, Scores]], colours: Sequence[str] = ()) -> str:
    """Scores as a small HTML table, one row a cube; ``colours`` are those of the cubes' curves."""
    return figures(HEADINGS, [(name, cells(scores)) for name, scores in rows], colours)


def figures(headings: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], colours: Sequence[str] = ()) -> str:
    """Figures of named cubes as a small HTML table."""
    lines = [_row("", headings, "th")]
    for (name, texts), colour in zip_longest(rows, colours):
        mark = f"<span style='color:{colour}'>▬</span> " if colour else ""
        title = mark + html.escape(name)
        if len(name) > SHORT:
            lines.append(f"<tr><td colspan='{1 + len(headings)}'>{title}</td></tr>")
            title = ""
        lines.append(_row(title, texts, "td"))
    return f"<table width='100%' cellspacing='0' cellpadding='2'>{''.join(lines)}</table>"


def _row(title: str, texts: Sequence[str], tag: str) -> str:
    columns = "".join(f"<{tag} align='right'>{text.replace(' ', '&nbsp;')}</{tag}>" for text in texts)
    return f"<tr><td>{title}</td>{columns}</tr>"


def _number(value: float, digits: int) -> str:
    if math.isinf(value):
        return "∞"
    return "–" if math.isnan(value) else f"{value:.{digits}f}"
