"""Components as a stack with their SNR, and ratios of two bands, as layers."""

from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_decsc.errors import DecscError, SettingsError
from napari_decsc.hsi.band_list import parse_bands
from napari_decsc.hsi.cube import Cube, counted
from napari_decsc.hsi.noise.measured import MeasuredNoise
from napari_decsc.ui.cubes.bands import band_text, show_band
from napari_decsc.ui.cubes.layers import KEY, Stack, cube_of, placement
from napari_decsc.ui.explore.linked import Linked
from napari_decsc.ui.explore.scatter import ScatterPlot
from napari_decsc.ui.parts.column import scrolled
from napari_decsc.ui.parts.cube_choice import CubeChoice
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.parts.texts import NO_CUBE, Message
from napari_decsc.ui.parts.theme import theme_colours
from napari_decsc.ui.parts.worker import calculation_worker

HOW_TO_CHOOSE = "Drag a box: its pixels are marked in the image. What you paint there is marked here."
#: With `RED`, bands that differ most over plants, nm.
INFRARED = 860
#: nm.
RED = 650
NOT_BOTH = "No pixel was measured in both bands; take other bands."


class ExploreWidget(Docked):
    """``added`` carries a new layer. ``noise_of`` may be set: it gives the measured noise of a layer, or None."""

    added = Signal(object)

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.cube = CubeChoice(self.viewer, self.connections, follows=lambda layer: True)
        self.pca_button, self.mnf_button = PressButton("PCA"), PressButton("MNF")
        self.listing = QLabel()
        self.one, self.other = QLineEdit(), QLineEdit()
        self.normalised = QCheckBox("Ratio: normalised difference")
        self.ratio_button, self.scatter_button = PressButton("Ratio as layer"), PressButton("Scatter")
        self.scatter = ScatterPlot(theme_colours(self.viewer))
        self.linked = Linked(self.viewer, self.scatter, self.connections)
        self.message = Message()
        self.noise_of: Any = lambda layer: None
        self._worker: Any = None
        self._lay_out()
        self._describe()
        self.pca_button.clicked.connect(lambda: self.add_components(by_noise=False))
        self.mnf_button.clicked.connect(lambda: self.add_components(by_noise=True))
        self.ratio_button.clicked.connect(lambda: self.add_ratio())
        self.scatter_button.clicked.connect(lambda: self.show_scatter())
        self.linked.counted.connect(self._say_count)
        self.connections.add(self.viewer.events.theme, self._follow_theme)
        self.cube.chosen.connect(self._refresh)
        self._refresh()

    def add_components(self, *, by_noise: bool) -> None:
        """Add the first components as a stack, beside the window."""
        from napari_decsc.ui.explore.components import components

        layer = self.cube.layer
        if layer is None:
            return
        noise: MeasuredNoise | None = self.noise_of(layer)
        self._begin(lambda made: self._show_components(layer, made, by_noise), _of(components, by_noise, noise), layer)

    def add_ratio(self) -> None:
        """Add the ratio of two bands, beside the window."""
        from napari_decsc.ui.explore.components import ratio

        chosen = self._chosen()
        if chosen is None:
            return
        layer, one, other = chosen
        normalised = self.normalised.isChecked()
        name = f"({one + 1} − {other + 1}) / ({one + 1} + {other + 1})" if normalised else f"{one + 1} / {other + 1}"
        work = lambda cube: ratio(cube, one, other, normalised=normalised)  # noqa: E731
        self._begin(lambda made: self._show_ratio(layer, made, f"bands {name} · {layer.name}"), work, layer)

    def show_scatter(self) -> None:
        """Draw the values of two bands against each other; they are read beside the window."""
        from napari_decsc.ui.explore.components import pair

        chosen = self._chosen()
        if chosen is None:
            return
        layer, one, other = chosen
        labels = tuple(band_text(cube_of(layer), band) for band in (one, other))
        self._begin(lambda made: self._show_scatter(layer, made, labels), lambda cube: pair(cube, one, other), layer)

    def _chosen(self) -> tuple[Any, int, int] | None:
        """The layer and both bands; what is wrong with them is said."""
        layer = self.cube.layer
        if layer is None:
            return None
        try:
            cube = cube_of(layer)
            one, other = (_band(_written(field), cube) for field in (self.one, self.other))
            if one == other:
                raise SettingsError(f"Both are band {one + 1}; take two bands.")
            return layer, one, other
        except DecscError as error:
            self.message.complain(str(error))
            return None

    def leave(self) -> None:
        """Let go of the viewer."""
        super().leave()
        self.cube.blockSignals(True)

    def _begin(self, then: Any, work: Any, layer: Any) -> None:
        if self._worker is not None:
            return
        self.message.say("Computing…")
        self._worker = calculation_worker(work, cube_of(layer))
        self._worker.returned.connect(lambda made: None if self._left else then(made))
        self._worker.errored.connect(lambda error: None if self._left else self.message.complain(str(error)))
        self._worker.finished.connect(self._finish)
        self._worker.start()
        self._refresh()

    def _finish(self) -> None:
        self._worker = None
        if not self._left:
            self._refresh()

    def _show_components(self, layer: Any, made: Any, by_noise: bool) -> None:
        kind = "MNF" if by_noise else "PCA"
        low, high = np.percentile(made.stack[0], (1, 99))
        place = placement(layer)
        snr = ["noise" if np.isnan(value) else f"{round(value)}" for value in made.snr]
        texts = tuple(
            f"{kind} {number} of {len(snr)} · {one if one == 'noise' else f'SNR {one} dB'}"
            for number, one in enumerate(snr, start=1)
        )
        stack = self.viewer.add_image(
            made.stack, name=f"{kind} · {layer.name}", colormap="gray",
            contrast_limits=(float(low), float(max(high, low + 1e-6))), metadata={KEY: Stack(texts)},
            **{name: place[name] for name in ("scale", "translate", "units") if name in place},
            axis_labels=("component", *tuple(place["axis_labels"])[-2:]),
        )  # fmt: skip
        self.listing.setText(f"{kind}: SNR of the components in dB: {', '.join(snr)}")
        show_band(self.viewer, stack, 0)
        self.message.say("The slider goes through the components.")
        self.added.emit(stack)

    def _show_scatter(self, layer: Any, made: Any, labels: Any) -> None:
        if not np.isfinite(made[0] + made[1]).any():
            self.message.complain(NOT_BOTH)
            return
        self.scatter.setVisible(True)
        self.linked.show(made[0], made[1], labels, _flat(layer))
        self.message.say(HOW_TO_CHOOSE)

    def _say_count(self, chosen: int, pixels: int) -> None:
        self.scatter.say(f"{counted(chosen, 'pixel')} of {pixels} chosen ({100 * chosen / max(1, pixels):.2g} %)")

    def _follow_theme(self, event: Any = None) -> None:
        self.scatter.set_colours(theme_colours(self.viewer))

    def _show_ratio(self, layer: Any, made: Any, name: str) -> None:
        flat = _flat(layer)
        seen = made[np.isfinite(made)]
        if not seen.size:
            self.message.complain(NOT_BOTH)
            return
        low, high = np.percentile(seen, (2, 98))
        limits = float(low), float(max(high, low + 1e-6))
        shown = self.viewer.add_image(made, name=name, colormap="viridis", contrast_limits=limits, **flat)
        self.message.say(f"{name}: 2 to 98 percent of the pixels lie between {low:.3g} and {high:.3g}.")
        self.added.emit(shown)

    def _refresh(self, *_: Any) -> None:
        can = self.cube.layer is not None and self._worker is None
        for button in (self.pca_button, self.mnf_button, self.ratio_button, self.scatter_button):
            button.setEnabled(can)
        if self.cube.layer is not None:
            for field, usual in zip((self.one, self.other), usual_pair(cube_of(self.cube.layer)), strict=True):
                field.setPlaceholderText(usual)
        if self.cube.layer is None:
            self.message.say(NO_CUBE)
        elif self.message.text() == NO_CUBE:
            self.message.say("")

    def _describe(self) -> None:
        self.cube.setToolTip("The cube to explore; it stays as it is")
        self.pca_button.setToolTip("Principal components of the good bands, by variance, as a stack of images")
        self.mnf_button.setToolTip("Minimum noise fractions, by SNR: noise as measured in Judge, else from neighbours")
        example = "Number of a band from 1, or a wavelength with its unit such as 860 nm; empty: the one in grey"
        self.one.setToolTip(f"{example}: above the line of a ratio, across in a scatter")
        self.other.setToolTip(f"{example}: below the line of a ratio, upwards in a scatter")
        self.normalised.setToolTip("(a − b) / (a + b), such as a vegetation index, and not a / b")
        self.ratio_button.setToolTip("Add the ratio of both bands as an image")
        self.scatter_button.setToolTip("Draw the bands against each other; a box in it marks its pixels in the image")
        self.scatter.setVisible(False)
        self.listing.setWordWrap(True)

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        top = QFormLayout()
        top.addRow("Cube", self.cube)
        column.addLayout(top)
        parts, ratios = QGroupBox("Components"), QGroupBox("Two bands")
        inside = QVBoxLayout(parts)
        row = QHBoxLayout()
        row.addWidget(self.pca_button)
        row.addWidget(self.mnf_button)
        inside.addLayout(row)
        inside.addWidget(self.listing)
        rows = QFormLayout(ratios)
        rows.addRow("Band", self.one)
        rows.addRow("and", self.other)
        rows.addRow(self.normalised)
        both = QHBoxLayout()
        both.addWidget(self.ratio_button)
        both.addWidget(self.scatter_button)
        rows.addRow(both)
        for part in (parts, ratios, self.message):
            column.addWidget(part)
        column.addWidget(self.scatter, stretch=1)
        column.addStretch()
        scrolled(content, self)


