"""Reading ENVI files."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.gains import with_usable_gains
from napari_decsc.hsi.io.envi.header import Header, read_header
from napari_decsc.hsi.io.envi.layout import Layout, layout_of
from napari_decsc.hsi.io.envi.optional import OptionalFields
from napari_decsc.hsi.io.envi.pair import ENDS, find_data, find_header
from napari_decsc.hsi.io.envi.wavelengths import spectral_axis
from napari_decsc.hsi.no_data import as_meant


def read_envi(path: str | Path) -> Cube:
    """A cube from an ENVI header or its data file, memory-mapped.

    `data ignore value` becomes ``no_data``, `reflectance scale factor` ``scale``, `bbl` ``good_bands``; see
    :func:`~napari_decsc.hsi.io.envi.wavelengths.spectral_axis` for wavelengths. All fields stay in ``header``
    (lower-case keys; text, or a list of texts). `data gain values` and `data offset values` are applied where values
    are looked at, see :func:`~napari_decsc.hsi.io.envi.gains.with_gains`; writing whole numbers undoes them. Of the
    fields that only describe, those that cannot be used are left out; ``notes`` says which. Only the header and the
    data file beside it are read, and nothing is mapped before its size is checked.

    Parameters
    ----------
    path : str or Path
        Either file of the pair.

    Returns
    -------
    Cube
        Its data are a read-only view of the file, shape (band, row, col), raw values in the file's own type and byte
        order, whatever the interleave.

    Raises
    ------
    FileFormatError
        With file, field and cure, for anything that is not a complete pair of files with real numbers.
    """
    path = Path(path)
    try:
        header = read_header(find_header(path))
        layout = layout_of(header)
        data = find_data(header.path, layout.size) if path == header.path else path
        note = layout.check_size(data, header.path)
        values = _map(data, layout)
    except (OSError, ValueError) as error:
        # ValueError: a name with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise FileFormatError(f"{path}: cannot be read ({reason}); check its name and permissions") from None
    return _cube(header, values, data, [*header.notes, *([note] if note else [])])


def _map(data: Path, layout: Layout) -> NDArray[Any]:
    """The data file as a (band, row, col) view, through SPy."""
    from spectral.io import envi
    from spectral.io.bilfile import BilFile
    from spectral.io.bipfile import BipFile
    from spectral.io.bsqfile import BsqFile

    fields = layout.fields()
    parameters = envi.gen_params(fields)
    parameters.filename = str(data.absolute())
    image = {"bsq": BsqFile, "bil": BilFile, "bip": BipFile}[layout.interleave](parameters, fields)
    if not image.using_memmap:
        raise FileFormatError(f"{data}: cannot be mapped into memory; copy it to a local disk and open it there")
    values: NDArray[Any] = image.open_memmap(interleave="bsq")
    return values


def _cube(header: Header, values: NDArray[Any], data: Path, notes: list[str]) -> Cube:
    bands = values.shape[0]
    optional = OptionalFields(header, notes)
    wavelengths, unit, fwhm = spectral_axis(optional, bands)
    cube = Cube(
        values,
        name=data.stem if data.suffix.lower() in ENDS else data.name,
        wavelengths=wavelengths,
        wavelength_unit=unit,
        fwhm=fwhm,
        good_bands=optional.flags("bbl", bands),
        no_data=as_meant(optional.number("data ignore value")),
        scale=optional.scale() or 1.0,
        source=header.path,
        header=dict(header.fields),
    )
    cube = with_usable_gains(cube, optional).replace(notes=tuple(optional.notes))
    from napari_decsc.hsi.io.formats.gdal_cubes import with_notes_beside  # which needs this package itself

    return with_notes_beside(cube, data)
