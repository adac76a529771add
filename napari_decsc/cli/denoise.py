"""``napari-decsc denoise``: a denoised copy of a cube, and the report of how it was made."""

import argparse
from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer
from napari_decsc.cli.inputs import add_input_options, add_type_option, open_input
from napari_decsc.cli.options import add_settings, make_settings
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.errors import CubeError, FileFormatError
from napari_decsc.methods import METHODS


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``denoise``."""
    summaries = "; ".join(f"{name}: {method.summary}" for name, method in METHODS.items())
    parser.add_argument("input", metavar="IN", type=Path, help="noisy cube")
    parser.add_argument(
        "output", metavar="OUT", type=Path, help="file to write: .hdr (ENVI), .tif, .npz or .npy, such as denoised.hdr"
    )
    parser.add_argument("--method", choices=METHODS, default="decsc", help=f"{summaries} [default: decsc]")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write how it was made, as JSON")
    parser.add_argument("--reference", metavar="CUBE", type=Path, help="clean cube, to score before and after")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT and FILE if they exist")
    add_input_options(parser)
    add_type_option(parser)
    add_settings(parser, {name: method.settings for name, method in METHODS.items()})


def run(args: argparse.Namespace) -> Answer:
    """Check everything that can be checked, then denoise, then write."""
    from napari_decsc.cli.outputs import (
        check_cube_output,
        check_not_inputs,
        check_outputs,
        check_type,
        save_cube,
        write_text,
    )
    from napari_decsc.hsi.report import as_json

    settings = make_settings(args, {name: method.settings for name, method in METHODS.items()}, args.method)
    noisy = open_input(args.input, args)
    reference = None if args.reference is None else open_input(args.reference, args)
    _check_reference(noisy, reference)
    check_type(noisy, args.dtype)
    pair = check_cube_output(args.output, [noisy, reference], overwrite=args.overwrite)
    if args.report is not None:
        _check_report(args.report, pair)
        check_outputs([args.report], overwrite=args.overwrite)
        check_not_inputs([args.report], [noisy, reference])

    denoised, report = denoise(noisy, args.method, settings)
    made_by = {key: report[key] for key in ("method", "settings", "weights")}
    written = save_cube(denoised, args.output, overwrite=args.overwrite, made_by=made_by, dtype=args.dtype)
    report = {"input": str(args.input), "output": str(written), **report, **_scores(reference, noisy, denoised)}
    if args.report is not None:
        write_text(args.report, as_json(report) + "\n")
    return Answer(report, _text(report))


def denoise(noisy: Cube, method: str, settings: Any) -> tuple[Cube, dict[str, Any]]:
    """Denoise with progress on stderr; returns the cube and the report of the run."""
    from napari_decsc.cli.progress import Progress, together
    from napari_decsc.hsi.denoising import run
    from napari_decsc.hsi.report import Recorder
    from napari_decsc.methods import make_denoiser

    denoiser = make_denoiser(method, settings)
    recorder = Recorder(denoiser)
    with Progress(method, getattr(settings, "max_iterations", None)) as progress:
        denoised = run(denoiser.denoise(noisy), together(recorder, progress))
    return denoised, recorder.report()


def _check_reference(noisy: Cube, reference: Cube | None) -> None:
    if reference is not None and reference.shape != noisy.shape:
        raise CubeError(
            f"{reference.name}: the reference has the shape {reference.shape}, "
            f"the noisy cube {noisy.shape}; give the reference of this cube"
        )


def _check_report(report: Path, pair: tuple[Path, ...]) -> None:
    if report.resolve() in [path.resolve() for path in pair]:
        raise FileFormatError(f"{report} is the name of the denoised cube too; give the report a name of its own")


def _scores(reference: Cube | None, noisy: Cube, denoised: Cube) -> dict[str, Any]:
    if reference is None:
        return {}
    from napari_decsc.hsi.metrics import score_cubes

    return {
        "scores": {
            "noisy": score_cubes(reference, noisy).summary(),
            "denoised": score_cubes(reference, denoised).summary(),
        }
    }


def _text(report: dict[str, Any]) -> str:
    from napari_decsc.cli.evaluate import score_table

    ends = [tile["relative_residual"][-1] for tile in report["tiles"] if tile["relative_residual"]]
    residual = f", relative residual {max(ends):.1e}" if ends else ""
    text = f"Wrote {report['output']}: {report['method']}, {report['seconds']:.1f} s{residual}."
    return text + "\n" + score_table(report["scores"]) if "scores" in report else text
