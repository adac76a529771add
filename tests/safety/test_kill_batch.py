"""A batch run that is killed for good: what it finished is kept, what it had begun is made anew, nothing is half."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi

NAMES = ["a.hdr", "b.hdr", "c.hdr"]
#: A method that needs neither weights nor much time, with enough steps to be caught at work.
METHOD = ["--method", "e3dtv", "--max-iterations", "200", "--tolerance", "1e-9"]


def start(folder: Path) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "napari_decsc.cli", "batch", "in", "--out", "out", *METHOD]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def states(folder: Path) -> dict[str, str]:
    report = folder / "out" / "report.json"
    return {entry["output"]: entry["state"] for entry in json.loads(report.read_text())} if report.exists() else {}


def test_a_killed_batch_goes_on(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, name in enumerate(NAMES):
        data = np.random.default_rng(number).random((4, 24, 24), dtype=np.float32)
        write_envi(Cube(data), tmp_path / "in" / name)
    with start(tmp_path) as first:
        # killed at the second cube; whoever is slow here only waits
        while first.poll() is None and states(tmp_path).get("b.hdr") != "begun":
            time.sleep(0.01)
        first.kill()
    assert states(tmp_path).get("a.hdr") == "done"
    assert states(tmp_path).get("b.hdr") == "begun", "it was done before it could be killed"
    assert "c.hdr" not in states(tmp_path)
    finished = (tmp_path / "out" / "a.img").stat().st_mtime_ns
    for header in (tmp_path / "out").glob("*.hdr"):
        assert np.isfinite(read_envi(header).data).all()
    with start(tmp_path) as second:
        assert second.wait() == 0
    assert states(tmp_path) == dict.fromkeys(NAMES, "done")
    assert (tmp_path / "out" / "a.img").stat().st_mtime_ns == finished
    assert all(read_envi(tmp_path / "out" / name).shape == (4, 24, 24) for name in NAMES)
