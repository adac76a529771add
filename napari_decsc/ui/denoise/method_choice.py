"""Which method denoises, and its settings: a form for each method, of which that of the chosen one is shown."""

from typing import Any

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QWidget
from superqt import QCollapsible

from napari_decsc import registry as methods
from napari_decsc.ui.denoise import choices
from napari_decsc.ui.denoise.fields import explain
from napari_decsc.ui.denoise.form import DEVICE, STRENGTH, WEIGHTS, DenoiseForm
from napari_decsc.ui.parts.worker import calculation_worker


class MethodChoice(QObject):
    """``opened`` says whether the settings are open, ``strength_changed`` comes with every move of the slider.

    The widgets are for a panel to place: the rows of `add_rows`, and ``settings_box``.
    """

    opened = Signal(bool)
    strength_changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.method, self.summary = QComboBox(), QLabel()
        self.settings_box = QCollapsible("Settings", expandedIcon="▾", collapsedIcon="▸")
        self.strength_row = QWidget()
        self._forms: dict[str, DenoiseForm] = {}
        self._warm: dict[str, Any] = {}
        self._asking: Any = None
        self._fill()
        self.method.currentTextChanged.connect(self.refresh)
        self.settings_box.toggled.connect(self._on_toggled)

    @property
    def name(self) -> str:
        """The chosen method."""
        return self.method.currentText()

    @property
    def form(self) -> DenoiseForm:
        """The form of the chosen method."""
        if self.name not in self._forms:
            form = self._forms[self.name] = DenoiseForm(methods.METHODS[self.name].settings)
            form.offer(WEIGHTS, choices.weights_choices())
            self.settings_box.addWidget(form.widget)
            if form.strength is not None:
                row: Any = self.strength_row.layout()
                row.addWidget(form.strength)
                form.strength.changed.connect(lambda _: self.strength_changed.emit())
        return self._forms[self.name]

    def show(self, method: str, settings: Any = None) -> None:
        """Fill the form; default settings unless some are given."""
        self.method.setCurrentText(method)
        self.form.show(methods.METHODS[method].settings() if settings is None else settings)

    def add_rows(self, rows: QFormLayout) -> None:
        """Add what is seen while the settings are closed."""
        QHBoxLayout(self.strength_row).setContentsMargins(0, 0, 0, 0)
        rows.addRow("Method", self.method)
        rows.addRow("", self.summary)
        rows.addRow(STRENGTH.capitalize(), self.strength_row)
        layouts: list[Any] = [self.settings_box.layout(), self.settings_box.content().layout()]
        for layout in layouts:
            layout.setContentsMargins(0, 0, 0, 0)
        self.settings_box.content().setVisible(False)
        self._strength_label: Any = rows.labelForField(self.strength_row)

    def refresh(self, *_: Any) -> None:
        """Show the form of the chosen method, and what it is."""
        shown = self.form
        self.summary.setText(methods.METHODS[self.name].summary)
        for form in self._forms.values():
            form.widget.setVisible(form is shown)
            if form.strength is not None:
                form.strength.setVisible(form is shown)
        self._strength_label.setVisible(shown.strength is not None)
        self.strength_row.setVisible(shown.strength is not None)
        self._offer_devices()

    def warm_up(self) -> None:
        """Who looks at the form will press its button: what takes seconds to load (torch) comes while they look."""
        if self.name not in self._warm:
            self._warm[self.name] = worker = calculation_worker(methods.make_denoiser, self.name)
            worker.start()

    def _on_toggled(self, is_open: bool) -> None:
        # folded to no height, its fields would still be reached by Tab
        self.settings_box.content().setVisible(is_open)
        self.opened.emit(is_open)
        self._offer_devices()

    def _offer_devices(self) -> None:
        """Ask for the devices once somebody looks: it loads torch."""
        form = self.form
        if DEVICE in form.choices and self.settings_box.isExpanded() and self._asking is None:
            self._asking = calculation_worker(choices.device_choices)
            self._asking.returned.connect(lambda found: form.offer(DEVICE, found))
            self._asking.start()

    def _fill(self) -> None:
        for name, method in methods.METHODS.items():
            self.method.addItem(name)
            self.method.setItemData(self.method.count() - 1, method.summary, Qt.ItemDataRole.ToolTipRole)
        explain(self.summary)
        self.method.setToolTip("How the noise is taken out; each method has settings of its own")
        self.settings_box.toggleButton().setToolTip("Weights, device, tolerance and what else the method can be told")
