"""``napari-decsc benchmark``: methods x noise cases x cubes, seeded; a table, a JSON file and a plot."""

import argparse
import sys
from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer
from napari_decsc.cli.bench_case import GROUPS, NOISE_CASES, Case, cases_of, clean_cube, noise_of, run_case_apart
from napari_decsc.cli.options import add_settings, make_settings, unused_settings
from napari_decsc.cli.peers import PEERS, benchmarked, make_benchmarked
from napari_decsc.errors import SettingsError
from napari_decsc.registry import METHODS, settings_classes

FILES = ("benchmark.json", "benchmark.md", "benchmark.png")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``benchmark``."""
    cases = " ".join(NOISE_CASES)
    parser.add_argument("cubes", metavar="CUBE", nargs="*", type=Path, help="clean cubes [default: built-in sample]")
    methods = "methods to compare"
    noise = f"noise cases, noise models with their default settings, or {' and '.join(GROUPS)}, which are many cases"
    peers = f"{' and '.join(PEERS)} run only when named, with the package of that name, which is not part of this one"
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=benchmarked(),
        default=list(METHODS),
        metavar="METHOD",
        help=f"{methods}; {peers} [default: {' '.join(METHODS)}]",
    )
    parser.add_argument(
        "--noise", nargs="+", default=list(NOISE_CASES), metavar="CASE", help=f"{noise} [default: {cases}]"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same noise [default: 0]")
    parser.add_argument("--crop", type=int, default=0, metavar="N", help="only the central N x N pixels of each cube")
    where = f"where to write {', '.join(FILES)} [default: runs/benchmark]"
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), metavar="FOLDER", help=where)
    parser.add_argument("--overwrite", action="store_true", help="replace the results of an earlier benchmark")
    add_settings(parser, settings_classes())


def run(args: argparse.Namespace) -> Answer:
    """Run every case in a process of its own, write the results."""
    from napari_decsc.cli.bench_report import machine, markdown, plot, with_margins
    from napari_decsc.cli.outputs import check_outputs, write_bytes, write_text
    from napari_decsc.denoising.report import as_json, versions

    cases = _cases(args)
    args.out.mkdir(parents=True, exist_ok=True)
    paths = [args.out / name for name in FILES]
    check_outputs(paths, overwrite=args.overwrite)
    rows = with_margins([_run(case, f"{place} of {len(cases)}") for place, case in enumerate(cases, start=1)])
    result = {"seed": args.seed, "crop": args.crop, "machine": machine(), "versions": versions(), "rows": rows}
    write_text(paths[0], as_json(result) + "\n")
    write_text(paths[1], markdown(result))
    write_bytes(paths[2], plot(rows))
    return Answer({**result, "files": [str(path) for path in paths]}, markdown(result))


def _cases(args: argparse.Namespace) -> list[Case]:
    """All cases, with everything that can be checked beforehand checked."""
    if args.crop < 0 or args.seed < 0:
        raise SettingsError("--crop and --seed must be 0 or more")
    classes = {name: method.settings for name, method in benchmarked().items()}
    unused = unused_settings(args, [classes[name] for name in args.methods])
    if unused:
        raise SettingsError(f"{', '.join(unused)} belongs to none of the methods {', '.join(args.methods)}")
    settings = {name: make_settings(args, classes, name, others_allowed=True) for name in args.methods}
    for name in (peer for peer in PEERS if peer in settings):
        make_benchmarked(name, settings[name])  # says what is missing
    cubes = args.cubes or [None]
    if len({cube.stem for cube in args.cubes}) < len(args.cubes):
        raise SettingsError("two of the cubes have the same name; rename one, so that the table can tell them apart")
    cases = cases_of(args.noise)
    for noise in cases:
        noise_of(noise)
    for cube in cubes:
        clean_cube(cube, args.crop)
    return [
        Case(cube, noise, method, settings[method], args.seed, args.crop)
        for cube in cubes
        for noise in cases
        for method in args.methods
    ]


def _run(case: Case, place: str) -> dict[str, Any]:
    row = run_case_apart(case)
    found = row.get("error") or f"{row['denoised']['mpsnr']:.2f} dB, {row['cpu_seconds']:.1f} CPU s"
    print(f"{place}: {row['cube']}, {row['noise']}, {row['method']}: {found}", file=sys.stderr, flush=True)
    return row
