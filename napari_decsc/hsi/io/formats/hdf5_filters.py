"""The filters (compressions) of HDF5 arrays: which one is missing, and how to get it."""

import contextlib
from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError

#: Names of filters by their numbers in the HDF Group's register.
_NAMES = {
    4: "SZIP",
    305: "LZO",
    307: "bzip2",
    32000: "LZF",
    32001: "Blosc",
    32004: "LZ4",
    32008: "Bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32017: "SZ",
    32019: "JPEG",
    32022: "BitGroom",
    32024: "SZ3",
    32026: "Blosc2",
    32028: "FCIDECOMP",
}


def check_filters(dataset: Any, path: Path) -> None:
    """Raise FileFormatError, with name and cure, if a filter is needed that is not there; hdf5plugin is asked first."""
    missing = _missing(dataset)
    if missing:
        # brings the usual ones along, and registers them when it is imported
        with contextlib.suppress(ImportError):
            import hdf5plugin  # noqa: F401

            missing = _missing(dataset)
    if missing:
        number = missing[0]
        kind = f"{_NAMES[number]} (filter {number})" if number in _NAMES else f"filter {number} of HDF5"
        raise FileFormatError(
            f"{path}: {dataset.name.lstrip('/')} is compressed by {kind}, which is not installed; install it "
            f"(pip install hdf5plugin), or save the file with gzip"
        )


def _missing(dataset: Any) -> list[int]:
    import h5py

    settings = dataset.id.get_create_plist()
    numbers = [int(settings.get_filter(place)[0]) for place in range(settings.get_nfilters())]
    return [number for number in numbers if not h5py.h5z.filter_avail(number)]
