"""Messages are part of the interface: each names the file or cube, the field, and the cure."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from napari_decsc.cli import FAILED, MISUSED, main
from napari_decsc.denoising.protocol import run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.weights import files as weights
from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.hsi.metrics import score_cubes
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.registry import make_denoiser

HEADER = {
    "samples": "4", "lines": "3", "bands": "2", "header offset": "0", "data type": "4", "interleave": "bsq",
    "byte order": "0",
}  # fmt: skip


def header(folder: Path, **changes: str | None) -> Path:
    """A pair scene.hdr, scene.img with some fields changed ("_" for " ") or, with None, left out."""
    fields = HEADER | {key.replace("_", " "): value for key, value in changes.items()}
    text = "".join(f"{key} = {value}\n" for key, value in fields.items() if value is not None)
    (folder / "scene.img").write_bytes(bytes(96))
    (folder / "scene.hdr").write_text("ENVI\n" + text)
    return folder / "scene.hdr"


def reading(**changes: str | None) -> Callable[[Path], object]:
    return lambda folder: open_cube(header(folder, **changes))


def cube(bands: int = 2, **fields: object) -> Cube:
    return Cube(np.full((bands, 3, 4), 0.5, np.float32), name="scene", **fields)  # type: ignore[arg-type]


def denoising(scene: Cube, **settings: object) -> Callable[[Path], object]:
    return lambda folder: run(DecscDenoiser(DecscSettings(**settings)).denoise(scene))  # type: ignore[arg-type]


def _cut(folder: Path) -> object:
    path = header(folder)
    (folder / "scene.img").write_bytes(b"short")
    return open_cube(path)


def _without_data(folder: Path) -> object:
    path = header(folder)
    (folder / "scene.img").unlink()
    return open_cube(path)


def _no_header(folder: Path) -> object:
    (folder / "scene.hdr").write_text("PNG")
    return open_cube(folder / "scene.hdr")


def _unknown_format(folder: Path) -> object:
    (folder / "scene.xyz").write_text("?")
    return open_cube(folder / "scene.xyz")


def _structure(folder: Path) -> object:
    scipy.io.savemat(folder / "x.mat", {"scene": {"name": "a text"}})
    return open_cube(folder / "x.mat")


def _series(folder: Path) -> object:
    with h5py.File(folder / "x.h5", "w") as file:
        file["r"] = np.zeros((2, 3, 4, 5))
    return open_cube(folder / "x.h5")


def _fields(folder: Path) -> object:
    with h5py.File(folder / "x.h5", "w") as file:
        file["cube"] = np.zeros((3, 4, 5), [("a", "f4"), ("b", "f4")])
    return open_cube(folder / "x.h5")


def _table(folder: Path) -> object:
    scipy.io.savemat(folder / "x.mat", {"Y": np.zeros((3, 20))})
    return open_cube(folder / "x.mat")


def _filter(folder: Path) -> object:
    with h5py.File(folder / "x.h5", "w") as file:
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_chunk((3, 4, 5))
        settings.set_filter(32013, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((3, 4, 5))
        h5py.h5d.create(file.id, b"cube", h5py.h5t.IEEE_F32LE, space, settings).write_direct_chunk(
            (0, 0, 0), bytes(240)
        )
    return open_cube(folder / "x.h5", band_axis=0)


def _hdf4(folder: Path) -> object:
    (folder / "x.hdf").write_bytes(b"\x0e\x03\x13\x01" + bytes(100))
    return open_cube(folder / "x.hdf")


def _metadata(folder: Path) -> object:
    (folder / "E-METADATA.XML").write_text("<a/>")
    return open_cube(folder / "E-METADATA.XML")


def _twice(folder: Path) -> object:
    for _ in range(2):
        write_envi(cube(), folder / "scene.hdr")
    return None


def _over_a_folder(folder: Path) -> object:
    (folder / "scene.hdr").mkdir()
    return write_envi(cube(), folder / "scene.hdr")


def _pickle(folder: Path) -> object:
    (folder / "model.pt").write_bytes(b"\x80\x04K\x01.")
    return weights.load(str(folder / "model.pt"))


def _foreign_tensors(folder: Path) -> object:
    import torch
    from safetensors.torch import save_file

    save_file({"layer": torch.zeros(2)}, folder / "model.safetensors")
    return weights.load(str(folder / "model.safetensors"))


#: What is done wrong -> how, and the words that must be in the answer: file or cube, field, and part of the cure.
MISTAKES: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "no such file": (lambda folder: open_cube(folder / "scene.hdr"), ("scene.hdr", "does not exist", "check")),
    "unknown format": (_unknown_format, ("scene.xyz", "no known format", "ENVI")),
    "no header": (_no_header, ("scene.hdr", "ENVI", "choose the right .hdr")),
    "no data file": (_without_data, ("scene.hdr", "no data file", "scene.img", "put it beside")),
    "data cut short": (_cut, ("scene.img", "scene.hdr", "5 bytes", "96", "cut short")),
    "bands missing": (reading(bands=None), ("scene.hdr", "bands is missing", "add a line")),
    "bands negative": (reading(bands="-2"), ("scene.hdr", "bands", "-2", "above 0")),
    "lines no number": (reading(lines="three"), ("scene.hdr", "lines", "three", "whole number")),
    "samples zero": (reading(samples="0"), ("scene.hdr", "samples", "above 0")),
    "data type complex": (reading(data_type="6"), ("scene.hdr", "data type", "complex", "float32")),
    "data type unknown": (reading(data_type="77"), ("scene.hdr", "data type", "77", "one of")),
    "interleave": (reading(interleave="bsx"), ("scene.hdr", "interleave", "bsx", "bsq, bil or bip")),
    "byte order": (reading(byte_order="2"), ("scene.hdr", "byte order", "0 (little-endian)")),
    "header offset": (reading(header_offset="-1"), ("scene.hdr", "header offset", "0 or more")),
    "interleave missing": (reading(interleave=None), ("scene.hdr", "interleave is missing", "add a line")),
    "compressed": (reading(file_compression="1"), ("scene.hdr", "file compression", "uncompressed")),
    "library": (reading(file_type="ENVI Spectral Library"), ("scene.hdr", "file type", "open it with read_library")),
    "a structure": (_structure, ("x.mat", "no cube", "scene, a structure", "variable of its own")),
    "several dates": (_series, ("x.h5", "r@axis0=1 to r@axis0=2", "choose one with variable=", "--variable")),
    "a table of fields": (_fields, ("x.h5", "cube, a table of a, b", "an array of its own")),
    "a table": (_table, ("x.mat", "no cube", "Y (3 x 20)", "reshape it")),
    "a missing filter": (_filter, ("x.h5", "cube", "ZFP", "pip install hdf5plugin", "gzip")),
    "HDF 4": (_hdf4, ("x.hdf", "HDF4", "convert it to HDF5")),
    "metadata alone": (_metadata, ("E-METADATA.XML", "E-SPECTRAL_IMAGE.TIF is not there", "put it beside")),
    "written twice": (_twice, ("scene.hdr", "already exists", "choose another name")),
    "written over a folder": (_over_a_folder, ("scene.hdr", "is a folder", "choose another")),
    "written nowhere": (lambda f: write_envi(cube(), f / "no" / "x.hdr"), ("x.hdr", "folder", "create it")),
    "written as bsx": (lambda f: write_envi(cube(), f / "x", interleave="bsx"), ("scene", "interleave", "choose bsq")),
    "written as complex": (lambda f: write_envi(cube(), f / "x", dtype="c8"), ("scene", "data type", "choose one of")),
    "no-data too large": (
        lambda f: write_envi(cube(no_data=-9999.0), f / "x", dtype="u1"),
        ("scene", "no-data value -9999", "uint8", "choose a data type"),
    ),
    "NaN as integer": (
        lambda f: write_envi(Cube(np.full((1, 1, 1), np.nan), name="scene"), f / "x", dtype="i2"),
        ("scene", "NaN", "int16", "set a no-data value or choose float32"),
    ),
    "two axes": (lambda f: Cube(np.zeros((2, 2)), name="scene"), ("scene", "(band, row, col)", "2")),
    "empty": (lambda f: Cube(np.zeros((2, 0, 2)), name="scene"), ("scene", "empty", "2 bands × 0 rows")),
    "complex numbers": (lambda f: Cube(np.zeros((1, 1, 1), "c8"), name="scene"), ("scene", "complex64", "convert")),
    "scale of a cube": (lambda f: cube(scale=0), ("scene", "scale is 0", "positive")),
    "wavelengths of a cube": (lambda f: cube(wavelengths=[1.0]), ("scene", "wavelengths", "1 values for 2 bands")),
    "shapes": (
        lambda f: score_cubes(cube(), cube(3)),
        ("scene", "2 bands × 3 rows", "3 bands × 3 rows", "only cubes of one size"),
    ),
    "unknown method": (lambda f: make_denoiser("median"), ("median", "choose one of", "decsc")),
    "solver": (denoising(cube(), solver="newton"), ("solver", "newton", "choose one of anderson, picard")),
    "tolerance": (denoising(cube(), tolerance=2), ("tolerance", "2", "0 to 1")),
    "iterations": (denoising(cube(), max_iterations=0), ("max_iterations", "0", "1 to 1000")),
    "memory": (denoising(cube(), memory="a lot", device="cpu"), ("memory", "a lot", "such as 2GB")),
    "little memory": (
        denoising(Cube(np.ones((2, 300, 300), np.float32)), memory="1kB", device="cpu"),
        ("memory", "too little", "give"),
    ),
    "device": (denoising(cube(), device="abacus"), ("device", "abacus", "choose auto or cpu")),
    "unknown weights": (lambda f: weights.load("none"), ("weights 'none'", "choose", "subspace")),
    "pickled weights": (_pickle, ("model.pt", "safetensors", "pickled weights are never read")),
    "foreign weights": (_foreign_tensors, ("model.safetensors", "not weights", "needs 'preset'")),
    "noise model": (lambda f: make_noise("snow"), ("snow", "choose one of", "gaussian")),
    "noise setting": (lambda f: make_noise("gaussian", grain=1), ("grain", "it has sigma")),
    "noise level": (lambda f: make_noise("gaussian", sigma=-1), ("sigma", "-1", "0 to 255")),
    "noise shares": (lambda f: make_noise("impulse", fractions=[2]), ("fractions", "2", "0 to 1")),
    "seed": (lambda f: add_noise(cube(), make_noise("gaussian"), -1), ("seed", "-1", "0 or more")),
}


def said(mistake: Callable[[Path], object], folder: Path) -> str:
    with pytest.raises(DecscError) as error:
        mistake(folder)
    return str(error.value)


@pytest.mark.parametrize("name", MISTAKES)
def test_it_names_file_field_and_cure(name: str, tmp_path: Path) -> None:
    mistake, words = MISTAKES[name]
    message = said(mistake, tmp_path)
    for word in words:
        assert word in message
    assert message.isprintable()
    assert not message.endswith((".", "!"))


#: Words of a command line -> the exit code, and what its one line on stderr must hold.
MISUSES: dict[str, tuple[int, tuple[str, ...]]] = {
    "info nothing.hdr": (FAILED, ("nothing.hdr", "does not exist", "check the name")),
    "info": (MISUSED, ("CUBE", "see `napari-decsc info --help`")),
    "polish x": (MISUSED, ("polish", "--help")),
    "denoise scene.hdr scene.hdr --overwrite": (FAILED, ("scene.hdr", "is read by this command", "another name")),
    "denoise scene.hdr done.hdr": (FAILED, ("done.hdr", "exists already", "add --overwrite")),
    "denoise scene.hdr no/x.hdr": (FAILED, ("no/x.hdr", "does not exist", "make it")),
    "denoise scene.hdr x.hdr --tolerance much": (FAILED, ("--tolerance", "much", "takes a number")),
    "denoise scene.hdr x.hdr --rank 3": (FAILED, ("--rank", "does not belong to decsc", "fasthyde")),
    "denoise scene.hdr x.hdr --method median": (MISUSED, ("--method", "median", "decsc")),
    "denoise scene.hdr x.hdr --weights no.safetensors": (FAILED, ("no.safetensors", "no such file", "choose")),
    "denoise scene.hdr x.hdr --report x.hdr": (FAILED, ("x.hdr", "give the report a name of its own")),
    "denoise scene.hdr x.hdr --reference other.hdr": (FAILED, ("other", "3 bands", "give the reference of this")),
    "add-noise scene.hdr x.hdr --model gaussian --sigma 999": (FAILED, ("sigma", "999", "0 to 255")),
    "evaluate scene.hdr other.hdr": (FAILED, ("scene", "other", "only cubes of one size")),
    "batch empty --out out": (FAILED, ("empty", "no cube in it", "give cubes")),
    "batch scene.hdr": (MISUSED, ("--out", "see `napari-decsc batch --help`")),
}


@pytest.mark.parametrize("words", MISUSES)
def test_the_command_line_answers_in_one_line(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    write_envi(cube(), "scene.hdr")
    write_envi(cube(), "done.hdr")
    write_envi(cube(3), "other.hdr")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    code, expected = MISUSES[words]
    assert main(words.split()) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("napari-decsc: error: ")
    assert err.count("\n") == 1
    for word in expected:
        assert word in err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert read_envi("scene.hdr").shape == (2, 3, 4)


def test_what_a_file_says_cannot_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A colour sequence in a name or a header is shown, not carried out."""
    path = header(tmp_path, interleave="\x1b[31mred", wavelength="{1, \x1b]0;title\x07}")
    assert main(["info", str(path)]) == FAILED
    assert "\x1b" not in capsys.readouterr().err
    evil = tmp_path / "a\x1b[31mb.hdr"
    assert main(["info", str(evil)]) == FAILED
    assert "\x1b" not in capsys.readouterr().err
    write_envi(cube(), evil)
    assert main(["info", str(evil)]) == 0
    assert "\x1b" not in capsys.readouterr().out
