"""The solve of one tile: values in, an equilibrium for each window of bands, one event per evaluation, values out."""

import copy
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_decsc.denoising.pacing import Pace
from napari_decsc.denoising.protocol import Command, Iteration, Preview
from napari_decsc.denoising.rare_signal import rare_signal
from napari_decsc.denoising.stopwatch import Stopwatch
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace, moved
from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.deq.execution.source import Source, Values
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.solvers.fixed_point import Code, State, anderson, picard, until
from napari_decsc.hsi.cube import Cube

#: What the stage is called in which similar patches are looked for, and before the first also a local estimate.
GROUPS = "groups"

#: Stages before the last prepare what follows: their residual may be so many times the tolerance.
EARLY = 10

Events = Generator[Iteration, Command | None, Values]
#: A part of a solve: first row, first col and first band of its core.
Key = tuple[int, int, int]


@dataclass
class Solutions:
    """Solutions of the last solve: what a later one of the same cube, in the same tiles, may start from.

    Parameters
    ----------
    limit : int
        Bytes that they take at most: what is beyond that is dropped.
    cube : Cube, optional
        That was solved.
    tiles : list of Tile
        In which it was.
    left_out : tuple of int
        Bands that took no part.
    subspace : SignalSubspace, optional
        Of the whole cube.
    by_tile : dict
        Context, solution and strength, by tile and window of bands.
    size : int
        Bytes that they take.
    """

    limit: int = 0
    cube: Cube | None = None
    tiles: list[Tile] = field(default_factory=list)
    left_out: tuple[int, ...] = ()
    subspace: SignalSubspace | None = None
    by_tile: dict[Key, tuple[Context, Code, float]] = field(default_factory=dict)
    size: int = 0

    def begin(self, cube: Cube, tiles: list[Tile], limit: int, left_out: tuple[int, ...] = ()) -> None:
        """Forget what belongs to another cube, other tiles, or others of its bands.

        Parameters
        ----------
        cube : Cube
            That will be solved.
        tiles : list of Tile
            In which it will.
        limit : int
            Bytes.
        left_out : tuple of int
            Bands that will not take part.
        """
        self.limit = limit
        if cube is not self.cube or (tiles, left_out) != (self.tiles, self.left_out):
            self.cube, self.tiles, self.left_out, self.subspace = cube, tiles, left_out, None
            self.forget()

    def forget(self) -> None:
        """Give the memory of all solutions back."""
        self.by_tile, self.size = {}, 0

    def add(self, key: Key, c: Context, z: Code, strength: float) -> None:
        """Hold a solution, if there is room.

        Parameters
        ----------
        key : tuple
            Tile and window of bands.
        c : Context
            Of its stage.
        z : tuple of tensors
            The solution.
        strength : float
            At which it was found.
        """
        old = self.by_tile.pop(key, None)
        self.size -= 0 if old is None else _bytes(old[0], old[1])
        size = _bytes(c, z)
        if self.size + size <= self.limit:
            self.by_tile[key] = (c, z, strength)
            self.size += size


@dataclass(frozen=True, eq=False)
class Run:
    """What is the same for all tiles of a run, wherever they are solved.

    Parameters
    ----------
    settings : DecscSettings
        Of the method.
    source : Source
        The noisy cube.
    watch : Stopwatch
        Stands still while listeners run.
    solutions : Solutions
        Takes what a later run may start from.
    previews : bool
        Whether the begin of every stage is an event, too, and evaluations tell by how much they changed the picture.
    """

    settings: DecscSettings
    source: Source
    watch: Stopwatch
    solutions: Solutions
    previews: bool = True


@dataclass(frozen=True, eq=False)
class Session:
    """A device, and all that lies on it: another device takes another session (:meth:`on`).

    Parameters
    ----------
    device : torch device
        Where it is computed.
    model : Decsc
        On the device.
    subspace : SignalSubspace, optional
        Of the whole cube, on the device.
    by_columns : dict
        A cache: the subspace with the offsets of the columns of tiles, by the first of these and their number.
    """

    device: torch.device
    model: Decsc
    subspace: SignalSubspace | None
    by_columns: dict[tuple[int, int], SignalSubspace | None] = field(default_factory=dict)

    def on(self, device: torch.device) -> "Session":
        """The session that goes on from this one elsewhere; this one stays as it is.

        Parameters
        ----------
        device : torch device
            Elsewhere.

        Returns
        -------
        Session
        """
        return Session(device, _copied(self.model, device), moved(self.subspace, device))

    def subspace_of(self, tile: Tile, source: Source) -> SignalSubspace | None:
        """The subspace with the offsets of a tile's columns: tiles below each other share them.

        A tile that is the whole image finds them itself.

        Parameters
        ----------
        tile : Tile
            That is to be solved.
        source : Source
            The noisy cube.

        Returns
        -------
        SignalSubspace or None
            None where the model needs none.
        """
        if self.subspace is None or not self.subspace.outliers or tile.is_whole:
            return self.subspace
        key = (tile.col.start, tile.col.length)
        if key not in self.by_columns:
            rows = tensors(source.columns(tile.col)[:, :, tile.col.known], self.device)
            self.by_columns[key] = self.model.with_column_offsets(*rows, self.subspace)
        return self.by_columns[key]


