"""What f of the subspace model knows of a stage."""

from dataclasses import dataclass, field

from torch import Tensor

from napari_decsc.deq.estimation.noise_model import Whitener
from napari_decsc.deq.estimation.rare import Rare
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.model.base import Context
from napari_decsc.deq.model.structured import Structures
from napari_decsc.filters.frozen import FrozenFilter


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
