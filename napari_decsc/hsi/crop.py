"""A part of a cube: some rows and cols, with what the header tells of the place told anew."""

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.georeference import moved


def cropped(cube: Cube, rows: slice = slice(None), cols: slice = slice(None)) -> Cube:
    """Rows and cols of a cube, a view where the cube is one; `map info` and GeoTIFF's tags begin at the first of them.

    Parameters
    ----------
    cube : Cube
        The whole.
    rows, cols : slice
        Without a step; negative ends count from the end, as everywhere in Python.

    Returns
    -------
    Cube
        Shape (band, rows, cols).

    Raises
    ------
    CubeError
        If nothing is left, or a slice has a step.
    """
    if any(part.step not in (None, 1) for part in (rows, cols)):
        raise CubeError(f"{cube.name}: a crop takes every row and col; give a first and a last one, and no step")
    first_row, last_row, _ = rows.indices(cube.shape[1])
    first_col, last_col, _ = cols.indices(cube.shape[2])
    if last_row <= first_row or last_col <= first_col:
        raise CubeError(
            f"{cube.name}: has {cube.shape[1]} rows and {cube.shape[2]} cols, of which this crop leaves none; "
            f"give rows and cols within"
        )
    data = cube.data[:, first_row:last_row, first_col:last_col]
    return cube.replace(data=data, header=moved(cube.header, first_row, first_col))
