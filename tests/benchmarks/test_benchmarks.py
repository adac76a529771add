"""No benchmark asks the package for what has another name or place by now."""

import ast
import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.py")), ids=lambda script: script.stem)
def test_what_it_imports_is_there(script: Path) -> None:
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("napari_decsc"):
            module = importlib.import_module(node.module)
            for name in (each.name for each in node.names):
                assert hasattr(module, name) or importlib.import_module(f"{node.module}.{name}")
