"""The DECSC denoiser: cubes in, equilibria inside, one event per evaluation of the map out."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_decsc.denoising.protocol import Command, Denoising, Iteration, Preview, Sink
from napari_decsc.denoising.sinks import ArraySink
from napari_decsc.denoising.teller import Steps, Teller, aside
from napari_decsc.denoising.two_starts import Meeting
from napari_decsc.deq.estimation import basic_estimate
from napari_decsc.deq.estimation.described import describe
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace, moved
from napari_decsc.deq.execution import memory, two_starts
from napari_decsc.deq.execution import plan as planning
from napari_decsc.deq.execution import preview as first_preview
from napari_decsc.deq.execution.devices import choose
from napari_decsc.deq.execution.equilibria import GROUPS
from napari_decsc.deq.execution.plan import Plan
from napari_decsc.deq.execution.session import Run, Session, Solutions, tensors
from napari_decsc.deq.execution.source import Source, sample_pixels
from napari_decsc.deq.execution.tile_queue import TileQueue, TileSolver, used_up
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.model.base import Decsc
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.weights import files as weights
from napari_decsc.errors import DenoisingError, is_out_of_memory
from napari_decsc.filters.parallel import one_thread
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.empty_bands import told
from napari_decsc.hsi.io import memory_map as mapped
from napari_decsc.hsi.noise.measured import MeasuredNoise
from napari_decsc.settings import as_dict

#: Solutions are held for a later solve of the same cube when they take no more than this, in bytes ...
SOLUTION_BYTES = 1_000_000_000
#: ... and no more than this share of the memory that the run may take.
SOLUTION_SHARE = 0.25

Found = TypeVar("Found")
_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Sample:
    """What noise and subspace of a cube are found on.

    Parameters
    ----------
    cube : tensor of shape (1, B, rows, cols)
        Peak 1, 0 where it was not measured.
    mask : bool tensor, shape (1, B, rows, cols)
        True where it was.
    usable : bool tensor, shape (1, B, rows, cols)
        True where it tells of signal and noise.
    columns : array of shape (cols,)
        Of the cube; -1 for one that keeps blocks apart.
    """

    cube: Tensor
    mask: Tensor
    usable: Tensor
    columns: NDArray[np.int64]


class Place:
    """Weights and device by the names that settings give them, each looked for at its first use.

    Parameters
    ----------
    weights_name : str
        Of shipped weights, or a path.
    device_name : str
        "auto", "cpu", "cuda", ...
    """

    def __init__(self, weights_name: str, device_name: str) -> None:
        self._weights_name, self._device_name = weights_name, device_name

    @cached_property
    def weights(self) -> weights.Weights:
        """The model and what is known of it."""
        return weights.load(self._weights_name)

    @cached_property
    def device(self) -> torch.device:
        """Where it computes."""
        return choose(self._device_name)


class DecscDenoiser:
    """Deep equilibrium convolutional sparse coding. Weights are loaded at the first use.

    Parameters
    ----------
    settings : DecscSettings, optional
        Their defaults if left out.
    """

    name = "decsc"

    def __init__(self, settings: DecscSettings | None = None) -> None:
        self.settings = settings or DecscSettings()
        self._place = Place(self.settings.weights, self.settings.device)
        self._solutions = Solutions()

    def resume(self, settings: DecscSettings) -> "DecscDenoiser":
        """A denoiser with other settings that starts from this one's last solution, if the same cube is given again.

        Only a change of strength, tolerance, iterations or solver can go on; after any other the solve begins afresh.

        Parameters
        ----------
        settings : DecscSettings
            The other ones.

        Returns
        -------
        DecscDenoiser
            This one stays as it is.
        """
        other = DecscDenoiser(settings)
        if (settings.weights, settings.device) == (self.settings.weights, self.settings.device):
            other._place, other._solutions = self._place, self._solutions
        return other

    @property
    def _weights(self) -> weights.Weights:
        return self._place.weights

    @property
    def _device(self) -> torch.device:
        return self._place.device

    def describe(self) -> dict[str, Any]:
        """Method, settings, weights (name, hash), the proved contraction or None, and device, ready for JSON.

        Returns
        -------
        dict of str to object
            Keys "method", "settings", "weights", "contraction", "device".
        """
        return {
            "method": self.name,
            "settings": as_dict(self.settings),
            "weights": {"name": self._weights.name, "hash": self._weights.hash},
            "contraction": self._weights.model.contraction(self.settings.strength),
            "device": str(self._device),
        }

    def plan(self, shape: tuple[int, int, int], *, streamed: bool = True) -> Plan:
        """Tiles and memory of a run on a cube of this shape.

        Parameters
        ----------
        shape : tuple of int
            (band, row, col).
        streamed : bool
            Whether the result goes into a sink; if not, it is held, too.

        Returns
        -------
        Plan
            See there.

        Raises
        ------
        DenoisingError
            If the weights need more bands.
        SettingsError
            If the memory is too small for any tile.
        """
        return planning.make(self._weights.model, self.settings, shape, self._device, streamed=streamed)

    def seconds(self, plan: Plan) -> tuple[float, float]:
        """About how long a planned run takes with one evaluation in every stage, and what each further one adds.

        Measured now, on a small noisy scene.

        Parameters
        ----------
        plan : Plan
            Of this denoiser.

        Returns
        -------
        whole : float
            Seconds, with one evaluation in every stage of every tile.
        more : float
            Seconds of each further evaluation in all of them.
        """
        bands, rows, cols = plan.shape
        pace = planning.pace(self._weights.model.to(self._device), bands, self._device)
        sampled = min(rows * cols, sample_pixels(bands))
        return sampled * pace.estimation + plan.pixels() * pace.solve, plan.pixels() * pace.evaluation

    def denoise(self, noisy: Cube) -> Denoising:
        """See :class:`.protocol.Denoiser`. A tile that is never begun keeps its start estimate."""
        plan = self.plan(noisy.shape, streamed=False)
        sink = ArraySink(noisy.shape, on_disk=plan.on_disk)
        yield from self._run(noisy, plan, sink, _solution_bytes(plan), previews=True)
        return noisy.replace(data=sink.data, name=f"{noisy.name} denoised")

    def denoise_into(self, noisy: Cube, sink: Sink) -> Steps:
        """See :class:`napari_decsc.denoising.protocol.StreamingDenoiser`. No solution is held, no preview made."""
        yield from self._run(noisy, self.plan(noisy.shape), sink, 0, previews=False)

    def _run(self, noisy: Cube, plan: Plan, sink: Sink, solution_bytes: int, *, previews: bool) -> Steps:
        if self.settings.strength == 0:
            _copy(noisy, plan.tiles, sink)
            return
        teller, source = Teller(previews), self._source(noisy)
        self._solutions.begin(noisy, plan.tiles, solution_bytes, tuple(source.left_out))
        if source.left_out:
            yield from teller.tell(aside(1, plan.solves, message=told(source.left_out, fill=source.fill)))
        with memory.handled(plan.short):
            yield from self._solve(source, plan, sink, teller)

    def _source(self, cube: Cube) -> Source:
        """The cube without the bands that hold nothing, as far as the weights can do without them."""
        return Source.of(cube, self.settings.bad_bands, self._weights.model.bands or 1)

    def _solve(self, source: Source, plan: Plan, sink: Sink, teller: Teller) -> Steps:
        # a run that was stopped leaves solutions of some tiles only: the others still need what the whole cube tells
        whole = None
        if self._solutions.subspace is None:
            whole = yield from self._estimate(source, plan, teller)
            memory.give_back()
        subspace = self._solutions.subspace
        if self.settings.scheduler.strip():
            from napari_decsc.deq.execution import cluster

            yield from cluster.solve(plan, self.settings, self._weights.hash, source, subspace, sink, teller)
            return
        session = Session(self._device, self._weights.model.to(self._device), subspace)
        if whole is not None and whole.repaired is not None:
            session.whole.append(whole)
        del whole
        solver = TileSolver(Run(self.settings, source, teller, self._solutions), session)
        yield from TileQueue(solver, plan.tiles, sink).run()

    def _estimate(
        self, source: Source, plan: Plan, teller: Teller
    ) -> Generator[Iteration, Command | None, SignalSubspace]:
        """Find noise and subspace of the whole cube; with what else is known of it where it is solved in one piece.

        Where somebody looks on, it begins with a preview, and every stage is told when it begins.
        """
        if teller.previews:
            preview = None if self.settings.scheduler.strip() else self._first_preview(source, plan)
            yield from teller.tell(replace(aside(1, plan.solves, stage="noise model"), preview=preview))
        sample = self._sampled(source)
        model = self._on_sample(source, sample, lambda model, cube, mask: model.noise(cube, mask))
        if model is not None:
            yield from teller.begins("subspace", 1, plan.solves)
        self._solutions.subspace = found = self._identified(source, sample, model)
        if model is not None and not teller.stopped:
            if self._is_in_one_piece(plan, sample):
                with one_thread():
                    found = basic_estimate.repaired(sample.cube, sample.usable, found)
            noise = self._measured(source, sample, found)
            yield from teller.tell(replace(aside(1, plan.solves, stage=GROUPS), noise=noise))
        return found

    def _is_in_one_piece(self, plan: Plan, sample: Sample) -> bool:
        """Whether the solve looks, here, at the very cube that noise and subspace are found on."""
        is_here = self._device == _CPU and not self.settings.scheduler.strip()
        return is_here and plan.tiles[0].knows_the_image_alone and sample.cube.shape[2:] == plan.shape[1:]

    def two_starts(self) -> Generator[Meeting, None, None]:
        """Solve the last equilibrium of the last run (of its first tile) from two starts, an event per evaluation.

        Yields
        ------
        Meeting
            One for each evaluation, of both starts.

        Raises
        ------
        DenoisingError
            If no solution is held: nothing was denoised yet, or its solution takes too much memory to be kept.
        """
        if not self._solutions.by_tile:
            raise DenoisingError("no solution is held that could be solved again; denoise a smaller cube, or a part")
        c, _, _ = next(iter(self._solutions.by_tile.values()))
        yield from two_starts.meet(self._weights.model.to(self._device), c, self.settings.solver)

    def measure(self, cube: Cube) -> MeasuredNoise:
        """The noise of a cube (or of a sample of a large one), in its physical units, without denoising it.

        Parameters
        ----------
        cube : Cube
            Noisy.

        Returns
        -------
        MeasuredNoise
            See there.
        """
        source, held = self._source(cube), self._solutions
        sample = self._sampled(source)
        known = held.subspace if held.cube is cube and held.left_out == tuple(source.left_out) else None
        return self._measured(source, sample, self._identified(source, sample) if known is None else known)

    def _measured(self, source: Source, sample: Sample, subspace: SignalSubspace) -> MeasuredNoise:
        cube, mask, usable = sample.cube[0], sample.mask[0], sample.usable[0]
        with one_thread():
            found = describe(subspace.to(_CPU), cube, mask, source.peak, usable, sample.columns)
        return found.over_bands(source.cube.bands, source.left_out) if source.left_out else found

    def _sampled(self, source: Source) -> Sample:
        with one_thread():
            cube, mask = tensors(source.sample(), _CPU)
            return Sample(cube, mask, self._weights.model.usable(cube, mask), source.sample_columns())

    def _first_preview(self, source: Source, plan: Plan) -> Preview | None:
        """An estimate of the whole cube before its noise and subspace are known, where it is worth it."""
        if not first_preview.worthwhile(plan.shape, plan.spare):
            return None
        return first_preview.make(self._weights.model.to(self._device), self._device, source)

    def _identified(self, source: Source, sample: Sample, noise: NoiseModel | None = None) -> SignalSubspace:
        """Subspace of the whole cube, beside its noise model where that is known already."""

        def found(model: Decsc, cube: Tensor, mask: Tensor) -> SignalSubspace:
            return model.identify(cube, mask, None if noise is None else moved(noise, cube.device))

        return self._on_sample(source, sample, found)

    def _on_sample(self, source: Source, sample: Sample, find: Callable[[Decsc, Tensor, Tensor], Found]) -> Found:
        """What the model finds on a sample; on the processor if the device's memory is too small for it."""
        for device in (self._device, _CPU):
            try:
                with torch.inference_mode(), one_thread():
                    found = find(self._weights.model.to(device), sample.cube.to(device), sample.usable.to(device))
                here: Found = moved(found, self._device)
                return here
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
        raise DenoisingError(used_up(source.cube.name, _CPU))


def measure_noise(cube: Cube, settings: DecscSettings | None = None) -> MeasuredNoise:
    """The noise of a cube, found from the cube alone.

    Parameters
    ----------
    cube : Cube
        Noisy, (band, row, col). Of a large one a sample is looked at.
    settings : DecscSettings, optional
        Which device computes.

    Returns
    -------
    MeasuredNoise
        In the cube's physical units.
    """
    return DecscDenoiser(settings).measure(cube)


def _solution_bytes(plan: Plan) -> int:
    """How much solutions may take: that of a single tile is there anyway, those of several come on top."""
    room = plan.budget if len(plan.tiles) == 1 else plan.spare
    return min(SOLUTION_BYTES, int(SOLUTION_SHARE * plan.budget), room)


def _copy(noisy: Cube, tiles: list[Tile], sink: Sink) -> None:
    """Everything is kept: the raw values as they came."""
    for tile in tiles:
        part = mapped.read(noisy.data[:, tile.row.core, tile.col.core])
        sink.write(part.astype(np.float32), tile.row.core, tile.col.core)
