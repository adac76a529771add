"""A writer that is killed at any moment leaves the old pair or the new one, never a mixture and never nothing."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from kill import WRITER, kill_once, state_of
from writer import CHANGES, cubes

from napari_decsc.hsi.io.envi import write_envi

#: More than a replacement has changes of names.
STEPS = 12


@pytest.fixture(params=["same", "other"])
def kind(request: pytest.FixtureRequest) -> str:
    """Whether the new cube has the old one's layout."""
    return request.param


def test_killed_before_each_change_of_a_name(tmp_path: Path, kind: str) -> None:
    """Every moment at which the names differ, one after the other, with nothing left to chance."""
    ends, runs = [], []
    for step in range(1, STEPS + 1):  # two at a time: most of their time goes into importing
        target = tmp_path / str(step) / "x.hdr"
        target.parent.mkdir()
        write_envi(cubes(kind)[0], target)
        runs.append((target, subprocess.Popen([sys.executable, str(WRITER), str(target), kind, str(step)])))
        if len(runs) % 2 == 0:
            ends += [run.wait() for _, run in runs[-2:]]
    states = [state_of(target, kind) for target, _ in runs]
    assert ends[0] == -9
    assert ends[-1] == 0, f"more than {STEPS} of {CHANGES}: raise STEPS"
    assert set(states) == {"one", "two"}
    # there is one moment at which the new pair becomes the one that counts
    assert states == sorted(states)


def test_killed_at_random_moments(tmp_path: Path, kind: str) -> None:
    """The short form of `python tests/safety/kill.py --rounds 200`."""
    target, rng = tmp_path / "x.hdr", random.Random(1)
    write_envi(cubes(kind)[0], target)
    for _ in range(10):
        assert kill_once(target, kind, rng.uniform(0, 0.03)) in ("one", "two")


def test_after_a_kill_the_pair_can_be_written_again(tmp_path: Path, kind: str) -> None:
    for step in (2, 5):
        target = tmp_path / f"{step}.hdr"
        write_envi(cubes(kind)[0], target)
        assert subprocess.run([sys.executable, str(WRITER), str(target), kind, str(step)]).returncode == -9
        write_envi(cubes(kind)[0], target, overwrite=True)
        assert state_of(target, kind) == "one"
