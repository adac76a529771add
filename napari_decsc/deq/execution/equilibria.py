"""The solve of one part of a cube: values in, one equilibrium after the other, an event per evaluation, values out."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_decsc.denoising.protocol import Command, Iteration, Preview
from napari_decsc.denoising.rare_signal import rare_signal
from napari_decsc.denoising.teller import Steps, aside
from napari_decsc.deq.execution import memory
from napari_decsc.deq.execution.session import Key, Run, Session, tensors
from napari_decsc.deq.execution.source import Values
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.model.base import Context
from napari_decsc.deq.solvers.fixed_point import Code, State, anderson, picard, until

#: What the stage is called in which similar patches are looked for, and before the first also a local estimate.
GROUPS = "groups"

#: Stages before the last prepare what follows: their residual may be so many times the tolerance.
EARLY = 10

_NAN = torch.tensor([torch.nan])

Events = Generator[Iteration, Command | None, Values]


@dataclass(frozen=True)
class Part:
    """What is solved at once.

    Parameters
    ----------
    tile : Tile
        Its pixels.
    window : slice
        Its bands.
    number, total : int
        Which of how many solves of the run it is, from 1.
    """

    tile: Tile
    window: slice
    number: int
    total: int

    @property
    def key(self) -> Key:
        """What it is held by."""
        return self.tile.row.core.start, self.tile.col.core.start, self.window.start


@dataclass(frozen=True, eq=False)
class Equilibria:
    """Solves one part, stage after stage.

    Parameters
    ----------
    run : Run
        What is the same for all parts.
    session : Session
        Where it is solved.
    part : Part
        That is solved.
    is_picture : bool
        Whether its estimates hold all bands, so that they may be shown.
    """

    run: Run
    session: Session
    part: Part
    is_picture: bool

    def solve(self, values: Values) -> Events:
        """Events of the part; returns its core.

        Parameters
        ----------
        values : float array, shape (band, row, col)
            What is known of it: :meth:`Source.tile`, in its bands.

        Yields
        ------
        Iteration

        Returns
        -------
        float32 array, shape (band, row, col)
            The core, peak 1.
        """
        part, model, teller, estimate = self.part, self.session.model, self.run.teller, None
        with self.session.model.computing():
            c, held = self._begin(values)
            del values
            z = model.start(c) if held is None else held
        if not teller.stopped:
            # who goes on from a solution has its picture
            estimate = yield from self._shown(State(0, z, _NAN, _NAN), c, GROUPS, is_new=held is None)
        del held
        while not teller.stopped:
            if c.stage < model.stages(c):
                c, z = yield from self._renewed(c, z)
            if (yield from teller.begins(f"equilibrium {c.stage}", part.number, part.total)):
                break
            self._give_back()
            z, estimate = yield from self._equilibrium(z, c)
            if c.stage >= model.stages(c):
                break
        self.run.solutions.add(part.key, c, z, self.run.settings.strength)
        if estimate is None:
            self._give_back()
            estimate = self._estimate(z, c)
        yield from self._kept(c)
        return estimate

    def _give_back(self) -> None:
        """Free memory, if this is all that is solved: of several parts each takes what the one before left."""
        if self.part.total == 1:
            memory.give_back()

    def _begin(self, values: Values) -> tuple[Context, Code | None]:
        """The context before the first stage, or that of the last solution, and the solution, as the strength asks."""
        settings, model, tile = self.run.settings, self.session.model, self.part.tile
        cube, mask = tensors(values, self.session.device)
        came = cube if settings.only else None
        if self.part.key in self.run.solutions.by_tile:
            c, z, strength = self.run.solutions.by_tile[self.part.key]
            c = model.at_strength(replace(c, only=settings.only, came=came), settings.strength)
            return c, model.carried(z, strength, settings.strength)
        subspace = self.session.subspace_of(tile, self.run.source)
        if subspace is not None and not self.is_picture:
            subspace = subspace.within(self.part.window)
        c = model.begin(cube, mask, subspace)
        del cube, mask, subspace
        if model.continues:
            rows, cols = (torch.from_numpy(span.continued).to(self.session.device) for span in (tile.row, tile.col))
            c = c.continued(rows, cols)
        return model.at_strength(replace(c, only=settings.only, came=came), settings.strength), None

    def _renewed(self, c: Context, z: Code) -> Generator[Iteration, Command | None, tuple[Context, Code]]:
        """The next stage and its start, or what was, if somebody says stop."""
        if c.stage > 0:
            yield from self.run.teller.begins(GROUPS, self.part.number, self.part.total)
        if self.run.teller.stopped:
            return c, z
        with self.session.model.computing():
            c = self.session.model.renewed(c, z)
            return c, self.session.model.start(c)

    def _equilibrium(self, z: Code, c: Context) -> Generator[Iteration, Command | None, tuple[Code, Values | None]]:
        """Events of one stage; returns its code, and the estimate if the last event made it."""
        teller, estimate = self.run.teller, None
        for state in self._states(z, c):
            change = np.nan
            if teller.previews:
                with self.session.model.computing():
                    change = self.session.model.change(z, state.z, c)
            is_new, z = state.z[0] is not z[0], state.z
            shown = yield from self._shown(state, c, f"equilibrium {c.stage}", change, is_new=is_new)
            estimate = shown if is_new else estimate
            if teller.stopped:
                break
        return z, estimate

    def _states(self, z: Code, c: Context) -> Iterator[State]:
        """The solver's states, computed without gradients, but never suspended in that mode."""
        model, settings = self.session.model, self.run.settings
        solver = {"anderson": anderson, "picard": picard}[settings.solver]
        f = lambda z: model.f(z, c)  # noqa: E731
        tolerance = settings.tolerance * (1 if c.stage >= model.stages(c) else EARLY)
        states = until(solver(f, z), tolerance, settings.max_iterations)
        del z
        while True:
            with self.session.model.computing():
                state = next(states, None)
            if state is None:
                return
            yield state

    def _shown(
        self, state: State, c: Context, stage: str, change: float = np.nan, *, is_new: bool
    ) -> Generator[Iteration, Command | None, Values | None]:
        """One event, with a picture if there is a new one; returns the estimate if it was made for it."""
        teller, tile, estimate, preview = self.run.teller, self.part.tile, None, None
        due = teller.picture_is_due or (teller.previews and state.number == 0)
        if due and self.is_picture and is_new:
            with teller.making_picture():
                estimate = self._estimate(state.z, c)
                rows, cols = tile.row.core, tile.col.core
                preview = Preview(self.run.source.raw(estimate, rows, cols), rows, cols)
        residual, relative = float(state.residual[0]), float(state.relative_residual[0])
        bound = self.session.model.bound(c) or np.nan
        event = aside(self.part.number, self.part.total, stage=stage)
        event = replace(event, number=state.number, residual=residual, relative_residual=relative, change=change)
        yield from teller.tell(replace(event, preview=preview, bound=bound))
        return estimate

    def _kept(self, c: Context) -> Steps:
        """Tell what rare signal the core of a tile holds, where it holds some."""
        source, tile, found = self.run.source, self.part.tile, self.session.model.rare(c)
        if found is None:
            return
        spectra = np.zeros((found[1].shape[0], *found[0].shape), np.float32)
        spectra[:, found[0].cpu().numpy()] = found[1].cpu().numpy()
        spectra = self._core(spectra)
        where: NDArray[np.bool_] = np.any(spectra != 0, axis=0)
        whole = np.zeros((source.cube.bands, int(where.sum())), np.float32)
        whole[source.kept] = spectra[:, where]
        rare = rare_signal(where, whole, tile.row.core, tile.col.core)
        if rare is not None:
            event = aside(self.part.number, self.part.total, stage=f"equilibrium {c.stage}")
            yield from self.run.teller.tell(replace(event, rare=rare))

    def _estimate(self, z: Code, c: Context) -> Values:
        with self.session.model.computing():
            return self._core(self.session.model.output(z, c)[0].cpu().numpy())

    def _core(self, cube: Values) -> Values:
        """The core of the tile, of all that was solved."""
        tile = self.part.tile
        if self.session.model.continues:
            return cube[:, tile.row.inside, tile.col.inside]
        rows, cols = (span.continued[span.inside] for span in (tile.row, tile.col))
        return np.ascontiguousarray(cube[:, rows[:, None], cols])
