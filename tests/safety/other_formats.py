"""Small valid files of the formats beside ENVI, for the fuzzer to change; only of formats that the package opens."""

import io
from collections.abc import Callable

import numpy as np
from cases import Case

from napari_decsc.hsi.io.files import FORMATS

DATA = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 24


def seeds() -> list[Case]:
    """One case for each extension that is both opened by the package and known here."""
    known = {extension for kind in FORMATS for extension in kind.extensions}
    return [Case({f"x{end}": made}, f"x{end}") for end, make in _MAKERS.items() if end in known for made in make()]


def _numpy() -> list[bytes]:
    files = []
    for data in (DATA, np.asfortranarray(DATA.astype(np.int16)), DATA.astype(">f8")):
        file = io.BytesIO()
        np.save(file, data)
        files.append(file.getvalue())
    return files


def _zipped() -> list[bytes]:
    file = io.BytesIO()
    np.savez_compressed(file, cube=DATA, wavelengths=np.array([400.0, 500.0]))
    return [file.getvalue()]


def _matlab() -> list[bytes]:
    from scipy.io import savemat

    files = []
    for squeeze in (False, True):
        file = io.BytesIO()
        savemat(file, {"cube": DATA.transpose(1, 2, 0), "gt": np.ones((3, 4))}, do_compression=squeeze)
        files.append(file.getvalue())
    return [*files, *_hdf5()]


def _hdf5() -> list[bytes]:
    try:
        import h5py
    except ImportError:
        return []
    file = io.BytesIO()
    with h5py.File(file, "w") as store:
        store["cube"] = DATA
        store["wavelengths"] = np.array([400.0, 500.0])
    return [file.getvalue()]


def _tiff() -> list[bytes]:
    import tifffile

    files = []
    for options in ({"photometric": "minisblack"}, {"photometric": "minisblack", "compression": "zlib"}):
        file = io.BytesIO()
        tifffile.imwrite(file, DATA, **options)
        files.append(file.getvalue())
    return files


_MAKERS: dict[str, Callable[[], list[bytes]]] = {
    ".npy": _numpy,
    ".npz": _zipped,
    ".mat": _matlab,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".he5": _hdf5,
    ".nc": _hdf5,
    ".tif": _tiff,
    ".tiff": _tiff,
}
