"""A cube in words, and as a notebook shows it: a picture and a table. Little is read of a large file."""

import base64
import html
import io

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi import colours
from napari_decsc.hsi.cube import Cube, counted
from napari_decsc.hsi.io import memory_map as mapped

#: Units as people write them; a unit not listed is shown as it is.
UNITS = {"um": "µm", "1/cm": "cm⁻¹", "index": ""}
#: Longest side of the picture, in pixels of the cube that are looked at.
SIDE = 192


def unit_text(unit: str) -> str:
    """A wavelength unit as people write it.

    Parameters
    ----------
    unit : str
        As a Cube spells it.

    Returns
    -------
    str
    """
    return UNITS.get(unit, unit)


def line(cube: Cube) -> str:
    """Such as "Cube 'scene': 31 bands × 256 × 256, float32, 400 to 700 nm".

    Parameters
    ----------
    cube : Cube
        Any.

    Returns
    -------
    str
        One line.
    """
    _, rows, cols = cube.shape
    spectrum = _spectrum(cube)
    text = f"Cube {cube.name!r}: {counted(cube.bands, 'band')} × {rows} × {cols}, {cube.data.dtype}"
    return f"{text}, {spectrum}" if spectrum else text


def table(cube: Cube) -> str:
    """The picture of a cube and what is known of it, as HTML.

    Parameters
    ----------
    cube : Cube
        Any.

    Returns
    -------
    str
        HTML, the picture within.
    """
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
        for name, value in _facts(cube).items()
    )
    return (
        f"<div style='display:flex;gap:1em;align-items:flex-start'>"
        f"<img alt='colour picture' src='data:image/png;base64,{_png(_thumbnail(cube))}'>"
        f"<table><caption><b>{html.escape(cube.name)}</b></caption>{rows}</table></div>"
    )


def _facts(cube: Cube) -> dict[str, str]:
    """What a table says of a cube; facts that nobody knows are left out."""
    bands, rows, cols = cube.shape
    bad = 0 if cube.good_bands is None else int(np.count_nonzero(~cube.good_bands))
    facts = {
        "bands × rows × cols": f"{bands} × {rows} × {cols}",
        "type": f"{cube.data.dtype}, {_size(cube.data.size * cube.data.dtype.itemsize)}",
        "wavelengths": _spectrum(cube),
        "bad bands": str(bad) if bad else "",
        "no-data value": "" if cube.no_data is None else f"{cube.no_data:g}",
        "scale": "" if cube.scale == 1 else f"{cube.scale:g} stands for 1",
        "file": "" if cube.source is None else str(cube.source),
        "picture": _choice(cube).how,
    }
    return {name: value for name, value in facts.items() if value}


def _spectrum(cube: Cube) -> str:
    known = cube.wavelengths
    if known is None or not np.isfinite(known).any():
        return ""
    return f"{np.nanmin(known):.5g} to {np.nanmax(known):.5g} {unit_text(cube.wavelength_unit)}".rstrip()


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def _choice(cube: Cube) -> colours.Choice:
    return colours.default_bands(cube) or colours.choose(cube)


def _thumbnail(cube: Cube) -> NDArray[np.uint8]:
    """A picture (row, col, colour) of every n-th pixel."""
    step = max(1, -(-max(cube.shape[1:]) // SIDE))
    parts = [mapped.read(cube.data[band, ::step, ::step]) for band in _choice(cube).bands]
    return colours.picture(Cube(np.stack(parts), no_data=cube.no_data, scale=cube.scale), (0, 1, 2))


def _png(picture: NDArray[np.uint8]) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")
