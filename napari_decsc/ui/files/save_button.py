"""A button that saves a cube: ENVI, TIFF or NumPy, as 32-bit numbers or in the type of the file it comes from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QMenu, QPushButton

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.files import saving
from napari_decsc.ui.parts.texts import Message
from napari_decsc.ui.parts.worker import calculation_worker

#: What the dialog offers; the first is taken for a name without an ending.
FORMATS = "ENVI header (*.hdr);;TIFF (*.tif *.tiff);;NumPy (*.npz);;NumPy without wavelengths (*.npy)"
#: Data types by what the menu calls them.
KINDS = {"As 32-bit numbers…": "float32", "In the type of the file it comes from…": "source"}

Chosen = tuple[Cube, Mapping[str, Any]]


class SaveButton(QPushButton):
    """Asks for a name and writes beside the window; ``chosen`` gives the cube and how it was made, None for nothing."""

    def __init__(self, message: Message, chosen: Callable[[], Chosen | None]) -> None:
        super().__init__("Save cube")
        self._message, self._chosen = message, chosen
        self._working: list[Any] = []
        self._left = False
        self.setToolTip("Write the cube with its wavelengths and all that its header said: ENVI, TIFF or NumPy")
        menu = QMenu(self)
        for words, kind in KINDS.items():
            menu.addAction(words, lambda kind=kind: self.save(kind))
        self.setMenu(menu)

    def save(self, kind: str = "float32") -> None:
        """Ask for a name and write; a file is replaced only if the person agreed."""
        chosen = self._chosen()
        if chosen is None:
            return
        cube, made_by = chosen
        folder = Path.home() if cube.source is None else Path(cube.source).parent
        target = saving.ask_for_cube(self, folder / f"{saving.file_name(cube.name)}.hdr", FORMATS)
        if target is None:
            return
        self._message.say(f"Writing {target.path.name}…")
        worker = calculation_worker(saving.write_cube, cube, target, kind, made_by)
        self._working.append(worker)  # kept until it has ended, so that nothing is lost half-way
        worker.returned.connect(lambda written: self._say(f"Wrote {written}."))
        worker.errored.connect(lambda error: self._say(str(error), is_error=True))
        worker.finished.connect(lambda *_: None if self._left else self._working.remove(worker))
        worker.start()

    def leave(self) -> None:
        """Let go; a file that is being written is finished, in silence."""
        self._left = True

    def _say(self, text: str, *, is_error: bool = False) -> None:
        if not self._left:
            (self._message.complain if is_error else self._message.say)(text)
