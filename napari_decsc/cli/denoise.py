"""``napari-decsc denoise``: a denoised copy of a cube, and the report of how it was made."""

import argparse
from collections.abc import Generator
from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer
from napari_decsc.cli.inputs import add_files, add_input_options, add_type_option, open_input
from napari_decsc.cli.options import add_method, add_settings, make_settings
from napari_decsc.errors import CubeError, FileFormatError
from napari_decsc.hsi.cube import Cube, size_in_words
from napari_decsc.registry import settings_classes


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``denoise``."""
    add_files(parser, "noisy cube")
    add_method(parser)
    parser.add_argument("--report", metavar="FILE", type=Path, help="write how it was made, as JSON")
    parser.add_argument("--reference", metavar="CUBE", type=Path, help="clean cube, to score before and after")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT and FILE if they exist")
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be done: tiles, memory, time; nothing is written"
    )
    add_input_options(parser)
    add_type_option(parser)
    add_settings(parser, settings_classes())


def run(args: argparse.Namespace) -> Answer:
    """Check everything that can be checked, then denoise, then write."""
    from napari_decsc.cli.outputs import check_cube_output, check_type, write_text
    from napari_decsc.denoising.report import as_json

    settings = make_settings(args, settings_classes(), args.method)
    noisy = open_input(args.input, args)
    reference = None if args.reference is None else open_input(args.reference, args)
    _check_reference(noisy, reference)
    check_type(noisy, args.dtype)
    pair = check_cube_output(args.output, [noisy, reference], overwrite=args.overwrite)
    if args.report is not None:
        _check_report(args.report, pair, [noisy, reference], overwrite=args.overwrite)
    if args.dry_run:
        from napari_decsc.cli.dry_run import forecast

        return forecast(noisy, args.output, args.method, settings)
    written, report = denoise(
        noisy, args.output, args.method, settings, overwrite=args.overwrite, dtype=args.dtype
    )  # fmt: skip
    report = {"input": str(args.input), "output": str(written), **report, **_scores(reference, noisy, written)}
    if args.report is not None:
        write_text(args.report, as_json(report) + "\n")
    return Answer(report, _text(report))


def denoise(
    noisy: Cube, output: Path, method: str, settings: Any, *, overwrite: bool, dtype: str = "float32"
) -> tuple[Path, dict[str, Any]]:
    """Denoise into a file, with progress on stderr; returns the file to open again and the report of the run.

    Where method and format allow it, every tile is written as soon as it is done, so that neither cube has to fit into
    the memory. The file appears when it is complete, or not at all.
    """
    from napari_decsc.cli.outputs import new_sink, save_cube
    from napari_decsc.denoising import provenance
    from napari_decsc.denoising.protocol import StreamingDenoiser
    from napari_decsc.denoising.report import Recorder
    from napari_decsc.hsi.io.files import can_stream, files_of
    from napari_decsc.registry import make_denoiser

    denoiser = make_denoiser(method, settings)
    recorder, about = Recorder(denoiser), denoiser.describe()
    before = provenance.carried_on(provenance.read(noisy.header))
    source = {
        "name": noisy.name,
        "shape": list(noisy.shape),
        "source": None if noisy.source is None else str(noisy.source),
    }
    made_by = {**before, "denoising": {**about, "input": source}}
    if isinstance(denoiser, StreamingDenoiser) and can_stream(output):
        with new_sink(noisy, output, overwrite=overwrite, made_by=made_by, dtype=dtype) as sink:
            _drive(denoiser.denoise_into(noisy, sink), recorder, method)
            report = recorder.report()
            made_by["denoising"] = {**report, "input": source}
        header = files_of(output)[0]
        return header, {**report, "verdict": _verdict(noisy, header, recorder)}
    denoised = _drive(denoiser.denoise(noisy), recorder, method)
    made_by["denoising"] |= recorder.report()
    written = save_cube(denoised, output, overwrite=overwrite, made_by=made_by, dtype=dtype)
    return written, recorder.report(verdict=_verdict(noisy, written, recorder))


def _verdict(noisy: Cube, written: Path, recorder: Any) -> dict[str, Any]:
    """What was removed, judged on the file that was written, in tiles."""
    from napari_decsc.denoising.verdict import judge

    found: dict[str, Any] = judge(noisy, _reopened(written), recorder.noise).describe()
    return found


def _reopened(written: Path) -> Cube:
    """The cube that was written: an array alone does not say that its bands come first."""
    from napari_decsc.hsi.io.files import open_cube

    return open_cube(written, band_axis=0 if written.suffix == ".npy" else None)


def _drive(steps: Generator[Any, Any, Any], recorder: Any, method: str) -> Any:
    from napari_decsc.cli.progress import Progress, together
    from napari_decsc.denoising.protocol import run

    with Progress(method) as progress:
        return run(steps, together(recorder, progress))


def _check_reference(noisy: Cube, reference: Cube | None) -> None:
    if reference is not None and reference.shape != noisy.shape:
        raise CubeError(
            f"{reference.name}: the reference has {size_in_words(reference.shape)}, "
            f"the noisy cube has {size_in_words(noisy.shape)}; give the reference of this cube"
        )


def _check_report(report: Path, pair: tuple[Path, ...], inputs: list[Cube | None], *, overwrite: bool) -> None:
    from napari_decsc.cli.outputs import check_not_inputs, check_outputs

    if report.resolve() in [path.resolve() for path in pair]:
        raise FileFormatError(f"{report} is the name of the denoised cube too; give the report a name of its own")
    check_outputs([report], overwrite=overwrite)
    check_not_inputs([report], inputs)


def _scores(reference: Cube | None, noisy: Cube, written: Path) -> dict[str, Any]:
    if reference is None:
        return {}
    from napari_decsc.hsi.metrics import score_cubes

    denoised = _reopened(written)
    return {
        "scores": {
            "noisy": score_cubes(reference, noisy).summary(),
            "denoised": score_cubes(reference, denoised).summary(),
        }
    }


def _text(report: dict[str, Any]) -> str:
    from napari_decsc.cli.evaluate import score_table
    from napari_decsc.denoising.protocol import in_words

    ends = [tile["relative_residual"][-1] for tile in report["tiles"] if tile["relative_residual"]]
    residual = f", relative residual {in_words(max(ends))}" if ends else ""
    text = f"Wrote {report['output']}: {report['method']}, {report['seconds']:.1f} s{residual}.\n"
    text += str(report["verdict"]["sentence"])
    if "rare" in report:
        text += "\n" + str(report["rare"]["sentence"])
    return text + "\n" + score_table(report["scores"]) if "scores" in report else text
