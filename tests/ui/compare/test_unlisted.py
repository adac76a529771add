from qtpy.QtWidgets import QApplication

from napari_decsc.ui.compare.curtain import Curtain
from napari_decsc.ui.compare.side_by_side import Comparison
from napari_decsc.ui.compare.widget import CompareWidget
from napari_decsc.ui.cubes.adding import add_cube_layer


def listed(viewer):
    """Names in the list of layers, as a person sees them from top to bottom."""
    (view,) = [
        one
        for one in QApplication.allWidgets()
        if type(one).__name__ == "QtLayerList" and one.window() is viewer.window._qt_window
    ]
    rows = range(view.model().rowCount())
    return [view.model().index(row, 0).data() for row in rows if not view.isRowHidden(row)]


def test_captions_and_edge_are_not_listed(qtbot, make_napari_viewer, cube):
    viewer = make_napari_viewer()
    for name in ("one", "two"):
        add_cube_layer(viewer, cube.replace(name=name))
    widget = CompareWidget(viewer)
    viewer.window.add_dock_widget(widget)
    widget.start(Comparison)
    assert len(viewer.layers) == 4
    assert listed(viewer) == ["two", "one"]
    widget.start(Curtain)
    assert listed(viewer) == ["Curtain", "two", "one"]
    widget.stop()
    assert listed(viewer) == ["two", "one"]
    add_cube_layer(viewer, cube.replace(name="three"))
    assert listed(viewer) == ["three", "two", "one"]
