"""Fixtures for every test, and how hypothesis makes its examples.

By default the same ones every time, so that a test that passed here passes elsewhere.
`pytest tests/hsi --hypothesis-profile long` draws other ones at random, and twenty times as many where a test leaves
that open.
"""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("long", max_examples=2000)
settings.register_profile("repeatable", derandomize=True, print_blob=True)
# the profile named on the command line is loaded later, and wins
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real cubes beside the checkout; tests that need it are skipped elsewhere."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real cubes, which are not shipped: no folder {folder}")
    return folder


#: Fixtures, files and folders whose tests take a window, a whole solve, or processes of their own.
SLOW_FIXTURES = {"make_napari_viewer", "viewer"}
SLOW_PLACES = (
    "cli/test_benchmark.py",
    "cli/test_demo.py",
    "deq/execution/",
    "deq/test_denoiser.py",
    "deq/training/",
    "safety/test_corpus.py",
    "safety/test_kill",
    "safety/test_odd_values.py",
    "test_docs.py",
    "test_examples.py",
    "test_pages.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test-fast` leaves out."""
    root = Path(__file__).parent
    for item in items:
        place = item.path.relative_to(root).as_posix()
        if place.startswith(SLOW_PLACES) or SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
