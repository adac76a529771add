"""Where the parts of the Denoise panel stand, and what their tooltips say."""

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from napari_decsc.ui.parts.column import scrolled

if TYPE_CHECKING:
    from napari_decsc.ui.denoise.widget import DenoiseWidget


def arrange(panel: "DenoiseWidget") -> None:
    """Lay the panel's parts out: the form, its buttons, what is seen of a run, what can be done with its result."""
    panel.cube.setToolTip("The noisy cube; it stays as it is")
    panel.run_button.setToolTip("Denoise the cube into a new layer, beside the window")
    panel.stop_button.setToolTip("Finish now and keep the best estimate so far")
    content = QWidget()
    rows = QFormLayout()
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    rows.addRow("Cube", panel.cube)
    panel.choice.add_rows(rows)
    buttons = QHBoxLayout()
    buttons.addWidget(panel.run_button)
    buttons.addWidget(panel.stop_button)
    column = QVBoxLayout(content)
    column.setSpacing(4)
    # every point counts where a result with its scores is to fit into a low window
    column.setContentsMargins(9, 4, 9, 3)
    rows.setVerticalSpacing(3)
    column.addLayout(rows)
    column.addWidget(panel.settings_box)
    column.addLayout(buttons)
    column.addWidget(panel.view, stretch=1)
    column.addWidget(panel.keeping)
    scrolled(content, panel)
