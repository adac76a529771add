"""ENVI spectral libraries: spectra with names, in a header (`minerals.hdr`) and a data file (`minerals.sli`)."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import CubeError, FileFormatError
from napari_decsc.hsi.io.atomic import flushed, replacing
from napari_decsc.hsi.io.envi.header import Header, read_header
from napari_decsc.hsi.io.envi.layout import Layout, layout_of
from napari_decsc.hsi.io.envi.optional import OptionalFields
from napari_decsc.hsi.io.envi.pair import find_data, find_header, is_envi
from napari_decsc.hsi.io.envi.text import header_text, key_of
from napari_decsc.hsi.io.envi.wavelengths import ENVI_UNITS, spectral_axis

_KIND = "ENVI Spectral Library"


@dataclass(frozen=True, eq=False)
class SpectralLibrary:
    """Spectra and what is known about them.

    Parameters
    ----------
    spectra : array of shape (spectrum, band)
        Physical values; NaN where nothing was measured.
    names : tuple of str
        One for each spectrum.
    wavelengths : array of shape (band,), optional
        Centre of each band, in ``unit``.
    unit : str
        As ``Cube.wavelength_unit``.
    source : Path, optional
        File the library was read from.

    Raises
    ------
    CubeError
        If there is no spectrum, or numbers of spectra, names, bands and wavelengths disagree.
    """

    spectra: NDArray[np.float64]
    names: tuple[str, ...]
    wavelengths: NDArray[np.float64] | None = None
    unit: str = ""
    source: Path | None = None

    def __post_init__(self) -> None:
        spectra = np.asarray(self.spectra, dtype=np.float64)
        if spectra.ndim != 2 or 0 in spectra.shape:
            raise CubeError(
                f"library: spectra have {spectra.ndim} axes and {spectra.size} values; give (spectrum, band)"
            )
        if len(self.names) != len(spectra):
            raise CubeError(f"library: {len(self.names)} names for {len(spectra)} spectra; give one for each")
        object.__setattr__(self, "spectra", spectra)
        object.__setattr__(self, "names", tuple(self.names))
        if self.wavelengths is not None:
            wavelengths = np.asarray(self.wavelengths, dtype=np.float64)
            if wavelengths.shape != spectra.shape[1:]:
                raise CubeError(
                    f"library: {wavelengths.size} wavelengths for {spectra.shape[1]} bands; give one for each"
                )
            object.__setattr__(self, "wavelengths", wavelengths)


def is_library(path: str | Path) -> bool:
    """True for the header or the data file of an ENVI spectral library. Cheap; never raises.

    Parameters
    ----------
    path : str or Path
        Any.

    Returns
    -------
    bool
    """
    path = Path(path)
    try:
        return is_envi(path) and _is_library(read_header(find_header(path)))
    except (FileFormatError, OSError):
        return False


def read_library(path: str | Path) -> SpectralLibrary:
    """The spectra of an ENVI spectral library; `samples` counts the bands.

    `reflectance scale factor` is undone, `data ignore value` becomes NaN, spectra without a name are numbered from 1.

    Parameters
    ----------
    path : str or Path
        Its header or its data file.

    Returns
    -------
    SpectralLibrary

    Raises
    ------
    FileFormatError
        For any other file, and where header and data file disagree.
    """
    path = Path(path)
    try:
        header = read_header(find_header(path))
        if not _is_library(header):
            raise header.error("file type", f"{_KIND!r}; open a cube with open_cube")
        layout = _layout(header)
        data = find_data(header.path, layout.size) if path == header.path else path
        layout.check_size(data, header.path)
        raw = np.fromfile(data, layout.dtype, layout.lines * layout.samples, offset=layout.offset)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileFormatError(f"{path}: cannot be read ({reason}); check its name and permissions") from None
    wavelengths, unit, _ = spectral_axis(OptionalFields(header, strict=True), layout.samples)
    spectra = _physical(header, raw.reshape(layout.lines, layout.samples))
    return SpectralLibrary(spectra, _names(header, layout.lines), wavelengths, unit, header.path)


def write_library(
    library: SpectralLibrary, path: str | Path, *, overwrite: bool = False, extra: Mapping[str, str] | None = None
) -> Path:
    """Write an ENVI spectral library as `path.hdr` and `path.sli`, float64; both appear complete or not at all.

    Parameters
    ----------
    library : SpectralLibrary
        Its spectra.
    path : str or Path
        With or without an ending.
    overwrite : bool
        Whether to replace files that exist.
    extra : mapping of str to str, optional
        Fields that join the header.

    Returns
    -------
    Path
        The header's.

    Raises
    ------
    FileFormatError
        If one of the files exists, or the disk refuses.
    """
    header = Path(path)
    if header.suffix.lower() in (".sli", ".hdr"):
        header = header.with_suffix("")
    if not header.name or "\0" in str(path):
        raise FileFormatError(f"{path}: is no file name; give one such as minerals.hdr")
    header, data = (header.with_name(header.name + end) for end in (".hdr", ".sli"))
    count, bands = library.spectra.shape
    layout = Layout(bands=1, lines=count, samples=bands, type_code=5, interleave="bsq")
    fields: dict[str, Any] = {key_of(key): value for key, value in (extra or {}).items()}
    fields |= layout.fields() | {
        "file type": _KIND,
        "wavelength units": ENVI_UNITS.get(library.unit),
        "wavelength": None if library.wavelengths is None else library.wavelengths.tolist(),
        "spectra names": library.names,
    }
    with replacing(data, header, overwrite=overwrite, hide_last=True) as (new_data, new_header):
        with flushed(new_data) as file:
            file.write(library.spectra.astype(layout.dtype).tobytes())
        with flushed(new_header) as file:
            file.write(header_text(fields).encode("utf-8", errors="replace"))
    return header


def _is_library(header: Header) -> bool:
    return "library" in header.text("file type").lower()


def _layout(header: Header) -> Layout:
    """The layout of a library: one band, which holds a spectrum in each of its lines; `interleave` says nothing."""
    fields = {**header.fields, "file type": "", "interleave": "bsq"}
    layout = layout_of(dataclasses.replace(header, fields=fields))
    if layout.bands != 1:
        raise header.error("bands", "1 in a spectral library, whose samples count the bands")
    return layout


def _physical(header: Header, raw: NDArray[Any]) -> NDArray[np.float64]:
    optional = OptionalFields(header, strict=True)
    scale, no_data = optional.scale(), optional.number("data ignore value")
    spectra = raw.astype(np.float64)
    if scale is not None:
        spectra /= scale
    spectra[raw == no_data] = np.nan
    return spectra


def _names(header: Header, count: int) -> tuple[str, ...]:
    given = header.fields.get("spectra names", [])
    given = [given] if isinstance(given, str) else given
    names = [name or f"spectrum {number}" for number, name in enumerate(given[:count], start=1)]
    return (*names, *(f"spectrum {number}" for number in range(len(names) + 1, count + 1)))
