"""Every example runs, in a folder of its own, and says what it should."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

#: What each must say, as a regular expression.
SAID = {
    "denoise_an_array.py": r"NumPy: \(31, 64, 64\), float32\n(.*\n)*bands last: \(64, 64, 31\)\nxarray: .*'site'",
    "denoise_an_envi_file.py": r"Cube 'noisy': 31 bands(.*\n)*wrote denoised.hdr",
    "watch_the_residual.py": r"evaluation  1: .*\n(.*\n)*stopped after \d+ evaluations",
    "noise_model_of_a_real_cube.py": r"Noise level (.*\n)*the five noisiest bands:\n  band \d+ at \d+ nm: level",
    "your_own_denoiser.py": r"smoothing +\d\d\.\d dB\nfasthyde +\d\d\.\d dB\ndecsc +\d\d\.\d dB",
    "your_own_noise_model.py": r"even columns -?0\.00\d, of the odd ones 0\.10\d",
}
#: Runs a script without waiting for its window to be closed.
RUN = "import runpy, sys, napari; napari.run = lambda: None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"


def test_every_example_is_known_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*SAID, "from_a_napari_script.py"}


@pytest.mark.parametrize("name", SAID)
def test_an_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    said = capsys.readouterr().out
    assert re.search(SAID[name], said), said


def test_the_napari_script_opens_a_window_with_three_cubes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, str(EXAMPLES / "from_a_napari_script.py")]
    environment = {**os.environ, "NAPARI_CONFIG": str(tmp_path / "napari.yaml")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"layers: coffee \(synthetic\), .* mixture, .* denoised", done.stdout), done.stdout
