"""The workbench in a file: layers by their paths, pins, regions, settings, results, history. JSON, and cubes beside it.

Cubes whose values lie in no file (noise that was added, results that nobody saved) are written as ENVI pairs into a
folder beside the session, with how they were made.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.denoising import provenance
from napari_decsc.errors import DecscError, FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube, save_cube
from napari_decsc.settings import as_dict, from_dict
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import clean_of, cube_layers, cube_of, is_difference, mark_good_bands, provenance_of
from napari_decsc.ui.cubes.lineage import begun
from napari_decsc.ui.files import saving

#: What tells a session from other JSON.
KIND = "napari-decsc session"
#: The number of its layout.
VERSION = 1
#: What a layer shows that a session keeps.
LOOKS = ("visible", "opacity", "gamma")


def save(bench: Any, path: Path) -> Path:
    """Write a session; returns its path.

    Raises
    ------
    FileFormatError
        If a file cannot be written.
    """
    folder = path.with_name(f"{path.stem}-cubes")
    layers = [layer for layer in cube_layers(bench.viewer) if not is_difference(layer)]
    cleans = _cleans(layers)
    files = [_file_of(cube_of(layer), provenance_of(layer), folder, path.parent) for layer in layers]
    extra = [_file_of(clean, {}, folder, path.parent) for clean in cleans]
    camera = viewer_compat.camera(bench.viewer)
    found = {
        "kind": KIND,
        "version": VERSION,
        "layers": [
            {"file": file, "clean": _number_of(clean_of(layer), layers, cleans), **_looks(layer)}
            for file, layer in zip(files, layers, strict=True)
        ],
        "cleans": extra,
        "pins": [{"row": pin.row, "col": pin.col, "name": pin.name} for pin in bench.spectra.pins if pin.area is None],
        "regions": _regions(bench),
        "settings": {"method": bench.denoise.method.currentText(), "values": as_dict(bench.denoise.form.settings())},
        "history": bench.history.described(),
        "view": {
            "center": [float(value) for value in camera.center],
            "zoom": float(camera.zoom),
            "point": [float(value) for value in bench.viewer.dims.point],
            "tab": bench.tabs.currentIndex(),
        },
    }
    return saving.write_text(json.dumps(found, indent=1), path)


def restore(bench: Any, path: Path) -> list[str]:
    """Open a session beside what is open; returns sentences on what could not be opened.

    Raises
    ------
    FileFormatError
        If the file is no session.
    """
    found = _read(path)
    lost: list[str] = []
    cleans = [_open(one, path.parent, lost) for one in found["cleans"]]
    opened = [_open(one["file"], path.parent, lost) for one in found["layers"]]
    # by the names that a person knows, not by those of the files that the session has written
    cubes = [cube and cube.replace(name=one["name"]) for one, cube in zip(found["layers"], opened, strict=True)]
    with bench.history.muted():  # the list itself is restored below
        for one, cube in zip(found["layers"], cubes, strict=True):
            if cube is not None:
                _add(bench.viewer, one, cube, cubes, cleans)
    _restore_settings(bench, found["settings"], lost)
    bench.spectra.refresh()
    for pin in found["pins"]:
        bench.spectra.board.pin(int(pin["row"]), int(pin["col"]), keep=True)
        if pin["name"]:
            numbers = [number for number, one in enumerate(bench.spectra.pins) if one.area is None]
            bench.spectra.board.rename(numbers[-1], str(pin["name"]))
    _restore_regions(bench, found["regions"])
    bench.history.restore(found["history"])
    _restore_view(bench, found["view"])
    return lost


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: cannot be read as a session ({error})") from None
    keys = {"layers", "cleans", "pins", "regions", "settings", "history", "view"}
    if not isinstance(found, dict) or found.get("kind") != KIND or not keys <= set(found):
        raise FileFormatError(f"{path}: is no session; open one that “Save session…” wrote")
    if found["version"] > VERSION:
        raise FileFormatError(f"{path}: was written by a newer version; update napari-decsc")
    return found


def _cleans(layers: list[Any]) -> list[Cube]:
    """Clean cubes that no layer shows."""
    shown = [cube_of(layer).data for layer in layers]
    found: list[Cube] = []
    for layer in layers:
        clean = clean_of(layer)
        if clean is not None and not any(clean.data is one for one in [*shown, *(cube.data for cube in found)]):
            found.append(clean)
    return found


def _number_of(clean: Cube | None, layers: list[Any], cleans: list[Cube]) -> int | None:
    """Which layer is the clean cube of another; those that no layer shows count on from there."""
    if clean is None:
        return None
    data = [cube_of(layer).data for layer in layers] + [cube.data for cube in cleans]
    return next((number for number, one in enumerate(data) if one is clean.data), None)


def _looks(layer: Any) -> dict[str, Any]:
    cube = cube_of(layer)
    return {
        "name": layer.name,
        "contrast_limits": [float(value) for value in layer.contrast_limits],
        "translate": [float(value) for value in layer.translate],
        "good_bands": None if cube.good_bands is None else cube.good_bands.tolist(),
        **{name: getattr(layer, name) for name in LOOKS},
    }


def _file_of(cube: Cube, made_by: dict[str, Any], folder: Path, beside: Path) -> str:
    """The file that holds a cube's values: its own, or one that is written now."""
    is_told = made_by.items() <= provenance.read(cube.header).items()  # else the file does not say how it was made
    if cube.source is not None and is_told and _holds(Path(cube.source), cube):
        return str(Path(cube.source).resolve())
    folder.mkdir(exist_ok=True)
    name, number = saving.file_name(cube.name), 1
    while (folder / f"{name}.hdr").exists():
        number += 1
        name = f"{saving.file_name(cube.name)}_{number}"
    written = save_cube(cube, folder / f"{name}.hdr", extra=provenance.fields(made_by, cube.header))
    return str(Path(written).relative_to(beside))


