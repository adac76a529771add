"""Add noise: a noisy copy of a cube that remembers what it was made of."""

from typing import Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_decsc.errors import DecscError, SettingsError
from napari_decsc.hsi.band_list import parse_bands
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.metrics import Scores, score_cubes
from napari_decsc.hsi.noise.bands import OnBands, on_bands, record
from napari_decsc.hsi.noise.models import NOISE_MODELS, Combined, NoiseModel, add_noise
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import clean_of, cube_of, provenance_of
from napari_decsc.ui.cubes.lineage import noise_step
from napari_decsc.ui.cubes.origin import known_lineage
from napari_decsc.ui.files.asking import settle_axis
from napari_decsc.ui.noise.form import COMBINATION, CombinationForm, NoiseForm
from napari_decsc.ui.noise.preview import BandPreview, NoisePreview, PreviewRequest, show_in
from napari_decsc.ui.parts import scoring
from napari_decsc.ui.parts.column import scrolled
from napari_decsc.ui.parts.cube_choice import CubeChoice
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.form import as_text
from napari_decsc.ui.parts.limits import tell_limits
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.parts.texts import CHOOSE, Message, gone, nothing_to_do, scores_label
from napari_decsc.ui.parts.worker import calculation_worker


def _noisy_copy(cube: Cube, clean: Cube, model: NoiseModel, seed: int) -> tuple[Cube, Scores]:
    """The noisy cube and its scores against ``clean``."""
    # what tells it from the clean cube comes first: narrow places cut the end of a name
    kind = model.model.name if isinstance(model, OnBands) else model.name
    noisy = add_noise(cube, model, seed).replace(name=f"{kind} · {cube.name}")
    return noisy, score_cubes(clean, noisy)


