"""``napari-decsc calibrate``: reflectance from a raw cube and its dark and white references."""

import argparse
from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer
from napari_decsc.errors import FileFormatError, SettingsError

#: Types of the result; whole numbers hold reflectance x 10000.
_TYPES = ("float32", "float64", "int16", "uint16", "int32", "uint32")
_SCALE = 10_000.0
#: Largest table of a panel's reflectance.
_LARGEST_TABLE = 16 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``calibrate``."""
    parser.add_argument(
        "raw", metavar="RAW", type=Path, help="raw cube, or the folder of a capture (Specim, Headwall) with all of them"
    )
    parser.add_argument(
        "output", metavar="OUT", nargs="?", type=Path, help="file to write [default: RAW_reflectance.hdr beside RAW]"
    )
    parser.add_argument("--dark", metavar="D", type=Path, help="dark reference [default: the one beside RAW]")
    parser.add_argument("--white", metavar="W", type=Path, help="white reference [default: the one beside RAW]")
    parser.add_argument(
        "--white-dark", metavar="D", type=Path, help="dark reference of W, if its exposure was another [default: D]"
    )
    parser.add_argument(
        "--panel",
        metavar="R",
        default="1",
        help="reflectance of the white panel: a number, or a text file with wavelength (nm) and reflectance on each "
        "line [default: 1]",
    )
    parser.add_argument(
        "--saturation",
        metavar="N",
        type=float,
        help="raw number from which on the detector is full [default: the largest one, if detectors end there]",
    )
    parser.add_argument(
        "--dtype",
        choices=_TYPES,
        default="float32",
        metavar="TYPE",
        help="float32, float64, or int16, uint16, int32, uint32 for reflectance x 10000 [default: float32]",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")


def run(args: argparse.Namespace) -> Answer:
    """Find the references, check everything that can be checked, then write, some lines at a time."""
    from napari_decsc.cli.inputs import tell_notes
    from napari_decsc.cli.outputs import check_cube_output, save_cube
    from napari_decsc.hsi.io.files import open_cube
    from napari_decsc.hsi.reflectance import reflectance

    used = _inputs(args)
    raw = used["raw"]
    output = args.output or raw.with_name(f"{raw.name.partition('.')[0]}_reflectance.hdr")
    cubes = {role: open_cube(path) for role, path in used.items()}
    check_cube_output(output, list(cubes.values()), overwrite=args.overwrite)
    result = reflectance(
        cubes["raw"],
        cubes["dark"],
        cubes["white"],
        white_dark=cubes.get("white_dark"),
        panel=_panel(args.panel, cubes["raw"]),
        saturation=args.saturation,
    )
    tell_notes(result.cube)
    facts = {
        **{role: str(path) for role, path in used.items()},
        "panel": args.panel,
        "saturation": result.saturation,
        "exposure_ratio": result.exposure_ratio,
        "dead_pixels": int(result.dead.sum()),
        "pixels": int(result.dead.size),
    }
    cube = _as_written(result.cube, args.dtype)
    written = save_cube(cube, output, overwrite=args.overwrite, made_by={"reflectance": facts}, dtype=args.dtype)
    return Answer({"output": str(written), **facts}, _text(written, facts))


def _as_written(cube: Any, dtype: str) -> Any:
    """The cube in the numbers to write: whole ones are reflectance x 10000, with a no-data value that fits."""
    import numpy as np

    from napari_decsc.hsi.reflectance import NO_DATA

    kind = np.dtype(dtype)
    if kind.kind == "f":
        return cube
    mark = float(np.iinfo(kind).max) if kind.kind == "u" else NO_DATA
    import dask.array as da

    # lazily, as the cube is
    marked = da.where(cube.data == NO_DATA, np.float64(mark), np.float32(_SCALE) * cube.data)
    return cube.replace(data=marked, no_data=mark, scale=_SCALE)


def _inputs(args: argparse.Namespace) -> dict[str, Path]:
    """The raw cube and its references, by their roles: as they were given, or as they lie beside it."""
    from napari_decsc.hsi.io.capture import find_capture

    found = find_capture(args.raw)
    paths = {
        "raw": found.raw,
        "dark": _reference(args.dark or found.dark, "dark", found.raw),
        "white": _reference(args.white or found.white, "white", found.raw),
        "white_dark": args.white_dark or (None if args.white else found.white_dark),
    }
    return {role: path for role, path in paths.items() if path is not None}


def _reference(path: Path | None, kind: str, raw: Path) -> Path:
    if path is None:
        raise FileFormatError(f"{raw}: has no {kind} reference beside it, or several; give it with --{kind}")
    return path


def _panel(said: str, raw: Any) -> Any:
    """The reflectance of the panel: one number, or one for each band, between the lines of a table."""
    import numpy as np

    try:
        number = float(said)
    except ValueError:
        return _table(Path(said), raw)
    if not 0 < number <= 2:
        raise SettingsError(f"--panel is {said}; reflectance of a panel lies between 0 and 2, such as 0.95")
    return np.float64(number)


def _table(path: Path, raw: Any) -> Any:
    import numpy as np

    if raw.wavelengths_nm is None:
        raise FileFormatError(f"{path}: needs the wavelengths of the raw cube, which has none; give one number")
    try:
        if path.stat().st_size > _LARGEST_TABLE:
            raise FileFormatError(f"{path}: is too large for a table of reflectance; give wavelengths and reflectances")
        lines = path.read_text(encoding="utf-8", errors="replace").replace(",", " ").replace(";", " ").splitlines()
        rows = [line.split()[:2] for line in lines if line.strip()[:1].isdigit()]
        table = np.array(rows, dtype=np.float64)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror}); give a number or a text file") from None
    except ValueError:
        table = np.empty((0, 2))
    if table.ndim != 2 or table.shape[1] != 2 or len(table) < 2 or not np.isfinite(table).all():
        raise FileFormatError(f"{path}: is no table of wavelengths and reflectances, two numbers on each line")
    table = table[np.argsort(table[:, 0])]
    return np.interp(raw.wavelengths_nm, table[:, 0], table[:, 1])


def _text(written: Path, facts: dict[str, Any]) -> str:
    level = facts["saturation"]
    full = "nothing saturated" if level is None else f"numbers from {level:g} on are saturated"
    dead = f"{facts['dead_pixels']} of {facts['pixels']} pixels of the detector are dead"
    return f"Wrote {written}: reflectance; {dead}; {full}; exposure x {facts['exposure_ratio']:g}."
