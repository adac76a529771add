"""Fixtures for every test, and how hypothesis makes its examples.

By default the same ones every time, so that a test that passed here passes elsewhere.
`pytest tests/hsi --hypothesis-profile long` draws other ones at random, and twenty times as many where a test leaves
that open; `make test-fast` takes a tenth of them.
"""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("long", max_examples=2000)
settings.register_profile("repeatable", derandomize=True, print_blob=True)
settings.register_profile("fast", derandomize=True, print_blob=True, max_examples=10)
# the profile named on the command line is loaded later, and wins
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real cubes beside the checkout; tests that need it are skipped elsewhere."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real cubes, which are not shipped: no folder {folder}")
    return folder


#: Fixtures, folders, files and tests that take a window, whole solves, or processes of their own.
SLOW_FIXTURES = {"make_napari_viewer", "viewer"}
SLOW_PLACES = (
    "benchmarks/test_reality.py",
    "classical/test_classical.py",
    "cli/test_any_size.py",
    "cli/test_benchmark.py",
    "cli/test_demo.py",
    "denoising/test_verdict.py::test_chances_are_what_they_say_and_false_alarms_are_rare",
    "denoising/test_verdict.py::test_it_takes_less_than_two_seconds_for_a_usual_cube",
    "deq/estimation/test_coloured.py",
    "deq/estimation/test_described.py::test_the_kinds_of_a_mixture_are_named_and_no_others[case",
    "deq/estimation/test_fringes.py",
    "deq/estimation/test_shot.py",
    "deq/estimation/test_subspace.py",
    "deq/estimation/test_trial.py",
    "deq/execution/",
    "deq/model/test_model.py",
    "deq/test_denoiser.py",
    "deq/test_only.py",
    "deq/training/",
    "safety/test_corpus.py",
    "safety/test_influence.py",
    "safety/test_kill",
    "safety/test_no_harm.py",
    "safety/test_odd_values.py",
    "test_api.py::test_every_kind_of_array_is_denoised_alike_and_comes_back_as_it_was",
    "test_docs.py",
    "test_examples.py",
    "test_pages.py",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that are slow as a whole before they are imported."""
    root = Path(__file__).parent
    if config.option.markexpr == "not slow" and collection_path.suffix == ".py" and root in collection_path.parents:
        return collection_path.relative_to(root).as_posix().startswith(SLOW_PLACES) or None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test-fast` leaves out."""
    root = Path(__file__).parent
    for item in items:
        place = f"{item.path.relative_to(root).as_posix()}::{item.name}"
        if place.startswith(SLOW_PLACES) or SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
