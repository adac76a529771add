"""What the two models share: a fixed-point map f on codes z, and what it knows of the cube besides.

Source: Ye, Wang, Xiong, Chen, Qian, *Deep equilibrium convolutional sparse coding for hyperspectral image denoising*,
IEEE TGRS 2025, arXiv 2508.15553.
"""

import dataclasses
import math
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from napari_decsc.deq.estimation.basic_estimate import BasicEstimate
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.solvers.fixed_point import Code


@dataclass(frozen=True, eq=False)
class Context:
    """What f knows besides z, found once per stage.

    Parameters
    ----------
    target : tensor of shape (N, B, rows, cols)
        The noisy cube, whitened by some models.
    weight : tensor of shape (N, B, rows, cols) or (N, B, 1, 1)
        0 where a voxel carries no information; it may be one number for all of them, and is never written to.
    unit : tensor of shape (N, B, 1, 1)
        One unit of each band, as a share of the peak.
    strength : float
        Weight of the prior against the data, 1 as trained.
    stage : int
        Counts renewals, 0 before the first.
    only : str
        What alone is removed, all noise if empty.
    came : tensor of shape (N, B, rows, cols), optional
        The cube, peak 1, where only a part of its noise is removed.
    """

    target: Tensor
    weight: Tensor
    unit: Tensor
    strength: float = 1.0
    stage: int = 0
    only: str = ""
    came: Tensor | None = None

    def lean(self) -> "Context":
        """The same without what can be found anew, to be held for long.

        Returns
        -------
        Context
            This one stays as it is.
        """
        return self

    def continued(self, rows: Tensor, cols: Tensor) -> "Context":
        """What is known of the cube continued: its rows and cols, by their indices.

        Parameters
        ----------
        rows, cols : int tensors, shape (row,) and (col,)
            Indices into the known part.

        Returns
        -------
        Context
            Of the cube continued.
        """
        known = self.target.shape[2:]
        target, weight = (
            part[:, :, rows[:, None], cols] if part.shape[2:] == known else part for part in (self.target, self.weight)
        )
        return dataclasses.replace(self, target=target, weight=weight)


