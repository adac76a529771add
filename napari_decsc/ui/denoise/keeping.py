"""What can be done with a result: the removed noise as a layer, the cube and the report as files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QPushButton, QWidget

from napari_decsc.denoising.provenance import carried_on
from napari_decsc.denoising.report import as_json
from napari_decsc.denoising.two_starts import SolvesTwice
from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import DIFFERENCE, balanced
from napari_decsc.ui.denoise import places
from napari_decsc.ui.denoise.rare_layer import add_rare
from napari_decsc.ui.denoise.run import Result, removed_noise
from napari_decsc.ui.files import saving
from napari_decsc.ui.files.save_button import Chosen, SaveButton
from napari_decsc.ui.parts.texts import Message
from napari_decsc.ui.parts.worker import calculation_worker


class Keeping(QWidget):
    """Buttons for the last ``result``; what they did is said in ``message``. All work is beside the window.

    ``compare_wanted`` says that a person wants to see the cube before and after under a curtain, ``starts_wanted`` that
    the equilibrium be solved from another start.
    """

    compare_wanted = Signal()
    starts_wanted = Signal()

    def __init__(self, viewer: Any, message: Message) -> None:
        super().__init__()
        self._viewer, self._message = viewer, message
        self._result: Result | None = None
        self._working: list[Any] = []
        self._left = False
        self.compare_button = QPushButton("Curtain")
        self.noise_button = QPushButton("Removed")
        self.save_button = SaveButton(message, self._denoised)
        self.report_button, menu = QPushButton("More"), QMenu(self)
        menu.setToolTipsVisible(True)
        self.report_action = _action(
            menu, "Save the report…", "Write the method, settings, weights, residuals, versions and scores as JSON"
        )
        self.starts_action = _action(
            menu, "Solve from another start", "Begin the last equilibrium with plain noise, and see both solutions meet"
        )
        self.rare_action = _action(
            menu, "Show what was kept as rare", "A layer of the pixels that are like no others, in noise levels"
        )
        self.rare_action.triggered.connect(lambda: self.add_rare())
        self.report_action.triggered.connect(lambda: self.save_report())
        self.starts_action.triggered.connect(lambda: self.starts_wanted.emit())
        self.report_button.setMenu(menu)
        self.compare_button.setToolTip("Before and after in one place, with an edge to drag; key W over the image")
        self.compare_button.clicked.connect(self.compare_wanted)
        self.noise_button.setToolTip(
            "The removed noise, noisy minus denoised, as a layer: if you see your image in it, signal was taken; rings "
            "mark where the verdict says so; key D"
        )
        self.report_button.setToolTip("The report as a file; what was kept as rare; the equilibrium from another start")
        self.noise_button.clicked.connect(lambda: self.add_removed_noise())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.compare_button, self.noise_button, self.save_button, self.report_button):
            row.addWidget(button)
        self.result = None

    @property
    def result(self) -> Result | None:
        """The last result; the buttons wait for one."""
        return self._result

    @result.setter
    def result(self, result: Result | None) -> None:
        self._result = result
        for button in (self.compare_button, self.noise_button, self.save_button, self.report_button):
            button.setEnabled(result is not None)
        self.rare_action.setEnabled(result is not None and bool(result.rare))
        self.starts_action.setEnabled(result is not None and isinstance(result.denoiser, SolvesTwice))

    def add_removed_noise(self) -> None:
        """Show noisy minus denoised as a layer."""
        result = self._kept()
        self.noise_button.setEnabled(False)
        self._begin(lambda made: self._show_noise(result, *made), _noise_and_limits, result.noisy, result.denoised)

    def add_rare(self) -> None:
        """Show where rare signal was kept, and how far it stands above the noise."""
        result = self._kept()
        if result.layer in self._viewer.layers:
            add_rare(self._viewer, result.layer, result.rare)

    def save_report(self) -> None:
        """Ask for a name and write how the result was made, as JSON."""
        path = self._ask("Save the report", f"{saving.file_name(self._kept().denoised.name)}.json", "JSON (*.json)")
        if path is None:
            return
        try:
            saving.write_text(as_json(self._kept().report), path)
            self._message.say(f"Wrote {path}.")
        except DecscError as error:
            self._message.complain(str(error))

    def _begin(self, then: Any, function: Any, *arguments: Any) -> None:
        """Work beside the window; kept until it has ended, so that nothing is lost half-way."""
        worker = calculation_worker(function, *arguments)
        self._working.append(worker)
        worker.returned.connect(self._if_here(then))
        worker.errored.connect(self._if_here(lambda error: self._message.complain(str(error))))
        worker.finished.connect(self._if_here(lambda: self._end(worker)))
        worker.start()

    def leave(self) -> None:
        """Let go of the viewer; a file that is being written is finished, in silence."""
        self._left = True
        self.save_button.leave()

    def _if_here(self, function: Callable[..., None]) -> Callable[..., None]:
        return lambda *arguments: None if self._left else function(*arguments)

    def _end(self, worker: Any) -> None:
        self._working.remove(worker)
        self.result = self._result

    def _show_noise(self, result: Result, cube: Cube, limits: tuple[float, float]) -> None:
        made_by = {DIFFERENCE: f"{result.noisy.name} minus {result.denoised.name}"}
        made = add_cube_layer(self._viewer, cube, place=result.place, contrast_limits=limits, provenance=made_by)
        places.mark(self._viewer, made, result.verdict)

    def _denoised(self) -> Chosen:
        result = self._kept()
        return result.denoised, {**carried_on(result.report["input"]), "denoising": result.report}

    def _kept(self) -> Result:
        if self._result is None:
            raise DecscError("There is no result yet; denoise a cube first.")
        return self._result

    def _ask(self, title: str, name: str, pattern: str) -> Path | None:
        source = self._kept().noisy.source
        folder = Path.home() if source is None else Path(source).parent
        chosen, _ = QFileDialog.getSaveFileName(self, title, str(folder / name), pattern)
        return Path(chosen) if chosen else None


def _action(menu: QMenu, words: str, tip: str) -> Any:
    """An entry of a menu."""
    action: Any = menu.addAction(words)
    action.setToolTip(tip)
    return action


def _noise_and_limits(noisy: Cube, denoised: Cube) -> tuple[Cube, tuple[float, float]]:
    """The removed noise, and contrast limits that are as far from 0 on both sides."""
    cube = removed_noise(noisy, denoised)
    return cube, balanced(cube)
