"""Add noise: a noisy copy of a cube that remembers what it was made of."""

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.errors import DecscError
from napari_decsc.hsi.metrics import Scores, score_cubes
from napari_decsc.hsi.noise import NOISE_MODELS, NoiseModel, add_noise
from napari_decsc.hsi.settings import as_dict
from napari_decsc.ui import scoring
from napari_decsc.ui.docked import CubeChoice, Docked, Message, scores_label, scrolled
from napari_decsc.ui.form import SettingsForm, as_text
from napari_decsc.ui.layers import add_cube_layer, clean_of, cube_of, provenance_of
from napari_decsc.ui.worker import calculation_worker

NO_CUBE = "Open a cube first: drop an ENVI header on the window, or take File ▸ Open Sample ▸ napari-decsc."


def noisy_copy(cube: Cube, clean: Cube, model: NoiseModel, seed: int) -> tuple[Cube, Scores]:
    """The noisy cube and its scores against ``clean``."""
    # what tells it from the clean cube comes first: narrow places cut the end of a name
    noisy = add_noise(cube, model, seed).replace(name=f"{model.name} · {cube.name}")
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
        self.seed = QSpinBox()
        self.run_button = QPushButton("Add noise")
        self.message = Message()
        self.scores = scores_label()
        self._forms: dict[str, SettingsForm] = {}
        self._worker: Any = None
        self._fill()
        self._lay_out()
        self.model.currentTextChanged.connect(self._show_model)
        self.cube.chosen.connect(self._refresh)
        self.run_button.clicked.connect(lambda: self.run())
        self._show_model()
        self._refresh()

    def show_settings(self, model: NoiseModel, seed: int) -> None:
        """Fill the form."""
        self.model.setCurrentText(model.name)
        self.form.show(model)
        self.seed.setValue(seed)

    @property
    def form(self) -> SettingsForm:
        """The form of the chosen model."""
        name = self.model.currentText()
        if name not in self._forms:
            self._forms[name] = SettingsForm(NOISE_MODELS[name])
            self._form_place.addWidget(self._forms[name].widget)
        return self._forms[name]

    def run(self) -> None:
        """Add the noise, beside the window; `done` or `failed` follows."""
        layer = self.cube.layer
        try:
            model, cube = self.form.settings(), cube_of(layer)
        except DecscError as error:
            self._fail(str(error))
            return
        seed, clean = self.seed.value(), clean_of(layer) or cube
        self._worker = calculation_worker(noisy_copy, cube, clean, model, seed)
        self._job = (layer, clean, model, seed)
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
        (noisy, scores), (layer, clean, model, seed) = result, self._job
        provenance = {"noise": {"model": model.name, "settings": as_dict(model), "seed": seed}}
        noisy_layer = add_cube_layer(self.viewer, noisy, clean=clean, provenance=provenance, like=layer)
        changed = as_text(model)
        self.message.say(f"{noisy_layer.name}: seed {seed}" + (f", {changed}" if changed else ""))
        self.scores.setText(scoring.table([("noisy", scores)]))
        self.done.emit(noisy_layer)

    def _on_error(self, error: Exception) -> None:
        self._fail(str(error))

    def _fail(self, text: str) -> None:
        self.message.complain(text)
        self.failed.emit(text)

    def _refresh(self) -> None:
        has_cube = self.cube.layer is not None
        self.run_button.setEnabled(has_cube)
        if not has_cube:
            self.message.say(NO_CUBE)
        elif self.message.text() == NO_CUBE:
            self.message.say("")

    def _show_model(self, *_: Any) -> None:
        name = self.model.currentText()
        self.summary.setText(NOISE_MODELS[name].summary)
        shown = self.form
        for form in self._forms.values():
            form.widget.setVisible(form is shown and bool(form.fields))

    def _fill(self) -> None:
        for name, model in NOISE_MODELS.items():
            self.model.addItem(name)
            self.model.setItemData(self.model.count() - 1, model.summary, Qt.ItemDataRole.ToolTipRole)
        self.cube.setToolTip("The cube to add noise to; it stays as it is")
        self.model.setToolTip("The noise of the field's protocol; sigma is given on the 0 to 255 scale")
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed gives the same noise")
        self.summary.setWordWrap(True)

    def _lay_out(self) -> None:
        content = QWidget()
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Cube", self.cube)
        rows.addRow("Noise", self.model)
        rows.addRow("", self.summary)
        self._form_place = QVBoxLayout()
        last = QHBoxLayout()
        last.addWidget(QLabel("Seed"))
        last.addWidget(self.seed, stretch=1)
        last.addWidget(self.run_button, stretch=1)
        column = QVBoxLayout(content)
        for part in (rows, self._form_place, last):
            column.addLayout(part)
        column.addWidget(self.message)
        column.addWidget(self.scores)
        column.addStretch()
        scrolled(content, self)