@dataclass
class TileSolver:
    """Solves tiles of one cube one after another.

    Parameters
    ----------
    run : Run
        What is the same for all.
    session : Session
        Is replaced when the device is.
    stopped : bool
        Whether tiles get their start estimate alone from now on.
    pace : Pace
        How often previews come.
    """

    run: Run
    session: Session
    stopped: bool = False
    pace: Pace = field(default_factory=Pace)

    @property
    def model(self) -> Decsc:
        """The model, where it lies now."""
        return self.session.model

    @property
    def windows(self) -> list[slice]:
        """The windows of bands that are solved one by one: a single one where the model takes any number."""
        bands = len(self.run.source.kept)
        return tiling.band_windows(bands, self.model.bands or bands)

    def solve(self, tile: Tile, values: Values, done: int, total: int) -> Events:
        """Events of one tile; returns its core, peak 1.

        Parameters
        ----------
        tile : Tile
            That is solved.
        values : float array, shape (band, row, col)
            What is known of it: :meth:`Source.tile`.
        done, total : int
            Solves that lie behind, and all; the windows of this tile count on from there.

        Yields
        ------
        Iteration

        Returns
        -------
        float32 array, shape (band, row, col)
            The core, peak 1.
        """
        windows = self.windows
        if len(windows) == 1:
            return (yield from self._solve(tile, windows[0], values, done + 1, total))
        bands = len(self.run.source.kept)
        core = np.zeros((bands, _extent(tile.row.core), _extent(tile.col.core)), np.float32)
        weights = np.zeros((bands, 1, 1), np.float32)
        for number, window in enumerate(windows, done + 1):
            weight = tiling.blend(window, bands)[:, None, None]
            core[window] += weight * (yield from self._solve(tile, window, values[window], number, total))
            weights[window] += weight
        return core / weights

    def _solve(self, tile: Tile, window: slice, values: Values, number: int, total: int) -> Events:
        """Events of one window of bands; returns the core of these bands."""
        key = (tile.row.core.start, tile.col.core.start, window.start)
        with torch.inference_mode():
            c, z = self._begin(key, tile, values)
            first = State(0, self.model.start(c) if z is None else z, _NAN, _NAN)
        estimate = None
        if not self.stopped:
            # who goes on from a solution has its picture
            estimate = yield from self._shown(first, c, tile, number, total, GROUPS, is_new=z is None)
        z = first.z
        while not self.stopped:
            if c.stage < self.model.stages(c):
                if c.stage > 0 and (yield from self._begins(GROUPS, number, total)):
                    break
                with torch.inference_mode():
                    c = self.model.renewed(c, z)
                    z = self.model.start(c)
            if (yield from self._begins(f"equilibrium {c.stage}", number, total)):
                break
            z, estimate = yield from self._equilibrium(z, c, tile, number, total)
            if c.stage >= self.model.stages(c):
                break
        self.run.solutions.add(key, c, z, self.run.settings.strength)
        if estimate is None:
            estimate = self._estimate(z, c, tile)
        yield from self._kept(c, tile, number, total)
        return estimate

    def _equilibrium(
        self, z: Code, c: Context, tile: Tile, number: int, total: int
    ) -> Generator[Iteration, Command | None, tuple[Code, Values | None]]:
        """Events of one stage; returns its code, and the estimate if the last event made it."""
        estimate = None
        for state in self._states(State(0, z, _NAN, _NAN), c):
            if state.number == 0:
                continue
            change = np.nan
            if self.run.previews:
                with torch.inference_mode():
                    change = self.model.change(z, state.z, c)
            is_new, z = state.z[0] is not z[0], state.z
            shown = yield from self._shown(
                state, c, tile, number, total, f"equilibrium {c.stage}", change, is_new=is_new
            )
            estimate = shown if is_new else estimate
            if self.stopped:
                break
        return z, estimate

    def _kept(self, c: Context, tile: Tile, number: int, total: int) -> Generator[Iteration, Command | None, None]:
        """Tell what rare signal the core of a tile holds, where it holds some."""
        found = self.model.rare(c)
        if found is None:
            return
        spectra = np.zeros((found[1].shape[0], *found[0].shape), np.float32)
        spectra[:, found[0].cpu().numpy()] = found[1].cpu().numpy()
        spectra = self._core(spectra, tile)
        where: NDArray[np.bool_] = np.any(spectra != 0, axis=0)
        whole = np.zeros((self.run.source.cube.bands, int(where.sum())), np.float32)
        whole[self.run.source.kept] = spectra[:, where]
        rare = rare_signal(where, whole, tile.row.core, tile.col.core)
        if rare is not None:
            stage, elapsed = f"equilibrium {c.stage}", self.run.watch.elapsed
            with self.run.watch.pause():
                command = yield Iteration(0, np.nan, np.nan, elapsed, number, total, stage=stage, rare=rare)
            self.stopped |= command is Command.STOP

    def _begins(self, stage: str, number: int, total: int) -> Generator[Iteration, Command | None, bool]:
        """A stage begins, of which nobody needs to know who only waits for a file; returns whether to stop."""
        if self.run.previews and not self.stopped:
            with self.run.watch.pause():
                command = yield Iteration(0, np.nan, np.nan, self.run.watch.elapsed, number, total, stage=stage)
            self.stopped |= command is Command.STOP
        return self.stopped

    def _shown(
        self, state: State, c: Context, tile: Tile, number: int, total: int, stage: str, change: float = np.nan,
        *, is_new: bool = True,
    ) -> Generator[Iteration, Command | None, Values | None]:  # fmt: skip
        """One event, with a picture if there is a new one; returns the estimate if it was made for it."""
        estimate, preview = None, None
        wanted = self.run.previews and len(self.windows) == 1 and is_new
        if wanted and (state.number == 0 or self.pace.is_due(self.run.watch.elapsed)):
            began = self.run.watch.elapsed
            estimate = self._estimate(state.z, c, tile)
            rows, cols = tile.row.core, tile.col.core
            preview = Preview(self.run.source.raw(estimate, rows, cols), rows, cols)
            self.pace.made(began, self.run.watch.elapsed)
        residual, relative = float(state.residual[0]), float(state.relative_residual[0])
        event = Iteration(
            state.number, residual, relative, self.run.watch.elapsed, number, total, preview, stage=stage,
            change=change, bound=self.model.contraction(self.run.settings.strength) or np.nan,
        )  # fmt: skip
        with self.run.watch.pause():
            command = yield event
        self.stopped |= command is Command.STOP
        return estimate

    def _begin(self, key: Key, tile: Tile, values: Values) -> tuple[Context, Code | None]:
        """The context before the first stage, or that of the last solution, and the solution, as the strength asks."""
        settings, device = self.run.settings, self.session.device
        if key in self.run.solutions.by_tile:
            c, z, strength = self.run.solutions.by_tile[key]
            c = self.model.at_strength(replace(c, only=settings.only), settings.strength)
            return c, self.model.carried(z, strength, settings.strength)
        subspace = self.session.subspace_of(tile, self.run.source)
        c = self.model.begin(*tensors(_known(values, tile), device), subspace)
        if self.model.continues:
            rows, cols = (torch.from_numpy(span.continued).to(device) for span in (tile.row, tile.col))
            c = c.continued(rows, cols)
        return self.model.at_strength(replace(c, only=settings.only), settings.strength), None

    def _states(self, first: State, c: Context) -> Iterator[State]:
        """The start and then the solver's states, computed without gradients, but never suspended in that mode."""
        solver = {"anderson": anderson, "picard": picard}[self.run.settings.solver]
        f = lambda z: self.model.f(z, c)  # noqa: E731
        last = c.stage >= self.model.stages(c)
        tolerance = self.run.settings.tolerance * (1 if last else EARLY)
        states = until(solver(f, first.z), tolerance, self.run.settings.max_iterations)
        state: State | None = first
        del first
        while state is not None:
            yield state
            with torch.inference_mode():
                state = next(states, None)

    def _estimate(self, z: Code, c: Context, tile: Tile) -> Values:
        with torch.inference_mode():
            return self._core(self.model.output(z, c)[0].cpu().numpy(), tile)

    def _core(self, cube: Values, tile: Tile) -> Values:
        """The core of a tile, of all that was solved."""
        if self.model.continues:
            return cube[:, tile.row.inside, tile.col.inside]
        rows, cols = (span.continued[span.inside] for span in (tile.row, tile.col))
        return np.ascontiguousarray(cube[:, rows[:, None], cols])


