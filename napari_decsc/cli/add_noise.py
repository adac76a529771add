"""``napari-decsc add-noise``: a noisy copy of a cube, by a noise model of the field's protocol."""

import argparse

from napari_decsc.cli import Answer
from napari_decsc.cli.inputs import add_files, add_input_options, add_type_option, open_input
from napari_decsc.cli.options import add_settings, make_settings
from napari_decsc.hsi.noise.models import NOISE_MODELS


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``add-noise``."""
    models = "; ".join(f"{name}: {model.summary}" for name, model in NOISE_MODELS.items())
    add_files(parser, "clean cube")
    parser.add_argument(
        "--model", choices=NOISE_MODELS, default="mixture", metavar="NAME", help=f"{models} [default: mixture]"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same noise [default: 0]")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    add_input_options(parser)
    add_type_option(parser)
    add_settings(parser, NOISE_MODELS)


def run(args: argparse.Namespace) -> Answer:
    """Add the noise and write the noisy cube."""
    from napari_decsc.cli.outputs import check_cube_output, check_type, save_cube
    from napari_decsc.hsi.noise.models import add_noise
    from napari_decsc.settings import as_dict

    model = make_settings(args, NOISE_MODELS, args.model)
    clean = open_input(args.input, args)
    check_type(clean, args.dtype)
    check_cube_output(args.output, [clean], overwrite=args.overwrite)
    noise = {"model": args.model, "seed": args.seed, "settings": as_dict(model)}
    noisy = add_noise(clean, model, args.seed)
    written = save_cube(noisy, args.output, overwrite=args.overwrite, made_by={"noise": noise}, dtype=args.dtype)
    answer = {"input": str(args.input), "output": str(written), "noise": noise}
    return Answer(answer, f"Wrote {written}: {args.model} noise, seed {args.seed}.")