def _holds(path: Path, cube: Cube) -> bool:
    """Whether a file still has a cube's values, as far as three bands tell."""
    try:
        there = open_cube(path)
    except DecscError:
        return False
    if there.shape != cube.shape:
        return False
    bands = sorted({0, cube.bands // 2, cube.bands - 1})
    return all(np.array_equal(np.asarray(there.data[b]), np.asarray(cube.data[b]), equal_nan=True) for b in bands)


def _open(file: str, beside: Path, lost: list[str]) -> Cube | None:
    try:
        return open_cube(beside / file)  # an absolute path stays what it is
    except DecscError as error:
        lost.append(str(error))
        return None


def _add(viewer: Any, one: dict[str, Any], cube: Cube, cubes: list[Cube | None], cleans: list[Cube | None]) -> None:
    known = [*cubes, *cleans]
    clean = None if one["clean"] is None else known[one["clean"]]
    made_by = provenance.read(cube.header)
    layer = add_cube_layer(
        viewer, cube, clean=clean, provenance=made_by,
        contrast_limits=tuple(one["contrast_limits"]), lineage=begun(cube),
    )  # fmt: skip
    layer.translate = one["translate"]
    for name in LOOKS:
        setattr(layer, name, one[name])
    if one["good_bands"] is not None:
        mark_good_bands(layer, np.array(one["good_bands"], bool))


def _restore_settings(bench: Any, found: dict[str, Any], lost: list[str]) -> None:
    from napari_decsc import registry

    method = registry.METHODS.get(found["method"])
    if method is None:
        lost.append(f"There is no method {found['method']!r} here; the settings stay as they are.")
        return
    try:
        bench.denoise.show_settings(method.name, from_dict(method.settings, found["values"]))
    except DecscError as error:
        lost.append(str(error))


def _regions(bench: Any) -> list[dict[str, Any]]:
    """The regions of interest as outlines in the world, with their names."""
    rois = bench.spectra.board.regions
    if rois is None:
        return []
    layer, names = rois
    outlines = [np.asarray([layer.data_to_world(corner) for corner in corners])[:, -2:] for corners in layer.data]
    return [
        {"corners": corners.tolist(), "kind": str(kind), "name": name}
        for corners, kind, name in zip(outlines, layer.shape_type, names, strict=True)
    ]


def _restore_regions(bench: Any, found: list[dict[str, Any]]) -> None:
    if not found or not cube_layers(bench.viewer):
        return
    active = bench.viewer.layers.selection.active
    bench.spectra.board.draw_roi()
    layer = bench.spectra.board.regions[0]
    for one in found:
        corners = np.array([layer.world_to_data(corner) for corner in one["corners"]])
        layer.add(corners, shape_type=one["kind"])
    layer.mode = "pan_zoom"
    bench.spectra.board.read_regions()
    regions = [number for number, pin in enumerate(bench.spectra.pins) if pin.area is not None]
    for number, one in zip(regions[-len(found) :], found, strict=True):
        if one["name"]:
            bench.spectra.board.rename(number, one["name"])
    bench.viewer.layers.selection.active = active


def _restore_view(bench: Any, view: dict[str, Any]) -> None:
    camera = viewer_compat.camera(bench.viewer)
    for axis, value in enumerate(view["point"][: bench.viewer.dims.ndim]):
        bench.viewer.dims.set_point(axis, value)
    camera.center, camera.zoom = tuple(view["center"]), view["zoom"]
    bench.tabs.setCurrentIndex(min(int(view["tab"]), bench.tabs.count() - 1))
