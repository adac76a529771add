"""Writing an ENVI file tile by tile: of a cube of any size, only one tile is in memory."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.calibration import Calibration
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.conversion import converted, to_write
from napari_decsc.hsi.io.envi.layout import Layout
from napari_decsc.hsi.io.envi.writer import new_layout, new_pair, target_pair


@dataclass(frozen=True)
class EnviSink:
    """The data file of an ENVI pair that is being made, or another file with a band after the other from some byte on.

    May be sent to other processes. Tiles are written with plain writes, not through a memory map: several machines that
    write into one file of a network file system then never write more than the bytes that are theirs.

    Parameters
    ----------
    path : Path
        The data file.
    layout : Layout
        Of its numbers.
    name : str
        Of the cube, for messages.
    no_data : float, optional
        Of the file.
    calibration : Calibration, optional
        Is undone where whole numbers are written.
    """

    path: Path
    layout: Layout
    name: str
    no_data: float | None
    calibration: Calibration | None

    def write(self, values: NDArray[np.float32], rows: slice, cols: slice) -> None:
        """See :class:`.protocol.Sink`. Raises FileFormatError for NaN that the type cannot hold."""
        cube = Cube(values, self.name, no_data=self.no_data, calibration=self.calibration)
        cube = to_write(cube, self.layout.dtype)
        stored = converted(np.asarray(cube.data), self.layout.dtype, cube)
        with self.path.open("r+b", buffering=0) as file:
            for band, part in enumerate(stored):
                self._write_band(file, band, part, rows, cols)

    def _write_band(self, file: BinaryIO, band: int, part: NDArray[Any], rows: slice, cols: slice) -> None:
        lines, samples = self.layout.lines, self.layout.samples
        # rows of full width lie one after the other
        pieces = [part] if part.shape[1] == samples else part
        for row, piece in enumerate(pieces, rows.start):
            file.seek(self.layout.offset + ((band * lines + row) * samples + cols.start) * part.itemsize)
            _write_all(file, np.ascontiguousarray(piece).data.cast("B"))


@contextmanager
def envi_sink(
    cube: Cube,
    path: Path,
    *,
    overwrite: bool = False,
    dtype: DTypeLike | None = None,
    extra: Mapping[str, str] | None = None,
) -> Iterator[EnviSink]:
    """Yield a sink for a cube like this one; the pair of files appears when the block ends without an error.

    Type, header and safety are those of :func:`~napari_decsc.hsi.io.envi.write_envi`, for a cube of float32.

    Parameters
    ----------
    cube : Cube
        Its shape and its header count.
    path : Path
        As that of `write_envi`.
    overwrite : bool
        Whether to replace files that exist.
    dtype : numpy type, optional
        As that of `write_envi`.
    extra : mapping of str to str, optional
        Fields that join the header; may change until the block ends: how a run went is known then.

    Yields
    ------
    EnviSink
        Takes tiles in any order.

    Raises
    ------
    FileFormatError
        Before anything is computed, if the disk has no room.
    """
    like = cube.replace(data=np.broadcast_to(np.float32(0), cube.shape))
    layout = new_layout(like, "bsq", dtype, 0)
    check_room(target_pair(path)[0], layout.size)
    with new_pair(like, path, layout, overwrite=overwrite, extra=extra or {}) as file:
        file.truncate(layout.size)
        yield EnviSink(Path(file.name).absolute(), layout, cube.name, cube.no_data, cube.calibration)


def check_room(header: Path, size: int) -> None:
    """Whether the disk has room for a file that is to be written.

    Parameters
    ----------
    header : Path
        Of the pair.
    size : int
        Bytes.

    Raises
    ------
    FileFormatError
        If it has not.
    """
    if not header.parent.is_dir():
        return
    free = shutil.disk_usage(header.parent).free
    if free < size:
        raise FileFormatError(
            f"{header}: the denoised cube takes {size / 1e9:.3g} GB, and {free / 1e9:.3g} GB are free there; "
            "free some space, choose another disk, or a smaller type with --dtype"
        )


def _write_all(file: BinaryIO, content: memoryview) -> None:
    while content:
        content = content[file.write(content) :]
