"""The demo: where it runs, which files it may replace, and what it leaves."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from napari_decsc import cli
from napari_decsc.cli import demo, main
from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi import read_envi


class Replaced(Exception):
    """Stands for the end of this process."""


@pytest.fixture
def no_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    # _go_to_virtual_screen sets these for its successor: put back at the end
    for name in ("QT_QPA_PLATFORM", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, os.environ.get(name, str(tmp_path)))


@pytest.mark.usefixtures("no_screen")
def test_without_a_screen_it_starts_anew_on_a_virtual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    calls = []

    def execvp(program: str, words: list[str]) -> None:
        calls.append((program, words))
        raise Replaced

    monkeypatch.setattr(os, "execvp", execvp)
    with pytest.raises(Replaced):
        main(["demo", "--seed", "5", "--no-window"])
    ((program, words),) = calls
    assert program == words[0] == "xvfb-run"
    assert "-screen 0 1280x800x24" in words
    # the same words, without what would send it here again, and with what makes it end
    assert words[-5:] == ["napari_decsc.cli", "demo", "--seed", "5", "--close"]


@pytest.mark.usefixtures("no_screen")
def test_without_a_screen_and_xvfb_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert main(["demo"]) == cli.FAILED
    assert "xvfb-run is missing; install xvfb" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["WAYLAND_DISPLAY", "DISPLAY"])
@pytest.mark.usefixtures("no_screen")
def test_a_screen_is_seen(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert not demo.has_screen()
    monkeypatch.setenv(name, "0")
    assert demo.has_screen()


def test_files_that_no_demo_made_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "noisy.hdr").write_text("mine")
    with pytest.raises(FileFormatError, match=r"noisy.hdr that no demo made"):
        demo.prepare_folder(tmp_path)
    (tmp_path / "report.json").write_text('{"command": "napari-decsc demo", "state": "unfinished"}')
    demo.prepare_folder(tmp_path)
    (tmp_path / "report.json").write_text('["something else"]')
    with pytest.raises(FileFormatError):
        demo.prepare_folder(tmp_path)


def test_the_folder_is_made_and_other_files_do_not_matter(tmp_path: Path) -> None:
    demo.prepare_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "notes.txt").write_text("mine")
    demo.prepare_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "notes.txt").read_text() == "mine"


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="needs xvfb-run")
def test_the_whole_demo(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    # what an earlier demo left, unfinished, is replaced
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "report.json").write_text('{"command": "napari-decsc demo", "state": "unfinished"}')
    (tmp_path / "demo" / "noisy.hdr").write_text("half a header")
    words = ["demo", "--size", "32", "--max-iterations", "3", "--seed", "1", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "napari_decsc.cli", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads((tmp_path / "demo" / "report.json").read_text())
    assert (report["state"], report["method"]) == ("finished", "decsc")
    assert report["added_noise"] == {"model": "mixture", "seed": 1, "settings": {}}
    assert report["scores"]["denoised"]["mpsnr"] > report["scores"]["noisy"]["mpsnr"]
    assert report["tiles"][0]["relative_residual"][-1] <= 1e-3
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == sorted(demo.FILES)
    assert read_envi(tmp_path / "demo" / "denoised.hdr").shape == (31, 32, 32)
    for picture in ("screenshot.png", "residual.png", "spectra.png"):
        assert (tmp_path / "demo" / picture).read_bytes().startswith(b"\x89PNG")
