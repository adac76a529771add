"""A small picture of the shown band with noise, which follows the form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.metrics import psnr_per_band
from napari_decsc.hsi.noise.bands import noisy_band
from napari_decsc.hsi.noise.models import NoiseModel
from napari_decsc.hsi.scaling import peak as peak_of
from napari_decsc.ui.parts.worker import calculation_worker

#: Milliseconds after the last change.
PAUSE = 60
#: Width of the picture, screen points.
WIDTH = 320
#: Its height.
HEIGHT = 160


@dataclass(frozen=True, eq=False)
class PreviewRequest:
    """What should be seen: a band of a cube with noise, drawn between two raw values."""

    cube: Cube
    clean: Cube
    model: NoiseModel
    seed: int
    band: int
    limits: tuple[float, float]


@dataclass(frozen=True, eq=False)
class BandPreview:
    """What is seen: shades of grey (row, col), and the PSNR of the band against the clean one in dB."""

    request: PreviewRequest
    shades: NDArray[np.uint8]
    psnr: float
    peak: float


def make_preview(request: PreviewRequest, peak: float | None) -> BandPreview:
    """Make the noisy band. ``peak`` is the physical value that counts as 1, looked for where it is None."""
    cube, band = request.cube, request.band
    peak = peak_of(cube) if peak is None else peak
    _, noisy = noisy_band(cube, request.model, request.seed, band, peak)
    data = np.asarray(request.clean.data[band : band + 1])
    clean = Cube(data, no_data=request.clean.no_data, scale=request.clean.scale).physical() / np.float32(peak)
    # scored as the whole cube will be: against the peak of the clean one
    full = peak if request.clean.data is cube.data else peak_of(request.clean)
    low, high = (limit / cube.scale / peak for limit in request.limits)
    shares = np.nan_to_num((noisy - low) / max(high - low, 1e-12), nan=0, posinf=1, neginf=0)
    shades = np.round(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return BandPreview(request, shades, float(psnr_per_band(clean, noisy[None], full / peak)[0]), peak)


class NoisePreview(QObject):
    """Makes one preview at a time beside the window; of several requests in between only the last counts.

    ``seen`` carries a `BandPreview`, ``failed`` a sentence.
    """

    seen = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._next: PreviewRequest | None = None
        self._worker: Any = None
        self._peak: tuple[Any, float] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self._begin)

    def request(self, request: PreviewRequest | None) -> None:
        """Ask for a preview; None forgets what was asked for."""
        self._next = request
        if request is not None and self._worker is None:
            self._timer.start()

    def _begin(self) -> None:
        if self._next is None or self._worker is not None:
            return
        request, self._next = self._next, None
        known = self._peak[1] if self._peak is not None and self._peak[0] is request.cube.data else None
        self._worker = calculation_worker(make_preview, request, known)
        self._worker.returned.connect(self._show)
        self._worker.errored.connect(lambda error: self.failed.emit(str(error)))
        self._worker.finished.connect(self._end)
        self._worker.start()

    def _show(self, found: BandPreview) -> None:
        self._peak = (found.request.cube.data, found.peak)
        self.seen.emit(found)

    def _end(self) -> None:
        self._worker = None
        if self._next is not None:
            self._timer.start()


def show_in(label: QLabel, shades: NDArray[np.uint8]) -> None:
    """Draw a picture into a label, as large as it fits, sharp on high-density screens; pixels stay pixels."""
    from qtpy.QtCore import Qt

    shades = np.ascontiguousarray(shades)
    rows, cols = shades.shape
    pixels: Any = shades.data  # the stubs of Qt know no memory view
    image = QImage(pixels, cols, rows, cols, QImage.Format.Format_Grayscale8)
    density = label.devicePixelRatioF()
    scaled = QPixmap.fromImage(image).scaled(
        round(WIDTH * density),
        round(HEIGHT * density),
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.FastTransformation if rows < HEIGHT else Qt.TransformationMode.SmoothTransformation,
    )
    scaled.setDevicePixelRatio(density)
    label.setPixmap(scaled)
