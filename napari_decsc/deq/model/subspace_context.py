"""What f of the subspace model knows of a stage."""

from dataclasses import dataclass, field, replace

from torch import Tensor

from napari_decsc.deq.estimation.noise_model import Whitener
from napari_decsc.deq.estimation.rare import Rare
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.model.base import Context
from napari_decsc.deq.model.structured import Structures
from napari_decsc.filters.frozen import FrozenFilter
from napari_decsc.filters.spectra import mix_bands

#: Share of the variance of lines within the subspace that a stage leaves unknown.
UNKNOWN = 0.25


@dataclass(frozen=True, eq=False, kw_only=True)
class SubspaceContext(Context):
    """What f knows of a stage.

    Parameters
    ----------
    subspace : SignalSubspace
        Basis, mean, energies.
    components : int tensor of shape (k,)
        Which of the r components count.
    images : tensor of shape (1, k, rows, cols)
        Noisy eigen-images, gaps filled.
    pilot : tensor of shape (1, k, rows, cols)
        The estimate that this stage began with.
    mask : bool tensor, shape (1, B, rows, cols)
        Voxels that were measured.
    whitener : Whitener, optional
        That of this place; None where noise is white, of one level per band.
    structures : Structures, optional
        Lines and fringes, if any.
    coarse : tensor, optional
        The estimate at half the size.
    filter : FrozenFilter, optional
        W.
    rare : Rare, optional
        The support of H.
    exact : bool
        Whether the data step does not depend on S.
    cache : dict
        What is found once per stage, when it is first asked for.
    """

    subspace: SignalSubspace
    components: Tensor
    images: Tensor
    pilot: Tensor
    mask: Tensor
    whitener: Whitener | None = None
    structures: Structures | None = None
    coarse: Tensor | None = None
    filter: FrozenFilter | None = None
    rare: Rare | None = None
    exact: bool = False
    cache: dict[str, Tensor] = field(default_factory=dict)

    def lean(self) -> "SubspaceContext":
        """See `Context.lean`: without gains, which take more than all else."""
        return replace(self, filter=None if self.filter is None else self.filter.lean(), cache={})

    @property
    def basis(self) -> Tensor:
        """The components that count, (1, B, k)."""
        return self.subspace.basis[:, :, self.components]

    def centred(self) -> Tensor:
        """The cube without its mean spectrum.

        Returns
        -------
        tensor of shape (1, B, rows, cols)
            Whitened.
        """
        return self.target - self.subspace.mean

    def explained(self, residual: Tensor) -> Tensor:
        """What lines and fringes explain, of pixels in which something was measured: borders without data tell nothing.

        Parameters
        ----------
        residual : tensor of shape (1, B, rows, cols)
            What S leaves over, whitened.

        Returns
        -------
        tensor of shape (1, B, rows, cols)
            Whitened.
        """
        assert self.structures is not None
        assert self.filter is not None
        if "line weight" not in self.cache:
            self.cache["line weight"] = self.filter.weight * self.mask[0].any(0)
        return self.structures.explained(residual, self.cache["line weight"])

    def cube(self, S: Tensor) -> Tensor:
        """The cube of a shared code.

        Parameters
        ----------
        S : tensor of shape (1, k, rows, cols)
            Of the components that count.

        Returns
        -------
        tensor of shape (1, B, rows, cols)
            Whitened.
        """
        return mix_bands(self.basis, S) + self.subspace.mean

    def noise_spectrum(self) -> Tensor | None:
        """Noise variance of the cosine coefficients: that of the model, and what is still unknown of lines.

        Returns
        -------
        tensor of shape (64,), or None
            None where it is 1.
        """
        if self.whitener is None:
            return None
        spectrum = self.whitener.model.spectrum
        if self.structures is None or not self.structures.lines:
            return spectrum
        unknown = self.structures.spectrum(self.basis[0], UNKNOWN ** max(0, self.stage - 1))
        return unknown + (1 if spectrum is None else spectrum)
