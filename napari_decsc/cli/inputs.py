"""Options on how a cube is read and written, shared by the commands."""

import argparse
import sys
from pathlib import Path

from napari_decsc.cli import printable
from napari_decsc.hsi.cube import Cube


def add_files(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the arguments ``IN``, which is ``what``, and ``OUT``."""
    parser.add_argument("input", metavar="IN", type=Path, help=what)
    parser.add_argument(
        "output", metavar="OUT", type=Path, help="file to write: .hdr (ENVI), .tif, .nc, .zarr, .npz or .npy"
    )


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--variable`` and ``--band-axis``."""
    parser.add_argument("--variable", metavar="NAME", help="which array of the file is the cube, if it holds several")
    parser.add_argument(
        "--band-axis", metavar="{0,1,2}", help="which axis of that array counts the bands, if the file does not tell"
    )


def add_type_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--dtype``."""
    from napari_decsc.hsi.io.envi.layout import TYPES

    parser.add_argument(
        "--dtype",
        choices=("source", *TYPES.values()),
        default="float32",
        metavar="TYPE",
        help="type of the numbers in OUT: float32; source, which is that of IN; uint8, int16, uint16 and so on (whole "
        "numbers are rounded and cut to their range) [default: float32]",
    )


def open_input(path: Path, args: argparse.Namespace) -> Cube:
    """The cube in a file, as the options say; what of the file could not be used is told on the standard error."""
    from napari_decsc.hsi.io.files import open_cube

    cube = open_cube(path, variable=args.variable, band_axis=args.band_axis)
    tell_notes(cube)
    return cube


def tell_notes(cube: Cube) -> None:
    """One line on the standard error for each note of the file."""
    for note in cube.notes:
        print(f"napari-decsc: note: {printable(note)}", file=sys.stderr, flush=True)
