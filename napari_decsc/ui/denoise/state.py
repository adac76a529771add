"""How a run stands: one frozen state, and what the click, every event and the end make of it. No window here.

Times are seconds of one clock that never runs backwards; whoever calls says what time it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.hsi.noise.measured import MeasuredNoise

#: What is done before a denoiser says anything.
READY = "getting ready"
#: What it does before its first evaluation while it says nothing of stages.
PREPARING = "preparation"
#: What it does after that.
SOLVING = "equilibrium"
#: What comes last.
VERDICT = "verdict"


class Phase(Enum):
    """Where the last run is."""

    IDLE = "idle"  # there was none
    RUNNING = "running"
    STOPPING = "stopping"  # asked to end, and not ended yet
    RELEASED = "released"  # stopped for the person; the step under way still ends behind the window
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Stage:
    """A part of the work, as far as it is over: seconds and evaluations, summed over the tiles."""

    name: str
    seconds: float = 0.0
    evaluations: int = 0


@dataclass(frozen=True, eq=False)
class RunState:
    """The last run, from the click to its end.

    Parameters
    ----------
    stages : tuple of Stage
        In the order in which they began; ``current`` is the name of the one that goes on since ``since``.
    residuals : tuple of float
        Relative residuals of the current stage and tile; ``stamps`` are the denoiser's seconds at each of them.
    tile_seconds : tuple of float
        How long every finished tile took; the current one began at ``tile_began``.
    has_estimate : bool
        Whether an estimate was seen.
    notice, loss, source_loss : str
        What the denoiser wants a person to know, and that the layer, or the cube that is denoised, was taken away.
    """

    phase: Phase = Phase.IDLE
    method: str = ""
    tolerance: float | None = None
    limit: int = 0
    begun: float = 0.0
    ended: float = 0.0
    stages: tuple[Stage, ...] = ()
    current: str = ""
    since: float = 0.0
    last: Iteration | None = None
    residuals: tuple[float, ...] = ()
    stamps: tuple[float, ...] = ()
    tile_seconds: tuple[float, ...] = ()
    tile_began: float = 0.0
    has_estimate: bool = False
    noise: MeasuredNoise | None = None
    notice: str = ""
    loss: str = ""
    source_loss: str = ""
    error: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether the form waits for this run."""
        return self.phase in (Phase.RUNNING, Phase.STOPPING)

    @property
    def evaluations(self) -> int:
        """Evaluations so far."""
        return sum(stage.evaluations for stage in self.stages)

    def seconds(self, now: float) -> float:
        """Seconds since the click, or that the run took."""
        return (now if self.goes_on else self.ended) - self.begun

    def stage_seconds(self, now: float) -> dict[str, float]:
        """Seconds of every stage, the current one up to now, in their order."""
        running = now - self.since if self.goes_on else 0.0
        return {stage.name: stage.seconds + (running if stage.name == self.current else 0.0) for stage in self.stages}


def begin(method: str, tolerance: float | None, limit: int, now: float) -> RunState:
    """The state at the click."""
    fresh = RunState(Phase.RUNNING, method, tolerance, limit, begun=now, since=now, tile_began=now)
    return replace(fresh, stages=(Stage(READY),), current=READY)


def hear(state: RunState, batch: Sequence[Iteration], now: float) -> RunState:
    """The state after a batch of events, the last of which came just now."""
    end = batch[-1].elapsed if batch else 0.0
    for iteration in batch:
        at = max(state.since, now - max(0.0, end - iteration.elapsed))
        state = _hear_one(state, iteration, at)
    return state


def enter(state: RunState, name: str, at: float) -> RunState:
    """The state in which a stage begins, or goes on for a further tile; the same where it is the current one."""
    if name == state.current:
        return state
    state = _close(state, at)
    known = any(stage.name == name for stage in state.stages)
    stages = state.stages if known else (*state.stages, Stage(name))
    return replace(state, stages=stages, current=name, since=at, residuals=(), stamps=())


def stop(state: RunState) -> RunState:
    """The state after a person asked for the end."""
    return replace(state, phase=Phase.STOPPING)


def lose(state: RunState, text: str) -> RunState:
    """The state after the layer was taken away."""
    return replace(state, loss=text)


def take_away(state: RunState, text: str) -> RunState:
    """The state after the cube that is denoised was taken away; the run has all that it needs of it."""
    return replace(state, source_loss=text)


def end(state: RunState, phase: Phase, now: float, error: str = "") -> RunState:
    """The state after the last event; a run that was let go keeps the moment at which it was."""
    if state.phase is Phase.RELEASED:
        return replace(state, phase=phase, error=error)
    return replace(_close(state, now), phase=phase, ended=now, error=error)


def _hear_one(state: RunState, iteration: Iteration, at: float) -> RunState:
    state = _turn_tile(state, iteration, at)
    counts = iteration.number > 0 and not iteration.message
    state = enter(state, _stage_of(state, iteration), at)
    if counts:
        state = _count(state, iteration)
    return replace(
        state,
        last=iteration,
        has_estimate=state.has_estimate or iteration.preview is not None,
        noise=state.noise if iteration.noise is None else iteration.noise,
        notice=iteration.message or state.notice,
    )


def _turn_tile(state: RunState, iteration: Iteration, at: float) -> RunState:
    """Close a tile whose successor begins."""
    if state.last is None or iteration.tile == state.last.tile:
        return state
    took = (*state.tile_seconds, at - state.tile_began)
    return replace(state, tile_seconds=took, tile_began=at, residuals=(), stamps=())


def _count(state: RunState, iteration: Iteration) -> RunState:
    stages = tuple(
        replace(stage, evaluations=stage.evaluations + 1) if stage.name == state.current else stage
        for stage in state.stages
    )
    residuals = (*state.residuals, iteration.relative_residual)
    return replace(state, stages=stages, residuals=residuals, stamps=(*state.stamps, iteration.elapsed))


def _stage_of(state: RunState, iteration: Iteration) -> str:
    """The name that the denoiser gives; of one that gives none, whether it prepares or solves."""
    if iteration.stage:
        return iteration.stage
    if iteration.message:
        return state.current
    return SOLVING if iteration.number > 0 else PREPARING


def _close(state: RunState, at: float) -> RunState:
    """Add what the current stage took."""
    stages = tuple(
        replace(stage, seconds=stage.seconds + at - state.since) if stage.name == state.current else stage
        for stage in state.stages
    )
    return replace(state, stages=stages, since=at)


def facts(report: dict[str, Any]) -> tuple[int, float] | None:
    """Evaluations of the longest tile and the worst last residual of a report; None where nothing was evaluated."""
    histories = [tile["relative_residual"] for tile in report["tiles"] if tile["relative_residual"]]
    if not histories:
        return None
    return max(map(len, histories)), max(history[-1] for history in histories)
