"""How a run stands, and how it ended, each in one line."""

from typing import Any

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.ui.denoise.forecast import duration


def progress(last: Iteration, seconds_left: float | None, notice: str = "") -> str:
    """Where a run is, in one line; below it what the denoiser wants a person to know."""
    parts = [f"Evaluation {last.number}"]
    if last.tiles > 1:
        parts.append(f"tile {last.tile} of {last.tiles}")
    if last.number > 0:
        parts.append(f"relative residual {last.relative_residual:.1e}")
    parts.append(f"{last.elapsed:.1f} s")
    if seconds_left is not None:
        parts.append(f"about {duration(seconds_left)} left")
    return " · ".join(parts) + noticed(notice)


def noticed(text: str) -> str:
    """A denoiser's word as a sentence on a line of its own; nothing for nothing."""
    return f"\n{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def summary(report: dict[str, Any], tolerance: float | None) -> str:
    """How the run ended, in one line."""
    histories = [tile["relative_residual"] for tile in report["tiles"] if tile["relative_residual"]]
    if not histories:
        return f"Done in {report['seconds']:.1f} s."
    worst = max(history[-1] for history in histories)
    evaluations = max(map(len, histories))
    how = "Stopped by you, best estimate kept," if report["stopped"] else _how(worst, tolerance)
    return f"{how} after {evaluations} evaluations · relative residual {worst:.1e} · {report['seconds']:.1f} s"


def _how(worst: float, tolerance: float | None) -> str:
    if tolerance is None:
        return "Done"
    return "Converged" if worst <= tolerance else "Ended above the tolerance"
