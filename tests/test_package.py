"""The package as a whole: what importing it costs, and versions that agree."""

import importlib.metadata
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import napari_decsc
from napari_decsc import hsi

REPOSITORY = Path(napari_decsc.__file__).parents[1]


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after this code."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules}, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def test_hsi_loads_no_torch_no_napari_no_qt() -> None:
    names = [module.name for module in pkgutil.walk_packages(hsi.__path__, f"{hsi.__name__}.")]
    assert f"{hsi.__name__}.cube" in names
    loaded = loaded_by("\n".join(f"import {name}" for name in names))
    assert not loaded & {"torch", "napari", "qtpy", "PyQt5", "PyQt6", "magicgui", "superqt"}
    # what is heavy is imported by the functions that need it
    assert not loaded & {"scipy", "skimage", "spectral", "matplotlib"}


def test_methods_and_cli_load_nothing_heavy() -> None:
    heavy = {"torch", "napari", "matplotlib", "scipy", "skimage", "spectral", "qtpy", "PyQt5"}
    assert not loaded_by("import napari_decsc.cli, napari_decsc.registry") & heavy


def test_the_package_is_imported_at_once_and_its_functions_when_they_are_used() -> None:
    code = "import time; began = time.process_time(); import napari_decsc; took = time.process_time() - began"
    loaded = loaded_by(f"{code}; assert took < 0.1, took")
    assert not loaded & {"numpy", "torch", "napari"}
    assert "torch" not in loaded_by("import napari_decsc as nd; nd.methods(), nd.Cube, nd.denoise")


def test_what_the_package_offers_is_what_its_api_has() -> None:
    from napari_decsc import api

    assert sorted({*api.__all__, "__version__"}) == sorted(napari_decsc.__all__)
    assert {name: getattr(napari_decsc, name) for name in api.__all__} == {n: getattr(api, n) for n in api.__all__}
    assert set(napari_decsc.__all__) <= set(dir(napari_decsc))
    with pytest.raises(AttributeError, match="no attribute 'denoize'"):
        _ = napari_decsc.denoize


def test_the_command_line_starts_without_numpy() -> None:
    assert "numpy" not in loaded_by("from napari_decsc.cli import main; main([])")


def test_versions_agree() -> None:
    version = napari_decsc.__version__
    assert importlib.metadata.version("napari-decsc") == version
    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE).group(1) == version
    assert f"## [{version}]" in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")


def test_it_says_that_it_is_typed() -> None:
    assert (Path(napari_decsc.__file__).parent / "py.typed").is_file()
