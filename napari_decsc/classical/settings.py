"""Settings of the classical denoisers. Nothing heavy here: forms and ``--help`` read this."""

from dataclasses import dataclass

from napari_decsc.settings import check, described


@dataclass(frozen=True)
class FastHydeSettings:
    """How the eigen-images are found and denoised."""

    rank: int = described(0, "Number of eigen-images; 0: as many as rise above the noise", minimum=0)
    search: int = described(
        16, "How far, in rows and columns, similar patches are sought", unit="pixels", minimum=2, maximum=64
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class E3dtvSettings:
    """How strongly the gradients are held together, and when to stop."""

    rank: int = described(13, "Rank of the gradients along the bands", minimum=1)
    strength: float = described(0.55, "Weight of the gradients against sparse noise", minimum=0, maximum=10)
    tolerance: float = described(1e-4, "Stop at this relative change of the cube", minimum=0, maximum=1)
    max_iterations: int = described(60, "Stop after this many iterations", minimum=1, maximum=1000)

    def __post_init__(self) -> None:
        check(self)
