"""Cloud-Optimized GeoTIFF: tiles and overviews, so that a part can be fetched. GDAL makes it, through rasterio."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.atomic import replacing
from napari_decsc.hsi.io.formats.tiff_write import write_tiff
from napari_decsc.hsi.io.notes import notes_of_tiff

#: How GDAL packs it; predictors are chosen by the type.
_OPTIONS = {"compress": "deflate", "predictor": "yes", "bigtiff": "if_safer", "overview_resampling": "nearest"}


def write_cog(cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]) -> Path:
    """Write a cube as a Cloud-Optimized GeoTIFF; a plain one of the same size lies beside it meanwhile.

    Raises
    ------
    FileFormatError
        If rasterio is not installed, and as `write_tiff`.
    """
    try:
        from rasterio import Env
        from rasterio.errors import RasterioError
        from rasterio.shutil import copy
    except ImportError:
        raise FileFormatError(
            f'{path}: Cloud-Optimized GeoTIFF needs rasterio; install it (pip install "napari-decsc[geo]"), or write a '
            f"plain .tif"
        ) from None
    with replacing(path, overwrite=overwrite, notes=notes_of_tiff(path)) as (part,):
        plain = part.with_suffix(".tif")
        try:
            write_tiff(cube, plain, kind, overwrite=False, extra=extra)
            with Env(GDAL_PAM_ENABLED="NO"):
                copy(plain, part, driver="COG", **_OPTIONS)
        except RasterioError as error:
            raise FileFormatError(f"{path}: cannot be written as Cloud-Optimized GeoTIFF ({error})") from None
        finally:
            plain.unlink(missing_ok=True)
    return path
