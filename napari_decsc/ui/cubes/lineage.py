"""How a cube's values came about: the file or the built-in scene, and what was done since, one step after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube

#: The built-in scene's name, which stands for it: it lies in no file.
SAMPLE = "coffee (synthetic)"
#: Kinds of steps: noise was added.
NOISE = "noise"
#: It was denoised.
DENOISING = "denoising"
#: It was cropped.
CROP = "crop"
#: Its list of bad bands was set.
BAD_BANDS = "bad bands"
#: Its no-data value was set.
NO_DATA = "no data"
STOPPED = "the run was stopped by hand, and a command would go on to its end"


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that was done.

    Its kind, the model or method, settings, seed of a noise, bands ("": all), and why it cannot be done again, if so.
    """

    kind: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    bands: str = ""
    why_not: str = ""


@dataclass(frozen=True, eq=False)
class Lineage:
    """A file, or "" for the built-in scene of ``shape``, what was chosen as it was opened, and the steps since."""

    source: str
    shape: tuple[int, int, int]
    opening: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    def then(self, step: Step) -> "Lineage":
        """The lineage after one more step."""
        return replace(self, steps=(*self.steps, step))


def begun(cube: Cube, opening: Mapping[str, Any] | None = None) -> Lineage | None:
    """The lineage of a cube as it was opened or made; None for one that is neither in a file nor the built-in scene."""
    if cube.source is None and cube.name != SAMPLE:
        return None
    source = "" if cube.source is None else str(Path(cube.source).absolute())
    return Lineage(source, cube.shape, dict(opening or {}))


def noise_step(record: Mapping[str, Any]) -> Step:
    """The step of a noise, from its record in a provenance."""
    settings, seed = dict(record.get("settings") or {}), int(record.get("seed", 0) or 0)
    return Step(NOISE, str(record["model"]), settings, seed, str(record.get("bands", "")))


def denoising_step(report: Mapping[str, Any]) -> Step:
    """The step of a denoising, from its report."""
    why_not = STOPPED if report.get("stopped") else ""
    return Step(DENOISING, str(report["method"]), dict(report.get("settings") or {}), why_not=why_not)


def described(lineage: Lineage) -> dict[str, Any]:
    """The lineage ready for JSON."""
    steps = [{**vars(step), "settings": dict(step.settings)} for step in lineage.steps]
    return {
        "source": lineage.source,
        "shape": list(lineage.shape),
        "opening": dict(lineage.opening),
        "steps": steps,
    }


def from_description(found: Mapping[str, Any]) -> Lineage:
    """The lineage that `described` describes; raises SettingsError for anything else."""
    try:
        bands, rows, cols = (int(size) for size in found["shape"])
        steps = tuple(Step(**{**step, "settings": dict(step["settings"])}) for step in found["steps"])
        return Lineage(str(found["source"]), (bands, rows, cols), dict(found.get("opening", {})), steps)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"a step of the session cannot be read ({error}); it is left out") from None
