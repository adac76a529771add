"""Exit codes, streams, and one sentence for every mistake."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from napari_decsc import __version__, cli
from napari_decsc.cli import info, main
from napari_decsc.cli.errors import sentence


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in cli.COMMANDS:
        assert main([command, "--help"]) == 0
        assert f"usage: napari-decsc {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"napari-decsc {__version__}\n"


def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in cli.COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bogus"], "invalid choice: 'bogus'"),
        (["info"], "required: CUBE"),
        (["info", "a.hdr", "--colour"], "--colour"),
        (["denoise", "a.hdr", "b.hdr", "--method", "magic"], "'magic'"),
    ],
)
def test_wrong_use_is_one_line_and_code_2(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert main(arguments) == cli.MISUSED
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("napari-decsc: error: ")
    assert words in err
    assert err.count("\n") == 1


def test_missing_file_is_one_line_and_code_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["info", str(tmp_path / "nothing.hdr")]) == cli.FAILED
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("napari-decsc: error: ")
    assert "nothing.hdr" in err
    assert err.count("\n") == 1


def test_system_errors_name_the_file_and_the_reason() -> None:
    said = sentence(PermissionError(13, "Permission denied", "secret.hdr"))
    assert said == "secret.hdr: Permission denied"
    assert "memory" in (sentence(MemoryError()) or "")


def test_our_own_mistakes_keep_their_traceback(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def broken(args: object) -> None:
        raise AssertionError("ours")

    monkeypatch.setattr(info, "run", broken)
    with pytest.raises(AssertionError, match="ours"):
        main(["info", str(folder / "clean.hdr")])


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    def interrupted(args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(info, "run", interrupted)
    assert main(["info", str(folder / "clean.hdr")]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    # the pipe's reading end is closed before anything is printed
    code = (
        "import os, sys; read, write = os.pipe(); os.close(read); os.dup2(write, 1)\n"
        "from napari_decsc.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = run_python(code, "info", str(folder / "clean.hdr"))
    assert done.returncode == cli.BROKEN_PIPE
    assert done.stderr == ""


def test_json_is_the_only_thing_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    describe = info.describe

    def chatty(cube: object) -> dict[str, object]:
        print("a library's chatter")
        return describe(cube)

    monkeypatch.setattr(info, "describe", chatty)
    assert main(["info", "--json", str(folder / "clean.hdr")]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["bands"] == 4
    assert "chatter" in err


@pytest.mark.parametrize("arguments", [["--help"], ["denoise", "--help"], ["train", "--help"], ["demo", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from napari_decsc.cli import main; main(sys.argv[1:])\n"
        "heavy = {'torch', 'napari', 'matplotlib', 'scipy', 'skimage', 'spectral', 'qtpy', 'PyQt5'}\n"
        "loaded = heavy & set(sys.modules)\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    done = run_python(code, *arguments)
    assert done.returncode == 0, done.stderr
