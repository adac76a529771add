"""What ``denoise --dry-run`` says: the plan of a run, before anything is computed or written."""

from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer
from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube, counted


def forecast(noisy: Cube, output: Path, method: str, settings: Any) -> Answer:
    """Tiles, memory and time. Raises SettingsError for a method that does not work in tiles."""
    from napari_decsc.hsi.io.files import can_stream
    from napari_decsc.registry import make_denoiser

    denoiser: Any = make_denoiser(method, settings)
    if not hasattr(denoiser, "plan"):
        raise SettingsError(f"--dry-run: {method} works on the whole cube at once and has no plan; it belongs to decsc")
    plan = denoiser.plan(noisy.shape, streamed=can_stream(output))
    first, further = denoiser.seconds(plan)
    few = min(10, settings.max_iterations)
    seconds = {count: first + (count - 1) * further for count in (few, settings.max_iterations)}
    data = {
        "input": str(noisy.source or noisy.name), "output": str(output), **plan.as_dict(),
        "seconds_for_10_evaluations_per_tile": round(seconds[few], 1),
        "seconds_at_most": round(seconds[settings.max_iterations], 1),
    }  # fmt: skip
    return Answer(data, _text(data, seconds, settings.max_iterations))


def _text(plan: dict[str, Any], seconds: dict[int, float], limit: int) -> str:
    size = 4 * plan["bands"] * plan["rows"] * plan["cols"]
    windows = plan["windows_of_bands"]
    rows, cols = plan["tile_with_margins"]
    few = min(10, limit)
    return "\n".join(
        (
            f"{plan['input']}: {counted(plan['bands'], 'band')} x {counted(plan['rows'], 'row')} x "
            f"{counted(plan['cols'], 'col')}, "
            f"{_bytes(size)} as float32, on {plan['device']}",
            f"tiles:  {plan['tiles']} of {plan['tile_side']} pixels ({rows} x {cols} with margins)"
            + (f", each in {windows} windows of bands" if windows > 1 else ""),
            f"memory: about {_bytes(plan['memory_bytes'])} of {_bytes(plan['budget_bytes'])}",
            f"time:   about {_time(seconds[few])} if every stage takes {counted(few, 'evaluation')}, "
            f"at most {_time(seconds[limit])} ({limit})",
            "Nothing was computed or written.",
        )
    )


def _bytes(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
