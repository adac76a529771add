"""How a layer came about, as words that do it again: a shell command, or Python. No window here."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.noise.base import Combined
from napari_decsc.hsi.noise.models import NOISE_MODELS
from napari_decsc.registry import METHODS
from napari_decsc.ui.cubes.lineage import BAD_BANDS, CROP, DENOISING, NO_DATA, NOISE, SAMPLE, Lineage, Step
from napari_decsc.ui.parts import command

#: What a script needs, by a word that stands in its lines.
IMPORTS = {
    "parse_bands(": "from napari_decsc.hsi.band_list import parse_bands",
    "cropped(": "from napari_decsc.hsi.crop import cropped",
    "on_bands(": "from napari_decsc.hsi.noise.bands import on_bands",
    "Combined(": "from napari_decsc.hsi.noise.base import Combined",
    "make_noise(": "from napari_decsc.hsi.noise.models import make_noise",
}
ONLY_PYTHON = "has no command; copy it as Python, or save the cube first"


def title(lineage: Lineage) -> str:
    """What the last step did, in a few words."""
    start = Path(lineage.source).name if lineage.source else SAMPLE
    if not lineage.steps:
        return f"opened {start}"
    last = lineage.steps[-1]
    changed = ", ".join(f"{key} {value}" for key, value in _changed(last).items())
    seed = f", seed {last.seed}" if last.kind == NOISE else ""
    bands = f", bands {last.bands}" if last.bands else ""
    return f"{last.name}{seed}{bands}{', ' + changed if changed else ''} · {start}"


def as_command(lineage: Lineage) -> str:
    """Lines for a shell that write the result beside the place where they are run.

    Raises
    ------
    SettingsError
        Where the command line has no words for a step.
    """
    lines, current = [], lineage.source
    stem = Path(lineage.source).stem if lineage.source else "sample"
    if not lineage.source:
        bands, rows, cols = lineage.shape
        code = f'import napari_decsc as nd; nd.save_cube(nd.sample_cube({rows}, {cols}, {bands}), "sample.hdr")'
        lines.append(f"python -c {shlex.quote(code)}")
        current = "sample.hdr"
    opening = [word for key, value in lineage.opening.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    for step in lineage.steps:
        stem = f"{stem}-{step.name}"
        lines.append(command.in_shell([*_words(step, current, f"{stem}.hdr"), *opening]))
        current, opening = f"{stem}.hdr", []
    return "\n".join(lines) if lines else command.in_shell(["info", current, *opening])


def as_python(lineage: Lineage) -> str:
    """A script that makes the cube again.

    Raises
    ------
    SettingsError
        Where a step cannot be done again.
    """
    bands, rows, cols = lineage.shape
    opening = _keywords(lineage.opening)
    begin = (
        f"nd.open_cube({lineage.source!r}{opening})" if lineage.source else f"nd.sample_cube({rows}, {cols}, {bands})"
    )
    lines = [f"cube = {begin}", *(f"cube = {_expression(step)}" for step in lineage.steps)]
    body = "\n".join(lines)
    imports = ["import napari_decsc as nd", *(line for word, line in IMPORTS.items() if word in body)]
    return "\n".join([*imports, "", body]) + "\n"


def _words(step: Step, source: str, out: str) -> list[str]:
    """The words of a command behind the program's name."""
    _check_repeatable(step)
    if step.kind == CROP:
        ends = {key: "{}:{}".format(*step.settings[key]) for key in ("rows", "cols")}
        return ["convert", source, out, "--rows", ends["rows"], "--cols", ends["cols"]]
    if step.kind in (BAD_BANDS, NO_DATA):
        raise SettingsError(f"a list of bad bands or a no-data value that was set by hand {ONLY_PYTHON}")
    if step.kind == NOISE and (step.bands or step.name not in NOISE_MODELS):
        raise SettingsError(f"noise on some bands, or of several models together, {ONLY_PYTHON}")
    if step.kind == NOISE:
        words = ["add-noise", source, out, "--model", step.name, "--seed", str(step.seed)]
    else:
        words = ["denoise", source, out, "--method", step.name]
    return [*words, *command.option_words(_settings_class(step), step.settings)]


def _expression(step: Step) -> str:
    """What Python makes of the cube before the step."""
    _check_repeatable(step)
    if step.kind == CROP:
        rows, cols = ("slice({}, {})".format(*step.settings[key]) for key in ("rows", "cols"))
        return f"cropped(cube, {rows}, {cols})"
    if step.kind == BAD_BANDS:
        return f"cube.replace(good_bands=~parse_bands({step.bands!r}, cube))"
    if step.kind == NO_DATA:
        return f"cube.replace(no_data={step.settings['value']!r})"
    if step.kind == DENOISING:
        return f"nd.denoise(cube, {step.name!r}{_keywords(_changed(step))})"
    if step.bands or step.name not in NOISE_MODELS:
        return f"nd.add_noise(cube, {_noise(step.name, step.settings, step.bands)}, {step.seed})"
    return f"nd.add_noise(cube, {step.name!r}, {step.seed}{_keywords(_changed(step))})"


def _noise(name: str, settings: Mapping[str, Any], bands: str = "") -> str:
    """A noise model as an expression."""
    if name == Combined.name:
        parts = [_noise(one["model"], one["settings"], one.get("bands", "")) for one in settings["models"]]
        made = f"Combined(({', '.join(parts)},))"
    else:
        made = f"make_noise({name!r}{_keywords(command.changed(NOISE_MODELS.get(name), settings))})"
    return f"on_bands({made}, parse_bands({bands!r}, cube))" if bands else made


def _keywords(values: Mapping[str, Any]) -> str:
    return "".join(f", {key}={value!r}" for key, value in values.items())


def _check_repeatable(step: Step) -> None:
    if step.why_not:
        raise SettingsError(step.why_not)


def _changed(step: Step) -> dict[str, Any]:
    """The settings that are not the usual ones."""
    return command.changed(_settings_class(step), step.settings)


def _settings_class(step: Step) -> type | None:
    return METHODS[step.name].settings if step.name in METHODS else NOISE_MODELS.get(step.name)
