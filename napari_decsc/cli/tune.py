"""``napari-decsc tune``: which method and which strength suit a cube, by the error on voxels that are hidden."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer
from napari_decsc.cli.inputs import add_input_options, open_input
from napari_decsc.errors import SettingsError
from napari_decsc.registry import METHODS


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``tune``."""
    parser.add_argument("cube", metavar="CUBE", type=Path, help="noisy cube; no clean one is needed")
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="METHOD",
        help=f"methods to try [default: {' '.join(METHODS)}]",
    )  # fmt: skip
    parser.add_argument(
        "--strengths", nargs="+", type=float, default=[0.5, 1.0, 1.5], metavar="X",
        help="strengths to try, of methods that have one [default: 0.5 1 1.5]",
    )  # fmt: skip
    parser.add_argument(
        "--crop", type=int, default=128, metavar="N", help="only the central N x N pixels, 0: all [default: 128]"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which voxels are hidden [default: 0]")
    add_input_options(parser)


def run(args: argparse.Namespace) -> Answer:
    """Denoise with every candidate; rank them."""
    from napari_decsc.cli.bench_case import central
    from napari_decsc.denoising.tuning import tune
    from napari_decsc.registry import make_denoiser

    if args.crop < 0 or args.seed < 0:
        raise SettingsError("--crop and --seed must be 0 or more")
    candidates = _candidates(args.methods, args.strengths)
    cube = open_input(args.cube, args)
    cube = central(cube, args.crop) if args.crop else cube
    denoisers = {name: make_denoiser(method, settings) for name, (method, settings) in candidates.items()}
    tried = list(tune(cube, denoisers, seed=args.seed))
    rows = [{**dataclasses.asdict(one), "is_as_good": one.is_as_good} for one in tried]
    width = max(len(one.name) for one in tried)
    head = f"{'':<{width}}  distance   behind +- doubt"
    lines = [
        f"{one.name:<{width}}  {one.distance:8.4f}  {one.behind:7.4f} +- {one.doubt:.4f}"
        + "  as good" * (one is not tried[0] and one.is_as_good)
        for one in tried
    ]
    said = f"Take {tried[0].name}. Distances are in noise levels: 1 is a perfect result."
    return Answer({"cube": str(args.cube), "best": tried[0].name, "tried": rows}, "\n".join([head, *lines, said]))


def _candidates(methods: list[str], strengths: list[float]) -> dict[str, tuple[str, Any]]:
    """Words of the command line -> method and settings."""
    found: dict[str, tuple[str, Any]] = {}
    for method in methods:
        cls = METHODS[method].settings
        if "strength" not in METHODS[method].options:
            found[f"--method {method}"] = method, cls()
            continue
        for strength in strengths:
            found[f"--method {method} --strength {strength:g}"] = method, cls(strength=strength)
    return found