def _copied(model: Decsc, device: torch.device) -> Decsc:
    """The model on a device, copied on the way: ``model.to`` would take it away from others who work with it."""
    parts = {id(one): nn.Parameter(one.detach().to(device), one.requires_grad) for one in model.parameters()}
    return copy.deepcopy(model, {**parts, **{id(one): one.to(device) for one in model.buffers()}})


def tensors(values: Values, device: torch.device) -> tuple[Tensor, Tensor]:
    """Values as a cube without NaN, and what was not NaN.

    Parameters
    ----------
    values : float array, shape (band, row, col)
        NaN where a voxel carries no information.
    device : torch device
        Where to.

    Returns
    -------
    tensor and bool tensor of shape (1, band, row, col)
        0 and False where there was NaN.
    """
    cube = torch.from_numpy(np.ascontiguousarray(values))[None].to(device)
    mask = cube.isfinite()
    return torch.where(mask, cube, 0), mask


def _known(values: Values, tile: Tile) -> Values:
    """Values of a tile without the border: similar patches are not looked for among reflections."""
    return values[:, tile.row.known, tile.col.known]


_NAN = torch.tensor([torch.nan])


def _extent(part: slice) -> int:
    extent: int = part.stop - part.start
    return extent


def _bytes(c: Context, z: Code) -> int:
    held = [part for part in vars(c).values() if isinstance(part, Tensor)]
    return sum(part.nbytes for part in (*held, *z))
