"""Fixtures for every test."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real cubes beside the checkout; tests that need it are skipped elsewhere."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real cubes, which are not shipped: no folder {folder}")
    return folder
