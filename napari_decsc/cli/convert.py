"""``napari-decsc convert``: a cube, or a part of one, in another format."""

import argparse
import re

from napari_decsc.cli import Answer
from napari_decsc.cli.inputs import add_files, add_input_options, open_input
from napari_decsc.errors import FileFormatError, SettingsError
from napari_decsc.hsi.cube import counted


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``convert``."""
    from napari_decsc.hsi.io.envi.layout import TYPES

    add_files(parser, "cube to read")
    for name, what in (("rows", "rows"), ("cols", "cols")):
        parser.add_argument(
            f"--{name}", metavar="A:B", default=":", help=f"only the {what} from A on to before B, counted from 0"
        )
    parser.add_argument("--cog", action="store_true", help="a Cloud-Optimized GeoTIFF (OUT is .tif; needs rasterio)")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--dtype",
        choices=("source", *TYPES.values()),
        default="source",
        metavar="TYPE",
        help="type of the numbers in OUT: source, which is that of IN, float32, int16 and so on [default: source]",
    )
    add_input_options(parser)


def run(args: argparse.Namespace) -> Answer:
    """Open the cube, cut it, write it."""
    from napari_decsc.cli.outputs import check_cube_output, check_type
    from napari_decsc.hsi.crop import cropped
    from napari_decsc.hsi.io.files import save_cube

    if args.cog and args.output.suffix.lower() not in (".tif", ".tiff"):
        raise FileFormatError(f"{args.output}: Cloud-Optimized GeoTIFF is a .tif; give such a name, or leave --cog out")
    whole = open_input(args.input, args)
    cube = cropped(whole, _part("rows", args.rows), _part("cols", args.cols))
    check_type(cube, args.dtype)
    check_cube_output(args.output, [whole], overwrite=args.overwrite)
    written = save_cube(cube, args.output, overwrite=args.overwrite, dtype=args.dtype, cloud_optimized=args.cog)
    bands, rows, cols = cube.shape
    answer = {"input": str(args.input), "output": str(written), "bands": bands, "rows": rows, "cols": cols}
    return Answer(answer, f"Wrote {written}: {counted(bands, 'band')} x {rows} x {cols}.")


def _part(name: str, said: str) -> slice:
    found = re.fullmatch(r"(\d{0,9}):(\d{0,9})", said)
    if found is None:
        raise SettingsError(f"--{name} is {said!r}; give first and last such as 100:200, or :200")
    first, last = (int(number) if number else None for number in found.groups())
    return slice(first, last)
