"""What the panel shows of a run: texts, buttons and the strip of stages, as a pure function of its state."""

import math
from dataclasses import dataclass
from typing import Any

from napari_decsc.denoising.protocol import Iteration, in_words
from napari_decsc.hsi.cube import counted
from napari_decsc.ui.denoise.forecast import duration, left
from napari_decsc.ui.denoise.state import READY, Phase, RunState, facts

#: What stopping says until the denoiser has ended.
STOPPING = "Stopping…"
KEPT_ALL = "At strength 0 nothing is removed: the layer is the noisy cube as it was"
UNCHANGED = "Nothing was found to remove: the layer is the noisy cube as it was"

#: What the tooltip says of a share, and the panel has no room for.
ROOT_MEAN_SQUARE = " (root mean square)"
#: What a verdict comes to where nothing tells against it.
CLEAN = "all of it looks like noise"
#: And where something does.
SUSPECT = "not all of it looks like noise: see Judge"


@dataclass(frozen=True)
class Block:
    """One stage of the strip: its seconds so far, and whether it goes on."""

    name: str
    seconds: float
    is_current: bool = False


@dataclass(frozen=True)
class Shown:
    """What the panel shows. ``text`` is empty where the panel says something of its own."""

    text: str = ""
    is_error: bool = False
    can_run: bool = True
    can_stop: bool = False
    blocks: tuple[Block, ...] = ()
    clock: str = ""


def shown(state: RunState, now: float, has_cube: bool = True) -> Shown:
    """What the panel shows of a run at a time."""
    return Shown(
        text=_text(state, now),
        is_error=state.phase is Phase.FAILED,
        can_run=has_cube and not state.goes_on,
        can_stop=state.phase is Phase.RUNNING,
        blocks=blocks(state, now),
        clock="" if state.phase is Phase.IDLE else f"{state.seconds(now):.1f} s",
    )


def blocks(state: RunState, now: float) -> tuple[Block, ...]:
    """The stages, in the order in which they began."""
    seconds = state.stage_seconds(now)
    return tuple(Block(name, spent, state.goes_on and name == state.current) for name, spent in seconds.items())


def progress(state: RunState, now: float) -> str:
    """Where a run is: stage, tile, evaluation, residual, change of the picture, and time left where that is known."""
    last = state.last
    parts = [state.current[:1].upper() + state.current[1:]]
    if last is not None and last.tiles > 1:
        parts.append(f"tile {last.tile} of {last.tiles}")
    if last is not None and state.residuals:
        parts += [f"evaluation {len(state.residuals)}", f"relative residual {in_words(state.residuals[-1])}"]
        parts += [changed(last)] if changed(last) else []
    ahead = left(state, now)
    if ahead is not None:
        parts.append(f"about {duration(ahead.seconds)} left" + (f" in {ahead.of}" if ahead.of else ""))
    return " · ".join(parts)


def changed(iteration: Iteration) -> str:
    """By how much an evaluation changed the picture, in dB below the peak; empty where nobody measured it."""
    change = iteration.change
    return f"picture changes by {20 * math.log10(change):.0f} dB" if math.isfinite(change) and change > 0 else ""


def noticed(text: str) -> str:
    """A denoiser's word as a sentence on a line of its own; nothing for nothing."""
    return f"\n{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def summary(state: RunState, report: dict[str, Any], is_unchanged: bool = False) -> str:
    """How a run ended and what its layer is. Its seconds stand beside the strip: in a low window a line is a lot."""
    if report["stopped"]:
        return stopped(state, is_unchanged)
    found = facts(report)
    seconds = f"{state.seconds(state.ended):.1f} s"
    if keeps_all(report) or is_unchanged:
        return f"{KEPT_ALL if keeps_all(report) else UNCHANGED} · {seconds}"
    if found is None:
        return f"Done in {seconds}."
    evaluations, worst = found
    how = f"{_how(worst, state.tolerance)} after {counted(evaluations, 'evaluation')}"
    return f"{how} · residual {in_words(worst)}"


def ended(state: RunState, report: dict[str, Any], is_unchanged: bool, notes: tuple[str, ...]) -> str:
    """All that is said at the end of a run: how it ended, what the denoiser noticed, and further notes."""
    return summary(state, report, is_unchanged) + "".join(map(noticed, (state.notice, *notes, state.source_loss)))


def keeps_all(report: dict[str, Any]) -> bool:
    """Whether the strength was 0, at which nothing is removed."""
    return bool(report["settings"].get("strength") == 0)


def no_curve(report: dict[str, Any]) -> str:
    """What stands in the place of a residual curve that has no point on a logarithmic axis."""
    found = facts(report)
    if found is not None:
        return "0 at the lower edge: the start was the solution"
    return "At strength 0 nothing is solved" if keeps_all(report) else "This method has no residual"


def stopped(state: RunState, is_unchanged: bool = False) -> str:
    """When and where a run was stopped, and what the layer is."""
    where = f", in the stage “{state.current}”" if state.current not in ("", READY) else ", before it had begun"
    first = f"Stopped by you after {state.seconds(state.ended):.1f} s{where}."
    if is_unchanged or (state.phase is Phase.RELEASED and not state.has_estimate):
        return f"{first} There was no estimate yet: the layer is the noisy cube, unchanged."
    if state.evaluations:
        at = f", at a relative residual of {in_words(state.residuals[-1])}" if state.residuals else ""
        return f"{first} The layer is the best estimate after {counted(state.evaluations, 'evaluation')}{at}."
    return f"{first} The layer is the first estimate, before any evaluation."


def verdict(sentence: str, *, is_clean: bool) -> str:
    """The verdict's first words, and where the rest is; the panel has no room for all of it."""
    first = sentence.partition(";")[0].rstrip(".")
    if first == sentence.rstrip("."):
        return first
    return f"{first.replace(ROOT_MEAN_SQUARE, '')}; {CLEAN if is_clean else SUSPECT}"


def _text(state: RunState, now: float) -> str:
    if state.phase is Phase.FAILED:
        return state.error
    if state.phase is Phase.STOPPING:
        return f"{STOPPING} The step under way in “{state.current}” comes to its end." + _losses(state)
    if state.phase is Phase.RELEASED:
        return stopped(state) + noticed(state.notice) + _losses(state)
    if state.phase is Phase.RUNNING:
        return progress(state, now) + noticed(state.notice) + _losses(state)
    return ""


def _losses(state: RunState) -> str:
    """What was taken away in mid-run."""
    return noticed(state.loss) + noticed(state.source_loss)


def _how(worst: float, tolerance: float | None) -> str:
    if tolerance is None:
        return "Done"
    return "Converged" if worst <= tolerance else "Ended above the tolerance"
