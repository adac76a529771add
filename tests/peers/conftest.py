"""Peers are other programs: they are asked where NAPARI_DECSC_PEERS names the folder that `make test-peers` fills."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
FOLDER = os.environ.get("NAPARI_DECSC_PEERS", "")


def pytest_collection_modifyitems(items):
    if FOLDER:
        return
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.skip(reason="other programs are asked by `make test-peers` alone"))


@pytest.fixture
def run(tmp_path):
    """Run a command in the test's folder; its words are shown where it fails."""

    def start(*words):
        done = subprocess.run([str(word) for word in words], cwd=tmp_path, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, f"{words[0]}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done.stdout

    return start


@pytest.fixture
def ask(run, tmp_path):
    """Have a Python peer read a file: its numbers (band, row, col), and what it says of them."""

    def read(peer, path):
        run(
            Path(FOLDER).resolve() / "bin" / "python",
            HERE / "python_peer.py",
            peer,
            "read",
            path,
            tmp_path / "said.npz",
        )
        with np.load(tmp_path / "said.npz") as said:
            return said["values"], json.loads(str(said["facts"]))

    return read


@pytest.fixture
def have_write(run, tmp_path):
    """Have a Python peer write numbers (band, row, col) to a file."""

    def write(peer, values, path):
        np.save(tmp_path / "values.npy", values)
        python = Path(FOLDER).resolve() / "bin" / "python"
        run(python, HERE / "python_peer.py", peer, "write", tmp_path / "values.npy", path)

    return write
