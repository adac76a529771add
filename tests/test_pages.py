"""What the pages show runs as it is written: every command, every piece of Python."""

import functools
import os
import re
import shlex
import shutil
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
import pytest

import napari_decsc as nd
from napari_decsc.cli import main
from napari_decsc.deq.weights import choices
from napari_decsc.hsi.noise.base import NoiseModel
from napari_decsc.settings import described

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
#: Commands that a test of their own runs, or nobody can run here, and why.
ELSEWHERE = {
    "train": "takes an hour as it stands: tests/deq/training/test_training.py",
    "benchmark": "takes minutes: tests/cli/test_benchmark.py",
    "--scheduler": "needs a cluster: tests/deq/execution/test_cluster.py",
    "--device cuda": "needs a GPU",
}
#: Pages whose Python is no script: forms to fill in.
FORMS = {"style.md"}
#: Commands whose second file is written.
WRITE = {"denoise", "add-noise"}


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


def commands() -> list[str]:
    shown = [
        line.partition("  #")[0].strip() for page in PAGES for text in blocks(page, "sh") for line in text.splitlines()
    ]
    ours = dict.fromkeys(line for line in shown if line.startswith("napari-decsc "))
    return [line for line in ours if not any(f" {word}" in line for word in ELSEWHERE)]


def scene() -> nd.Cube:
    return nd.add_noise(nd.sample_cube(rows=16, cols=18, bands=9), "gaussian", sigma=20)


@functools.cache
def denoised() -> nd.Cube:
    return nd.denoise(scene(), progress=False)


def write_cube(path: Path) -> None:
    nd.save_cube(scene(), path)


def write_folder(path: Path) -> None:
    path.mkdir()
    write_cube(path / "a.hdr")


def write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["radiance"] = scene().data
        file["other"] = np.zeros((3, 3))


def write_weights(path: Path) -> None:
    path.parent.mkdir(parents=True)
    shutil.copy(Path(choices.__file__).parent / "pretrained" / path.name, path)


#: What stands for the files that the pages name.
MAKERS: dict[str, Callable[[Path], None]] = {
    "scene.hdr": write_cube,
    "scene.tif": write_cube,
    "noisy.hdr": write_cube,
    "clean.hdr": write_cube,
    "scene.h5": write_hdf5,
    "folder": write_folder,
    "folder-of-cubes": write_folder,
    "runs/subspace/subspace.safetensors": write_weights,
}


@pytest.mark.parametrize("command", commands())
def test_a_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    for place, word in enumerate(words):
        if word in MAKERS and not (words[0] in WRITE and place == 2):
            MAKERS[word](Path(word))
    assert main(words) == 0
    if words[0] in WRITE and "--dry-run" not in words:
        assert nd.open_cube(words[2]).shape == scene().shape


def test_what_is_not_run_here_is_shown_somewhere() -> None:
    shown = "\n".join(text for page in PAGES for text in blocks(page, "sh"))
    assert [word for word in ELSEWHERE if f" {word}" not in shown] == []
    assert len(commands()) > 8


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python") and page.name not in FORMS], ids=lambda page: page.stem
)
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block by itself, where the text around it has made its names."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("done")
    for name in ("scene.hdr", "scene.tif", "scene.h5", "folder-of-cubes"):
        MAKERS[name](Path(name))
    noisy = scene()
    names: dict[str, Any] = {
        "nd": nd, "array": noisy.data, "cube": noisy.replace(good_bands=np.arange(9) > 0), "noisy": noisy,
        "denoised": denoised(), "noise": nd.noise_model(noisy),
        "my_reader": lambda path: noisy.data.transpose(1, 2, 0),
        "dataclass": dataclass, "ClassVar": ClassVar, "NoiseModel": NoiseModel, "described": described,
        "__name__": page.stem,
    }  # fmt: skip
    for text in blocks(page, "python"):
        told = dict(names)
        exec(compile(text, page.name, "exec"), told)
        clean = told.get("clean")
        assert clean is None or clean.shape in {(9, 16, 18), (8, 16, 18), (16, 18, 9)}


def named_paths(text: str) -> set[str]:
    """Files and folders of the repository that a page names, from its root or from the package's."""
    roots = "tests|benchmarks|docs|examples|napari_decsc|deq|ui|hsi|filters|denoising|classical|cli|[.]ci|[.]github"
    return set(re.findall(rf"`((?:{roots})/[\w./-]+)`", text)) | set(re.findall(rf"\b(?:{roots})/[\w./-]+\.py\b", text))


@pytest.mark.parametrize("page", [*PAGES, REPOSITORY / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_files_scripts_and_targets_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    places = [REPOSITORY, REPOSITORY / "napari_decsc"]
    gone = [
        path
        for path in named_paths(text)
        if not any((place / path).exists() or (place / f"{path}.py").exists() for place in places)
    ]
    assert gone == []
    for script, words in re.findall(r"python ((?:benchmarks|tests|docs)/\S+\.py)([^`\n#]*)", text):
        source = (REPOSITORY / script).read_text(encoding="utf-8")
        assert [option for option in re.findall(r"--[a-z-]+", words) if f'"{option}"' not in source] == [], script
    targets = set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = re.findall(r"`make ([a-z0-9- ]+)", text)
    shown += [line for block in blocks(page, "sh") for line in re.findall(r"^make ([a-z0-9- ]+)", block, re.MULTILINE)]
    assert {target for line in shown for target in line.split()} <= targets