def _of(components: Any, by_noise: bool, noise: MeasuredNoise | None) -> Any:
    return lambda cube: components(cube, by_noise=by_noise, noise=noise)


def _flat(layer: Any) -> dict[str, Any]:
    """Where in the world one band of a cube lies."""
    place = placement(layer)
    return {one: place[one][1:] for one in ("scale", "translate", "axis_labels", "units") if one in place}


def usual_pair(cube: Cube) -> tuple[str, str]:
    """What is taken where nobody names two bands: infrared and red, or bands at three and one quarter of the good ones.

    Parameters
    ----------
    cube : Cube
        With or without wavelengths.

    Returns
    -------
    tuple of str
        As a person would write them.
    """
    lengths = cube.wavelengths_nm
    if lengths is not None and np.nanmin(lengths) <= RED and np.nanmax(lengths) >= INFRARED:
        return f"{INFRARED} nm", f"{RED} nm"
    good = np.arange(cube.bands) if cube.good_bands is None else np.flatnonzero(cube.good_bands)
    return str(int(good[3 * len(good) // 4]) + 1), str(int(good[len(good) // 4]) + 1)


def _written(field: QLineEdit) -> str:
    """What a person wrote, or else what stands there in grey."""
    return field.text().strip() or field.placeholderText()


def _band(text: str, cube: Cube) -> int:
    """The one band that a text names."""
    chosen = np.flatnonzero(parse_bands(text, cube))
    if len(chosen) != 1:
        raise SettingsError(f"{text!r} names {counted(len(chosen), 'band')}; write one, such as 12 or 860 nm")
    return int(chosen[0])
