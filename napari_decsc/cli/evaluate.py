"""``napari-decsc evaluate``: scores of a cube against a reference, or, where there is none, what was removed from it.

SAM is in radians in JSON, in degrees for people.
"""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer
from napari_decsc.cli.inputs import add_input_options, open_input
from napari_decsc.hsi.metrics import Scores


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``evaluate``."""
    parser.add_argument(
        "reference",
        metavar="REFERENCE",
        type=Path,
        help="the cube that counts as the truth; with --no-reference the noisy one",
    )
    parser.add_argument("test", metavar="TEST", type=Path, help="the cube to score")
    parser.add_argument(
        "--no-reference",
        action="store_true",
        help="nobody knows the truth: judge what was removed from the first cube to make the second",
    )
    parser.add_argument(
        "--per-band", action="store_true", help="the same for every band (they count from 1, in JSON from 0)"
    )
    add_input_options(parser)


def run(args: argparse.Namespace) -> Answer:
    """Open both cubes and score."""
    if args.no_reference:
        return _judged(args)
    from napari_decsc.hsi.metrics import score_cubes

    scores = score_cubes(open_input(args.reference, args), open_input(args.test, args))
    answer: dict[str, Any] = {"reference": str(args.reference), "test": str(args.test), **scores.summary()}
    answer["identical_bands"] = scores.identical_bands
    text = score_table({"": scores.summary()}) + _of_identical(scores)
    if args.per_band:
        answer["bands"] = _bands(scores)
        text += "\n\nband   PSNR/dB    SSIM\n" + "\n".join(
            f"{band['band'] + 1:4d}  {band['psnr']:8.2f}  {band['ssim']:6.4f}" for band in answer["bands"]
        )
    return Answer(answer, text)


def _judged(args: argparse.Namespace) -> Answer:
    """The verdict on what was removed."""
    from napari_decsc.cli.noise_table import measured
    from napari_decsc.denoising.verdict import judge

    noisy, denoised = open_input(args.reference, args), open_input(args.test, args)
    verdict = judge(noisy, denoised, measured(noisy))
    answer = {"noisy": str(args.reference), "denoised": str(args.test), "verdict": verdict.describe()}
    text = verdict.sentence
    if args.per_band:
        kinds = (verdict.space, verdict.bands, verdict.signal, verdict.texture)
        rows = zip(verdict.removed, *(kind.excess for kind in kinds), strict=True)
        text += "\n\nband  removed/%   pixels    bands   signal  texture\n" + "\n".join(
            f"{band + 1:4d}  {100 * removed:9.3g}  " + "  ".join(f"{excess:7.3f}" for excess in excesses)
            for band, (removed, *excesses) in enumerate(rows)
        )
    return Answer(answer, text)


def _of_identical(scores: Scores) -> str:
    """What people are told where bands are identical, or nothing."""
    count, others = scores.identical_bands, sum(map(math.isfinite, scores.band_psnr))
    if not count:
        return ""
    if not others:
        return "\nEvery band that was measured is identical in both cubes: there is no error, and MPSNR is infinite."
    which = "1 band is" if count == 1 else f"{count} bands are"
    return f"\n{which} identical in both cubes; MPSNR is the mean over the other {others}."


def score_table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Scores as a table for people, a line for every name -> summary."""
    lines = [f"{'':<10}  MPSNR/dB   MSSIM  SAM/deg   ERGAS"]
    for name, one in rows.items():
        angle = math.degrees(one["sam"])
        cells = f"{one['mpsnr']:8.2f}  {one['mssim']:6.4f}  {angle:7.2f}  {one['ergas']:6.1f}"
        lines.append(f"{name:<10}  {cells}")
    return "\n".join(lines)


def _bands(scores: Scores) -> list[dict[str, Any]]:
    pairs = zip(scores.band_psnr, scores.band_ssim, strict=True)
    return [{"band": band, "psnr": float(psnr), "ssim": float(ssim)} for band, (psnr, ssim) in enumerate(pairs)]
