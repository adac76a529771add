"""What a Cube says beside its values, as one JSON text: how TIFF and .npz files of this package carry it."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.writer import kept_fields

#: The key by which the text is recognised; its value is the version of the layout.
KEY = "napari-decsc"
#: A longer text is not of this package's making, and is not read.
LONGEST = 64 << 20


def is_metadata(text: Any) -> bool:
    """True if a text begins as :func:`as_json` makes it."""
    return isinstance(text, str) and text.startswith(f'{{"{KEY}": 1,')


def as_json(cube: Cube, extra: Mapping[str, str] | None = None) -> str:
    """Shape, spectral axis, no-data value, scale and header of a cube; ASCII. ``extra`` fields join the header."""
    facts = {
        KEY: 1,
        "shape": cube.shape,
        "wavelengths": None if cube.wavelengths is None else cube.wavelengths.tolist(),
        "wavelength_unit": cube.wavelength_unit,
        "fwhm": None if cube.fwhm is None else cube.fwhm.tolist(),
        "good_bands": None if cube.good_bands is None else cube.good_bands.tolist(),
        "no_data": None if cube.no_data is None else _number(cube.no_data),
        "scale": cube.scale,
        "header": {**kept_fields(cube), **(extra or {})},
    }
    return json.dumps(facts, default=str)


def shape_of(text: str) -> tuple[int, ...] | None:
    """The shape (band, row, col) that the text tells, or None if it tells none."""
    try:
        shape = json.loads(text)["shape"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    whole = isinstance(shape, list) and len(shape) == 3 and all(type(size) is int and size > 0 for size in shape)
    return tuple(shape) if whole else None


def cube_fields(text: str, path: Path, cube: Cube) -> dict[str, Any]:
    """Fields of a Cube from the text. Raises FileFormatError if it is damaged."""
    try:
        facts = json.loads(text)
        header = {str(key): _texts(value) for key, value in facts["header"].items()}
        no_data = facts["no_data"]
        return {
            "wavelengths": facts["wavelengths"],
            "wavelength_unit": str(facts["wavelength_unit"]),
            "fwhm": facts["fwhm"],
            "good_bands": facts["good_bands"],
            "no_data": None if no_data is None else float(no_data),
            "scale": float(facts["scale"]),
            "header": {**cube.header, **header},
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FileFormatError(f"{path}: its description of the cube is damaged; write the file again") from None


def _texts(value: Any) -> str | list[str]:
    return [str(item) for item in value] if isinstance(value, list) else str(value)


def _number(value: float) -> float | str:
    # JSON knows no NaN
    return float(value) if math.isfinite(value) else str(value)