class Decsc(nn.Module, ABC):
    """A model: f, its start, its stages, and the cube of a code."""

    preset: ClassVar[str]
    #: one honest line for the person who chooses
    summary: ClassVar[str]
    #: rows and cols of an image must be multiples of this
    multiple: int
    #: number of bands of an image, or None for any
    bands: int | None
    #: whether the image is continued beyond its border while it is solved
    continues: ClassVar[bool] = False
    #: whether it can remove one kind of noise alone, see :meth:`output`
    removes_apart: ClassVar[bool] = False
    #: whether offsets of columns are found on more rows than those of a tile, see :meth:`with_column_offsets`
    finds_offsets: ClassVar[bool] = False
    #: names of parameters begin so that are stored with half the bits
    stored_in_half: ClassVar[tuple[str, ...]] = ()
    config: Any

    def computing(self) -> AbstractContextManager[Any]:
        """What the model is asked is computed in this: without gradients, on the threads that its steps are worth.

        Returns
        -------
        context manager
            Never to be left by a ``yield``.
        """
        return torch.inference_mode()

    def usable(self, cube: Tensor, mask: Tensor) -> Tensor:
        """Which voxels of a whole cube, or of a sample of it, tell of signal and noise.

        Parameters
        ----------
        cube : tensor of shape (1, B, rows, cols)
            Peak 1, finite.
        mask : bool tensor, shape (1, B, rows, cols)
            True where a voxel was measured.

        Returns
        -------
        bool tensor, shape (1, B, rows, cols)
            What :meth:`noise` and :meth:`identify` take as their mask.
        """
        return mask

    def noise(self, cube: Tensor, mask: Tensor) -> NoiseModel | None:
        """The noise model of a whole cube, or of a sample of its pixels.

        Parameters
        ----------
        cube : tensor of shape (1, B, rows, cols)
            Peak 1, finite.
        mask : bool tensor, shape (1, B, rows, cols)
            True where a voxel is usable.

        Returns
        -------
        NoiseModel or None
            None where the model uses none.
        """
        return None

    def acquaint(self, spectra: Tensor) -> None:
        """Tell a new model what spectra its training cubes have, before the first step; nothing by default.

        Parameters
        ----------
        spectra : tensor of shape (B, B)
            Orthonormal rows, the strongest first.
        """

    @abstractmethod
    def identify(self, cube: Tensor, mask: Tensor, noise: NoiseModel | None = None) -> SignalSubspace:
        """What must be found on the whole cube (or a sample of its pixels) before tiles of it are denoised.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Peak 1, finite.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel is usable.
        noise : NoiseModel, optional
            What :meth:`noise` found, where it was asked already.

        Returns
        -------
        SignalSubspace
            In units of the peak.
        """

    def identify_roughly(self, cube: Tensor, mask: Tensor) -> SignalSubspace | None:
        """As :meth:`identify`, quickly: for a preview.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Peak 1, finite.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.

        Returns
        -------
        SignalSubspace or None
            As :meth:`identify`; None where the model has no preview.
        """
        return None

    def with_column_offsets(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None) -> SignalSubspace | None:
        """The subspace for tiles whose columns are those of a part of the cube.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            These columns, rows from their whole height.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.
        subspace : SignalSubspace, optional
            Of the whole cube.

        Returns
        -------
        SignalSubspace or None
            With the offsets of these columns.
        """
        return subspace

    def preview(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None) -> Tensor | None:
        """A rough estimate.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Peak 1, finite.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.
        subspace : SignalSubspace, optional
            What :meth:`identify_roughly` found.

        Returns
        -------
        tensor of shape (N, B, rows, cols), or None
            Peak 1; None where the model has no preview.
        """
        return None

    @abstractmethod
    def begin(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> Context:
        """The context before the first stage.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Peak 1, finite.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.
        subspace : SignalSubspace, optional
            Of the whole cube, when this is a tile.

        Returns
        -------
        Context
            Its stage is 0.
        """

    @abstractmethod
    def prepare(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> BasicEstimate | Context:
        """What is found of cubes for training; nothing learned enters into it.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Peak 1, finite.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.
        subspace : SignalSubspace, optional
            Of the whole cube, when this is a part.

        Returns
        -------
        BasicEstimate or Context
            For :meth:`condition`.
        """

    @abstractmethod
    def condition(self, found: BasicEstimate | Context) -> Context:
        """The context of the last stage, of what :meth:`prepare` found.

        Parameters
        ----------
        found : BasicEstimate or Context
            Of :meth:`prepare`.

        Returns
        -------
        Context
            Of the last stage.
        """

    def context(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> Context:
        """The context of the last stage.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Peak 1, finite.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.
        subspace : SignalSubspace, optional
            Of the whole cube, when this is a tile.

        Returns
        -------
        Context
            As :meth:`condition`.
        """
        return self.condition(self.prepare(cube, mask, subspace))

    def stages(self, c: Context) -> int:
        """How many equilibria follow each other.

        Parameters
        ----------
        c : Context
            Of any stage.

        Returns
        -------
        int
            1 or more.
        """
        return 1

    def renewed(self, c: Context, z: Code) -> Context:
        """The context of the next stage, from the estimate z.

        Parameters
        ----------
        c : Context
            Of a stage that ended.
        z : tuple of tensors
            Its solution.

        Returns
        -------
        Context
            Of the next stage.
        """
        return dataclasses.replace(c, stage=c.stage + 1)

    @abstractmethod
    def f(self, z: Code, c: Context) -> Code:
        """One evaluation of the fixed-point map.

        Parameters
        ----------
        z : tuple of tensors
            A code.
        c : Context
            Of the stage.

        Returns
        -------
        tuple of tensors
            A code of the same shapes.
        """

    @abstractmethod
    def start(self, c: Context) -> Code:
        """A first estimate. Already a fair preview.

        Parameters
        ----------
        c : Context
            Of the stage.

        Returns
        -------
        tuple of tensors
            A code.
        """

    @abstractmethod
    def at_strength(self, c: Context, strength: float) -> Context:
        """The same cube denoised ``strength`` times as strongly as trained, whatever the strength of ``c``.

        Parameters
        ----------
        c : Context
            Of any strength.
        strength : float
            Positive; 1 as trained.

        Returns
        -------
        Context
            Of this strength.
        """

    def carried(self, z: Code, before: float, now: float) -> Code:
        """A solution found at one strength, as a start for another.

        Parameters
        ----------
        z : tuple of tensors
            The solution.
        before, now : float
            Its strength, and the other one.

        Returns
        -------
        tuple of tensors
            A start.
        """
        return z

    @abstractmethod
    def contraction(self, strength: float = 1.0) -> float | None:
        """A proved bound on how much f stretches any difference of two codes.

        Parameters
        ----------
        strength : float
            1 as trained.

        Returns
        -------
        float or None
            Below 1; None if nothing is proved.
        """

    def bound(self, c: Context) -> float | None:
        """What :meth:`contraction` says of a stage, where the proof holds for it as it is computed.

        Parameters
        ----------
        c : Context
            Of the stage.

        Returns
        -------
        float or None
            None if nothing is proved of this stage.
        """
        return self.contraction(c.strength)

    @abstractmethod
    def output(self, z: Code, c: Context) -> Tensor:
        """The clean cube of a code.

        Parameters
        ----------
        z : tuple of tensors
            A code.
        c : Context
            Of its stage.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
            Peak 1; NaN for what stays as it came, where only a part of the noise is removed.
        """

    def rare(self, c: Context) -> tuple[Tensor, Tensor] | None:
        """What the last :meth:`output` of a context kept though no subspace and no groups hold it.

        Parameters
        ----------
        c : Context
            Of the last stage.

        Returns
        -------
        tuple of (bool tensor (rows, cols), tensor (B, pixel)), or None
            Which pixels hold such signal, and how much in every band, in noise levels; None where there is none.
        """
        return None

    def change(self, before: Code, now: Code, c: Context) -> float:
        """By how much the cube of one code differs from that of another: root mean square.

        Parameters
        ----------
        before, now : tuple of tensors
            Codes of one stage.
        c : Context
            Of the stage.

        Returns
        -------
        float
            As a share of the peak; NaN where that takes too long to be told at every evaluation.
        """
        return math.nan

    def bytes_per_pixel(self, bands: int) -> int:
        """Bytes for each pixel of a tile at the peak of its solve.

        Parameters
        ----------
        bands : int
            Of the cube.

        Returns
        -------
        int
            Bytes.
        """
        return 4 * 16 * bands
