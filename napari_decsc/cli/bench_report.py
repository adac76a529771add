"""What a benchmark found: margins over the best classical method, a Markdown table, a plot."""

import io
import math
import os
import platform
from collections.abc import Sequence
from typing import Any

#: The method that is measured against the others.
OURS = "decsc"

#: Panels of the plot beside each other.
MOST_ACROSS = 6

_COLUMNS = (
    "cube", "noise", "method", "noisy PSNR", "PSNR", "SSIM", "SAM", "CPU s", "peak MB", "PSNR − best", "CPU ÷ best",
)  # fmt: skip


def with_margins(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each with "versus_best_classical" on the same cube and noise.

    Its keys: method (the classical one of highest MPSNR), mpsnr_difference in dB, cpu_ratio. None where there is no
    classical method to compare with.
    """
    return [{**row, "versus_best_classical": _margin(row, _best_classical(row, rows))} for row in rows]


def _best_classical(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    rivals = [
        other
        for other in rows
        if "denoised" in other
        and other["method"] != OURS
        and (other["cube"], other["noise"]) == (row["cube"], row["noise"])
    ]
    return max(rivals, key=lambda rival: rival["denoised"]["mpsnr"], default=None)


def _margin(row: dict[str, Any], best: dict[str, Any] | None) -> dict[str, Any] | None:
    if best is None or "denoised" not in row:
        return None
    cpu = best["cpu_seconds"]
    return {
        "method": best["method"],
        "mpsnr_difference": row["denoised"]["mpsnr"] - best["denoised"]["mpsnr"],
        "cpu_ratio": row["cpu_seconds"] / cpu if cpu > 0 else None,
    }


def machine() -> dict[str, Any]:
    """What the times were measured on."""
    return {"system": platform.system(), "machine": platform.machine(), "cpus": os.cpu_count()}


def markdown(result: dict[str, Any]) -> str:
    """The result as a Markdown document with one table."""
    on = result["machine"]
    head = (
        f"# Benchmark\n\nSeed {result['seed']}, {on['cpus']} CPU cores ({on['system']} {on['machine']}). "
        "PSNR in dB and SSIM are means over bands, SAM is in degrees. CPU seconds are those of all threads; peak MB "
        "is the largest resident memory of a process that does this row alone. *best*: the classical method with the "
        "highest PSNR on the same cube and noise.\n"
    )
    table = [_line(_COLUMNS), _line(["---"] * 3 + ["---:"] * (len(_COLUMNS) - 3))]
    table += [_line(_cells(row)) for row in result["rows"]]
    failed = [row for row in result["rows"] if "error" in row]
    errors = [f"- {row['cube']}, {row['noise']}, {row['method']}: {row['error']}" for row in failed]
    tail = "\nNot measured:\n\n" + "\n".join(errors) + "\n" if errors else ""
    return head + "\n" + "\n".join(table) + "\n" + tail


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: dict[str, Any]) -> list[str]:
    names = [row["cube"], row["noise"], row["method"]]
    if "error" in row:
        return names + ["–"] * (len(_COLUMNS) - 3)
    scores, versus, peak = row["denoised"], row["versus_best_classical"], row["peak_memory_bytes"]
    ratio = None if versus is None else versus["cpu_ratio"]
    return [
        *names,
        f"{row['noisy']['mpsnr']:.2f}",
        f"{scores['mpsnr']:.2f}",
        f"{scores['mssim']:.4f}",
        f"{math.degrees(scores['sam']):.2f}",
        f"{row['cpu_seconds']:.1f}",
        "–" if peak is None else f"{peak / 1e6:.0f}",
        "–" if versus is None else f"{versus['mpsnr_difference']:+.2f}",
        "–" if ratio is None else f"{ratio:.2f}",
    ]


def plot(rows: Sequence[dict[str, Any]]) -> bytes:
    """Quality against time as a PNG: a panel for every noise, a mark for every cube and method."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    done = [row for row in rows if "denoised" in row]
    noises, methods = (list(dict.fromkeys(row[key] for row in done)) for key in ("noise", "method"))
    across = min(MOST_ACROSS, max(1, len(noises)))
    down = max(1, -(-len(noises) // across))
    figure = Figure(figsize=(3.2 * across + 1, 3.6 * down), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel in panels[len(noises) :]:
        panel.set_visible(not noises)
    for panel, noise in zip(panels, noises, strict=False):
        for place, method in enumerate(methods):
            points = [row for row in done if (row["noise"], row["method"]) == (noise, method)]
            # a logarithmic axis has no place for 0
            x = [max(row["cpu_seconds"], 1e-3) for row in points]
            y = [row["denoised"]["mpsnr"] for row in points]
            panel.plot(x, y, "osD^vP*X"[place % 8], label=method, color=f"C{place}", markersize=8)
        panel.set(title=noise, xlabel="CPU seconds", xscale="log")
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter("{x:g}")
        panel.grid(alpha=0.3)
    for panel in panels[::across]:
        panel.set_ylabel("PSNR / dB")
    if noises:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120)
    return stream.getvalue()
