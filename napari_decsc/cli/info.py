"""``napari-decsc info``: what a cube file holds."""

import argparse
from pathlib import Path
from typing import Any

from napari_decsc.cli import Answer
from napari_decsc.cli.inputs import add_input_options
from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.library import SpectralLibrary


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``info``."""
    parser.add_argument("cube", metavar="CUBE", type=Path, help="cube file, spectral library or folder to look at")
    parser.add_argument(
        "--noise", action="store_true", help="measure the noise too: what it is, level and SNR (dB) of every band"
    )
    add_input_options(parser)


def run(args: argparse.Namespace) -> Answer:
    """Open the cube, look at a sample of its voxels; or open the library."""
    from napari_decsc.hsi.io.envi import is_library, read_library
    from napari_decsc.hsi.io.zarr_marks import is_zarr

    is_folder = args.cube.is_dir() and not is_zarr(args.cube)
    is_no_cube = is_folder or is_library(args.cube)
    if args.noise and is_no_cube:
        raise CubeError(f"{args.cube} is no cube, of which alone noise can be measured; leave --noise out")
    if is_folder:
        return _folder(args.cube)
    if is_no_cube:
        return _listed({"path": str(args.cube), **_describe_library(read_library(args.cube))})
    cube = _opened(args)
    answer = _listed({"path": str(args.cube), **describe(cube)})
    return _with_noise(answer, cube) if args.noise else answer


def _listed(facts: dict[str, Any]) -> Answer:
    """The facts, one on a line."""
    return Answer(
        facts, "\n".join(f"{name.replace('_', ' '):<16}{_text(name, value)}" for name, value in facts.items())
    )


def _with_noise(answer: Answer, cube: Cube) -> Answer:
    """The facts, and the noise that was measured."""
    from napari_decsc.cli.noise_table import measured, noise_text

    noise = measured(cube)
    return Answer({**answer.data, "noise": noise.describe()}, f"{answer.text}\n\n{noise_text(noise, cube)}")


def _folder(folder: Path) -> Answer:
    """What is in a folder of a capture: a line for each cube, reference and library."""
    from napari_decsc.hsi.io.folders import listed

    found = [{"path": str(entry.path), "kind": entry.kind, **_in_short(entry.path)} for entry in listed(folder)]
    lines = [f"{one['path']}  {one['kind']}  {one['says']}" for one in found]
    return Answer({"path": str(folder), "files": found}, "\n".join(lines or [f"{folder}: no cube in it"]))


def _in_short(path: Path) -> dict[str, Any]:
    """Shape and wavelengths in a few words, or what keeps the file from being opened."""
    from napari_decsc.errors import DecscError
    from napari_decsc.hsi.cube import counted
    from napari_decsc.hsi.io.envi import is_library, read_library
    from napari_decsc.hsi.io.files import open_cube

    try:
        if is_library(path):
            return {"says": counted(len(read_library(path).names), "spectrum", "spectra")}
        cube = open_cube(path)
    except DecscError as error:
        return {"says": str(error)}
    bands, rows, cols = cube.shape
    lengths = _wavelengths(cube)
    said = "no wavelengths" if lengths is None else _words(lengths)
    shape = {"bands": bands, "rows": rows, "cols": cols, "data_type": cube.data.dtype.name, "wavelengths": lengths}
    return {"says": f"{bands} x {rows} x {cols}, {cube.data.dtype.name}, {said}", **shape}


def _opened(args: argparse.Namespace) -> Cube:
    from napari_decsc.hsi.io.files import open_cube

    # its notes are among the facts
    return open_cube(args.cube, variable=args.variable, band_axis=args.band_axis)


def describe(cube: Cube) -> dict[str, Any]:
    """Facts about a cube, ready for JSON; bands count from 1, minimum and maximum are physical values of a sample.

    "made_by" is the record of how the cube was made that its file carries, empty where it carries none.
    """
    import numpy as np

    from napari_decsc.denoising import provenance
    from napari_decsc.hsi.scaling import peak, sample

    values = sample(cube)
    values = values[np.isfinite(values)]
    bad = [] if cube.good_bands is None else (np.flatnonzero(~cube.good_bands) + 1).tolist()
    return {
        "name": cube.name,
        "bands": cube.shape[0],
        "rows": cube.shape[1],
        "cols": cube.shape[2],
        "data_type": cube.data.dtype.name,
        "interleave": cube.header.get("interleave"),
        "wavelengths": _wavelengths(cube),
        "bad_bands": bad,
        "no_data": cube.no_data,
        "scale": cube.scale,
        "minimum": float(values.min()) if values.size else None,
        "maximum": float(values.max()) if values.size else None,
        "peak": peak(cube),
        "sampled_voxels": int(values.size),
        "notes": list(cube.notes),
        "made_by": provenance.read(cube.header),
    }


def _describe_library(library: SpectralLibrary) -> dict[str, Any]:
    """Facts about a spectral library, ready for JSON."""
    import numpy as np

    values = library.spectra[np.isfinite(library.spectra)]
    return {
        "kind": "spectral library",
        "spectra": len(library.names),
        "bands": library.spectra.shape[1],
        "wavelengths": _range(library.wavelengths, library.unit),
        "names": list(library.names),
        "minimum": float(values.min()) if values.size else None,
        "maximum": float(values.max()) if values.size else None,
    }


def _wavelengths(cube: Cube) -> dict[str, Any] | None:
    found = _range(cube.wavelengths, cube.wavelength_unit)
    return None if found is None else {**found, "has_fwhm": cube.fwhm is not None}


def _range(wavelengths: Any, unit: str) -> dict[str, Any] | None:
    if wavelengths is None:
        return None
    known = wavelengths[wavelengths == wavelengths]
    return {"first": float(known[0]), "last": float(known[-1]), "unit": unit or None} if known.size else None


def _text(name: str, value: Any) -> str:
    if name != "made_by":
        return _words(value)
    from napari_decsc.denoising import provenance

    return f"\n{'':<16}".join(provenance.lines(value)) or "unknown"


def _words(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"{len(value)} ({', '.join(map(str, value))})"
    if isinstance(value, dict):
        fwhm = ", with fwhm" if value.get("has_fwhm") else ""
        return f"{value['first']:g} to {value['last']:g} {value['unit'] or '(unit unknown)'}{fwhm}"
    return str(value)
