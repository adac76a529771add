"""How a layer came about, as words that do it again: a shell command, or Python. No window here."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_decsc.denoising import provenance
from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.models import NOISE_MODELS
from napari_decsc.registry import METHODS
from napari_decsc.ui.parts import command

#: The built-in scene's name, which stands for it: it lies in no file.
SAMPLE = "coffee (synthetic)"
NOISE, DENOISING = "noise", "denoising"
SAVE_FIRST = "its values lie in no file; save the cube first"


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that was done: its kind, the model or method, settings, seed of a noise, bands ("": all)."""

    kind: str
    name: str
    settings: Mapping[str, Any]
    seed: int = 0
    bands: str = ""


@dataclass(frozen=True, eq=False)
class Recipe:
    """A file, or "" for the built-in scene of ``shape``, and the steps that follow."""

    source: str
    shape: tuple[int, int, int]
    steps: tuple[Step, ...] = ()

    @property
    def title(self) -> str:
        """What the last step did, in a few words."""
        start = Path(self.source).name if self.source else SAMPLE
        if not self.steps:
            return f"opened {start}"
        last = self.steps[-1]
        changed = ", ".join(f"{key} {value}" for key, value in _changed(last).items())
        seed = f", seed {last.seed}" if last.kind == NOISE else ""
        return f"{last.name}{seed}{', ' + changed if changed else ''} · {start}"


def recipe_of(cube: Cube, made_by: Mapping[str, Any]) -> Recipe:
    """The recipe of a cube with its provenance.

    Raises
    ------
    SettingsError
        If nobody can say how its values came about.
    """
    if cube.source is None and not cube.name.endswith(SAMPLE):
        raise SettingsError(f"{cube.name}: {SAVE_FIRST}")
    known = provenance.read(cube.header)  # what the file itself says of its making is no step of the window
    steps = [_step(kind, made_by[kind]) for kind in (NOISE, DENOISING) if made_by.get(kind) and kind not in known]
    if made_by.get(DENOISING) and DENOISING in known and made_by[DENOISING] != known[DENOISING]:
        steps.append(_step(DENOISING, made_by[DENOISING]))
    return Recipe("" if cube.source is None else str(cube.source), cube.shape, tuple(steps))


def as_command(recipe: Recipe) -> str:
    """Lines for a shell that write the result beside the place where they are run.

    Raises
    ------
    SettingsError
        Where the command line has no words for a step.
    """
    lines, current = [], recipe.source
    stem = Path(recipe.source).stem if recipe.source else "sample"
    if not recipe.source:
        bands, rows, cols = recipe.shape
        code = f'import napari_decsc as nd; nd.save_cube(nd.sample_cube({rows}, {cols}, {bands}), "sample.hdr")'
        lines.append(f"python -c {shlex.quote(code)}")
        current = "sample.hdr"
    for step in recipe.steps:
        stem = f"{stem}-{step.name}"
        lines.append(_command(step, current, f"{stem}.hdr"))
        current = f"{stem}.hdr"
    return "\n".join(lines) if lines else f"napari-decsc info {shlex.quote(current)}"


def as_python(recipe: Recipe) -> str:
    """A script that makes the cube again."""
    bands, rows, cols = recipe.shape
    begin = f"nd.open_cube({recipe.source!r})" if recipe.source else f"nd.sample_cube({rows}, {cols}, {bands})"
    lines = ["import napari_decsc as nd", "", f"cube = {begin}"]
    for step in recipe.steps:
        words = "".join(f", {key}={value!r}" for key, value in _changed(step).items())
        if step.kind == DENOISING:
            lines.append(f"cube = nd.denoise(cube, {step.name!r}{words})")
        else:
            _check_whole(step)
            lines.append(f"cube = nd.add_noise(cube, {step.name!r}, {step.seed}{words})")
    return "\n".join(lines) + "\n"


def described(recipe: Recipe) -> dict[str, Any]:
    """The recipe ready for JSON."""
    steps = [{**vars(step), "settings": dict(step.settings)} for step in recipe.steps]
    return {"source": recipe.source, "shape": list(recipe.shape), "steps": steps}


def from_description(found: Mapping[str, Any]) -> Recipe:
    """The recipe that `described` describes; raises SettingsError for anything else."""
    try:
        bands, rows, cols = (int(size) for size in found["shape"])
        steps = tuple(Step(**{**step, "settings": dict(step["settings"])}) for step in found["steps"])
        return Recipe(str(found["source"]), (bands, rows, cols), steps)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"a step of the session cannot be read ({error}); it is left out") from None


def _step(kind: str, record: Mapping[str, Any]) -> Step:
    name = record.get("model" if kind == NOISE else "method")
    if not name:
        raise SettingsError("the step is not finished, or does not say what it was")
    settings = dict(record.get("settings") or {})
    return Step(kind, str(name), settings, int(record.get("seed", 0) or 0), str(record.get("bands", "")))


def _command(step: Step, source: str, out: str) -> str:
    _check_whole(step)
    if step.kind == NOISE:
        words = ["add-noise", source, out, "--model", step.name, "--seed", str(step.seed)]
    else:
        words = ["denoise", source, out, "--method", step.name]
    return command.in_shell([*words, *command.option_words(_settings_class(step), step.settings)])


def _check_whole(step: Step) -> None:
    if step.kind == NOISE and (step.bands or step.name not in NOISE_MODELS):
        raise SettingsError("noise on some bands, or of several models together, has no command; save the cube first")


def _changed(step: Step) -> dict[str, Any]:
    """The settings that are not the usual ones."""
    return command.changed(_settings_class(step), step.settings)


def _settings_class(step: Step) -> type | None:
    return METHODS[step.name].settings if step.name in METHODS else NOISE_MODELS.get(step.name)