class NoiseWidget(Docked):
    """Choose a cube, a noise model and its settings; Run adds the noisy cube as a layer.

    ``done`` carries the new layer, ``failed`` a sentence.
    """

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        # a noisy or denoised cube that gets selected is seldom the one to add noise to
        self.cube = CubeChoice(self.viewer, self.connections, follows=lambda layer: not provenance_of(layer))
        self.model = QComboBox()
        self.summary = QLabel()
        self.bands = QLineEdit()
        self.seed = QSpinBox()
        self.picture, self.caption = QLabel(), QLabel()
        self.preview = NoisePreview(self)
        self.run_button = PressButton("Add noise")
        self.message = Message()
        self.scores = scores_label()
        self._forms: dict[str, NoiseForm | CombinationForm] = {}
        self._peak: float | None = None
        self._is_waiting = False
        self._worker: Any = None
        self._fill()
        self._lay_out()
        self.model.currentTextChanged.connect(self._show_model)
        self.cube.chosen.connect(self._change_cube)
        self.cube.lost.connect(self._say_lost)
        self.run_button.clicked.connect(lambda: self.run())
        self.seed.valueChanged.connect(self.renew_preview)
        self.bands.textChanged.connect(self.renew_preview)
        self.preview.seen.connect(self._show_preview)
        self.preview.failed.connect(self._show_no_preview)
        self.connections.add(self.viewer.dims.events.current_step, self.renew_preview)
        self.connections.add(self.viewer.layers.events.inserted, self._refresh)
        self._show_model()
        self._refresh()

    def show_settings(self, model: NoiseModel, seed: int) -> None:
        """Fill the form, for all bands."""
        self.model.setCurrentText(model.name)
        form: Any = self.form
        form.show(model)
        self.bands.clear()
        self.seed.setValue(seed)

    @property
    def form(self) -> NoiseForm | CombinationForm:
        """The form of the chosen model."""
        name = self.model.currentText()
        if name not in self._forms:
            made = CombinationForm(self.renew_preview) if name == COMBINATION else NoiseForm(name, self.renew_preview)
            made.set_peak(self._peak)
            self._forms[name] = made
            self._form_place.addWidget(made.widget)
        return self._forms[name]

    def noise(self, cube: Cube) -> NoiseModel:
        """What the form says, for a cube; raises SettingsError for a value that cannot be used."""
        model = self.form.settings()
        chosen = parse_bands(self.bands.text() or "all", cube)
        if not chosen.any():
            raise SettingsError("no band is chosen; leave the field of the bands empty for all")
        return on_bands(model, chosen)

    def renew_preview(self, *_: Any) -> None:
        """Show the band of the slider with the noise that the form says, a moment later."""
        layer = self.cube.layer
        if layer is None or not self.isVisible():
            return
        try:
            cube = cube_of(layer)
            model = self.noise(cube)
        except DecscError as error:
            self.preview.request(None)
            self._show_no_preview(str(error))
            return
        if self.message.is_error:
            self.message.say("")  # what was complained of is mended
        band, limits = shown_band(self.viewer, layer), tuple(layer.contrast_limits)
        self.preview.request(PreviewRequest(cube, clean_of(layer) or cube, model, self.seed.value(), band, limits))

    def showEvent(self, event: Any) -> None:
        """What is hidden is not drawn; now it is wanted."""
        super().showEvent(event)
        self.renew_preview()

    def run(self) -> None:
        """Add the noise, beside the window; `done` or `failed` follows."""
        layer = self.cube.layer
        if not settle_axis(layer):
            return
        try:
            cube = cube_of(layer)
            model = self.noise(cube)
        except DecscError as error:
            self._fail(str(error))
            return
        seed, clean = self.seed.value(), clean_of(layer) or cube
        self._worker = calculation_worker(_noisy_copy, cube, clean, model, seed)
        self._job = (layer, clean, model, seed, known_lineage(layer))
        self._worker.returned.connect(self._add)
        self._worker.errored.connect(self._on_error)
        self._worker.finished.connect(self._refresh)
        self.message.say("Adding noise…")
        self.run_button.setEnabled(False)
        self._worker.start()

    def leave(self) -> None:
        """Let go of the viewer; noise that is still being made is forgotten."""
        super().leave()
        self.cube.blockSignals(True)

    def _add(self, result: tuple[Cube, Scores]) -> None:
        if self._left:
            return
        (noisy, scores), (layer, clean, model, seed, lineage) = result, self._job
        provenance = {"noise": {**record(model), "seed": seed}}
        lineage = None if lineage is None else lineage.then(noise_step(provenance["noise"]))
        noisy_layer = add_cube_layer(
            self.viewer, noisy, clean=clean, provenance=provenance, like=layer, lineage=lineage
        )
        bands = f", bands {provenance['noise']['bands']}" if "bands" in provenance["noise"] else ""
        changed = as_text(model)
        self.message.say(f"{noisy_layer.name}: seed {seed}{bands}" + (f", {changed}" if changed else ""))
        self.scores.setText(scoring.table([("noisy", scores)]))
        self.done.emit(noisy_layer)

    def _on_error(self, error: Exception) -> None:
        self._fail(str(error))

    def _fail(self, text: str) -> None:
        if self.caption.text() == _no_preview(text):
            self.caption.clear()  # once is enough
        self.message.complain(text)
        self.failed.emit(text)

    def _change_cube(self) -> None:
        self._set_peak(None)
        self._refresh()
        self.renew_preview()

    def _say_lost(self, name: str) -> None:
        if self.cube.count():
            self.message.say(gone(name, None if self.cube.layer is None else self.cube.layer.name))

    def _set_peak(self, peak: float | None) -> None:
        self._peak = peak
        for form in self._forms.values():
            form.set_peak(peak)

    def _show_preview(self, found: BandPreview) -> None:
        if self._left or self.cube.layer is None:
            return
        peak = found.peak * found.request.cube.scale
        if peak != self._peak:
            self._set_peak(peak)
        show_in(self.picture, found.shades)
        quality = f"PSNR {found.psnr:.2f} dB" if np.isfinite(found.psnr) else "no noise falls on it"
        self.caption.setText(f"Preview of band {found.request.band + 1} · {quality}")

    def _show_no_preview(self, text: str) -> None:
        self.picture.clear()
        self.caption.setText("" if self.message.is_error and self.message.text() == text else _no_preview(text))

    def _refresh(self, event: Any = None) -> None:
        has_cube = self.cube.layer is not None
        self.run_button.setEnabled(has_cube)
        if not has_cube:
            self.preview.request(None)
            for part in (self.scores, self.caption, self.picture):
                part.clear()
            self.message.say(CHOOSE if self.cube.count() else nothing_to_do(self.viewer))
            self._is_waiting = True
        elif self._is_waiting:
            self._is_waiting = False
            self.message.say("")

    def _show_model(self, *_: Any) -> None:
        name = self.model.currentText()
        self.summary.setText(_summary(name))
        shown = self.form
        for form in self._forms.values():
            form.widget.setVisible(form is shown and (bool(form.fields) or name == COMBINATION))
        self.renew_preview()

    def _fill(self) -> None:
        for name in (*NOISE_MODELS, COMBINATION):
            self.model.addItem(name)
            self.model.setItemData(self.model.count() - 1, _summary(name), Qt.ItemDataRole.ToolTipRole)
        self.cube.setToolTip("The cube to add noise to; it stays as it is")
        self.model.setToolTip(
            "Noise of the field's protocol (sigma on the 0 to 255 scale), then noise as sensors make it"
        )
        self.seed.setRange(0, 2**31 - 1)
        tell_limits(self.seed)
        self.seed.setToolTip("The same seed gives the same noise")
        self.summary.setWordWrap(True)
        self.bands.setPlaceholderText("all, or such as 1-10, 600-700 nm")
        self.bands.setToolTip("Bands that get the noise: numbers from 1, or ranges of wavelengths with their unit")
        self.run_button.setToolTip("Add the noisy cube as a layer of its own; the clean one stays")
        self.caption.setWordWrap(True)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.picture.setToolTip("The shown band with this noise, in the layer's contrast; the slider chooses the band")

    def _lay_out(self) -> None:
        content = QWidget()
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Cube", self.cube)
        rows.addRow("Noise", self.model)
        rows.addRow("", self.summary)
        self._form_place = QVBoxLayout()
        last = QHBoxLayout()
        where = QFormLayout()
        where.addRow("Bands", self.bands)
        last.addWidget(QLabel("Seed"))
        last.addWidget(self.seed, stretch=1)
        last.addWidget(self.run_button, stretch=1)
        column = QVBoxLayout(content)
        for part in (rows, self._form_place, where, last):
            column.addLayout(part)
        for part in (self.message, self.scores, self.caption, self.picture):
            column.addWidget(part)
        column.addStretch()
        scrolled(content, self)


def _no_preview(text: str) -> str:
    return f"No preview: {text}"


def _summary(name: str) -> str:
    return Combined.summary if name == COMBINATION else NOISE_MODELS[name].summary
