"""Curves for the docs: how the fixed point is approached, and what training brought.

    python benchmarks/curves.py convergence feathers.hdr glass_tiles.hdr --out docs/images/convergence.png
    python benchmarks/curves.py learning docs/learning.json --out docs/images/learning.png

The first runs the cases of `convergence.py` and draws MPSNR and relative residual against evaluations of f. The second
draws the points that a file holds, as they were measured: MPSNR in dB after so many steps of training; step 0 is the
estimate that the network starts from.
"""

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

COUNT = 40
TICKS = (1, 2, 4, 8, 16, 32)
NOISES = {"gaussian-50": "Gaussian, sigma 50", "mixture": "mixture"}
STYLES = ("-", "--", ":")
GROUPS = {"CAVE": ("-", "o", "solid"), "airborne": ("--", "s", "dashed")}


def measured(args: argparse.Namespace) -> list[dict[str, Any]]:
    """A curve for every weights, cube and noise: MPSNR and relative residual after 1, 2, ... evaluations."""
    import torch
    from convergence import Problem  # beside this script

    from napari_decsc.deq.solvers.fixed_point import anderson, until
    from napari_decsc.deq.weights import files as weights

    found = []
    for name, path, noise in itertools.product(args.weights, args.cubes, NOISES):
        problem = Problem.of(weights.load(name).model, path, noise, args.crop)
        with torch.inference_mode():
            states = list(until(anderson(problem.f, problem.start), 0.0, COUNT))
            found.append({
                "weights": name, "cube": path.stem, "noise": noise,
                "mpsnr": [problem.psnr(state.z) for state in states],
                "residual": [float(state.relative_residual) for state in states],
            })  # fmt: skip
    return found


def convergence(curves: list[dict[str, Any]]) -> Figure:
    """MPSNR above, relative residual below; a column for every noise."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots(2, len(NOISES), sharex=True, sharey="row")
    names, cubes = (list(dict.fromkeys(curve[key] for curve in curves)) for key in ("weights", "cube"))
    for curve in curves:
        column = list(NOISES).index(curve["noise"])
        look = {"color": f"C{names.index(curve['weights'])}", "ls": STYLES[cubes.index(curve["cube"]) % len(STYLES)]}
        for axis, key in zip(axes[:, column], ("mpsnr", "residual"), strict=True):
            values = np.array(curve[key])
            # on a logarithmic axis there is no place for a residual of 0
            axis.plot(np.arange(1, len(values) + 1), np.where(values > 0, values, np.nan), **look,
                      label=f"{curve['weights']}, {curve['cube']}")  # fmt: skip
    for axis, noise in zip(axes[0], NOISES.values(), strict=True):
        axis.set_title(noise, fontsize=10)
    for axis in axes[1]:
        axis.axhline(1e-3, color="grey", lw=0.8, ls=":")
        axis.set(xscale="log", yscale="log", xlabel="evaluations of f")
        axis.set_xticks(TICKS, [str(tick) for tick in TICKS])
        axis.minorticks_off()
    axes[0, 0].set_ylabel("MPSNR / dB")
    axes[1, 0].set_ylabel("relative residual")
    for axis in axes.flat:
        axis.grid(alpha=0.3)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return figure


def learning(found: dict[str, Any]) -> Figure:
    """What every noise gained since the first point, a panel for every kind of weights."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    panels = figure.subplots(1, len(found))
    noises = list(found["subspace"]["CAVE"])
    for panel, (name, one) in zip(panels, found.items(), strict=True):
        steps = one["steps"]
        for group, noise in itertools.product([group for group in GROUPS if group in one], noises):
            if values := one[group].get(noise):
                line, mark, _ = GROUPS[group]
                gained = np.array(values) - values[0]
                panel.plot(steps, gained, line + mark, color=f"C{noises.index(noise)}", ms=4, label=noise)
        since = "the filter's estimate" if steps[0] == 0 else f"step {steps[0]}"
        panel.set(xlabel="steps of training", ylabel="gain in MPSNR / dB", xticks=steps)
        scenes = ", ".join(f"{group} {GROUPS[group][2]}" for group in GROUPS if group in one)
        panel.set_title(f"{name}, over {since}\n({scenes})", fontsize=9)
        panel.grid(alpha=0.3)
    handles = {label: handle for handle, label in zip(*panels[-1].get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=len(noises), fontsize=8)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    approach = commands.add_parser("convergence")
    approach.add_argument("cubes", nargs="+", type=Path)
    approach.add_argument("--crop", type=int, default=128)
    approach.add_argument("--weights", nargs="+", default=["subspace", "paper"])
    commands.add_parser("learning").add_argument("data", type=Path)
    for command in commands.choices.values():
        command.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    figure = learning(json.loads(args.data.read_text())) if args.command == "learning" else convergence(measured(args))
    figure.savefig(args.out, dpi=110)


if __name__ == "__main__":
    main()
