"""Ten mistakes and ten bad files, and what the terminal says to them, as rows of tables for docs/robustness.md.

python tests/safety/ten_messages.py
"""

import contextlib
import io
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from napari_decsc.cli import main
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import write_envi


def scene(change: Callable[[str], str] = str) -> None:
    """A cube of 2 bands, whose header is changed."""
    header = write_envi(Cube(np.zeros((2, 3, 4), np.float32), no_data=-9999.0), "scene", overwrite=True)
    header.write_text(change(header.read_text()))


def cut_short() -> None:
    """The data file ends too early."""
    scene()
    os.truncate("scene.img", 5)


def two_cubes() -> None:
    """A file with two arrays that could be meant."""
    np.savez("scene.npz", vnir=np.zeros((5, 12, 17)), swir=np.zeros((5, 12, 17)))


def two_files() -> None:
    """A cube, and another where the result should go."""
    scene()
    write_envi(Cube(np.ones((2, 3, 4), np.float32)), "other")


def pickled() -> None:
    """Weights as PyTorch saves them by default."""
    scene()
    Path("model.pt").write_bytes(pickle.dumps({"weights": 1}))


def several_dates() -> None:
    """A NetCDF file with three dates."""
    from h5py import File

    with File("scene.nc", "w") as file:
        cube = file.create_dataset("reflectance", data=np.zeros((3, 5, 12, 17), np.float32))
        for place, name in enumerate(("time", "band", "y", "x")):
            file[name] = np.arange(cube.shape[place])
            file[name].make_scale(name)
            cube.dims[place].attach_scale(file[name])


def other_filter() -> None:
    """HDF5 compressed by a filter that the library does not have."""
    from h5py import File, h5d, h5p, h5s, h5t, h5z

    with File("scene.h5", "w") as file:
        settings = h5p.create(h5p.DATASET_CREATE)
        settings.set_chunk((2, 9, 9))
        settings.set_filter(32015, h5z.FLAG_OPTIONAL)
        space = h5s.create_simple((2, 9, 9))
        h5d.create(file.id, b"cube", h5t.IEEE_F32LE, space, settings).write_direct_chunk((0, 0, 0), bytes(648))


def bad_tiff() -> None:
    """A TIFF of which the end is missing."""
    import tifffile

    tifffile.imwrite("scene.tif", np.zeros((6, 20, 30), np.int16), photometric="minisblack", compression="zlib")
    os.truncate("scene.tif", 300)


#: The mistake in words, how to make it, and the command that meets it.
MISTAKES: list[tuple[str, Callable[[], None], str]] = [
    ("the data file was cut short", cut_short, "info scene.hdr"),
    ("a field is missing", lambda: scene(lambda text: text.replace("bands = 2\n", "")), "info scene.hdr"),
    ("complex numbers", lambda: scene(lambda text: text.replace("type = 4", "type = 6")), "info scene.hdr"),
    ("several dates in one file", several_dates, "denoise scene.nc x.hdr"),
    ("a compression that is not there", other_filter, "info scene.h5"),
    ("two cubes in one file", two_cubes, "denoise scene.npz x.hdr"),
    ("a TIFF that is cut short", bad_tiff, "info scene.tif"),
    ("the output exists", two_files, "add-noise scene.hdr other.hdr"),
    ("a type without room for no-data", scene, "denoise scene.hdr x.hdr --dtype uint8"),
    ("pickled weights", pickled, "denoise scene.hdr x.hdr --weights model.pt"),
]


def holding(name: str, content: bytes) -> Callable[[], None]:
    """Makes a file that begins so."""

    def make() -> None:
        Path(name).write_bytes(content + bytes(100))

    return make


def empty() -> None:
    """A file of no bytes."""
    Path("scene.nc").touch()


def half_an_archive() -> None:
    """An archive of which the second half is missing."""
    np.savez("scene.npz", cube=np.zeros((5, 12, 17)))
    os.truncate("scene.npz", 4000)


def damaged_chunk() -> None:
    """A Zarr store with a chunk that was cut short."""
    import numcodecs
    import zarr

    cube = np.arange(1020, dtype=np.int16).reshape(5, 12, 17)
    zarr.create_array("scene.zarr", data=cube, zarr_format=2, compressors=numcodecs.Blosc())
    os.truncate("scene.zarr/0.0.0", 100)


def a_table() -> None:
    """Pixels without their rows and cols."""
    from scipy.io import savemat

    savemat("scene.mat", {"Y": np.zeros((50, 600))})


#: Files that are not what their names say, and the command that meets them.
BAD_FILES: list[tuple[str, Callable[[], None], str]] = [
    ("a file of no bytes", empty, "info scene.nc"),
    ("a web page under the name of a file", holding("scene.h5", b"<!DOCTYPE html>"), "info scene.h5"),
    ("a pointer in place of a file", holding("scene.tif", b"version https://git-lfs"), "info scene.tif"),
    ("a picture", holding("scene.png", b"\x89PNG"), "info scene.png"),
    ("a file of another program", holding("scene.img", b"EHFA_HEADER_TAG"), "info scene.img"),
    ("a compressed file", holding("scene.img.gz", b"\x1f\x8b"), "info scene.img.gz"),
    ("half an archive", half_an_archive, "info scene.npz"),
    ("a damaged chunk", damaged_chunk, "denoise scene.zarr x.hdr --band-axis 0"),
    ("a table of pixels", a_table, "info scene.mat"),
    ("a folder", lambda: Path("scenes").mkdir(), "denoise scenes x.hdr"),
]


def said(make: Callable[[], None], command: str) -> str:
    """What stands on stderr after the command, in an empty folder with the mistake in it."""
    stderr, before = io.StringIO(), Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(stderr):
        os.chdir(folder)
        try:
            make()
            main(command.split())
        finally:
            os.chdir(before)
    return stderr.getvalue().strip()


if __name__ == "__main__":
    for heading, listed in (("mistake", MISTAKES), ("file", BAD_FILES)):
        print(f"\n| {heading} | command | what the terminal says |\n|---|---|---|")
        for words, make, command in listed:
            print(f"| {words} | `{command}` | `{said(make, command)}` |")
