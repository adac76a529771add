"""Settings of the DECSC denoiser. No torch here: forms and ``--help`` read this."""

from dataclasses import dataclass

from napari_decsc.settings import check, described


@dataclass(frozen=True)
class DecscSettings:
    """How the equilibrium is sought."""

    weights: str = described("subspace", "Name of shipped weights, or path of a .safetensors file")
    device: str = described("auto", "Device that computes: auto, cpu, cuda, cuda:1")
    strength: float = described(1.0, "How much the prior counts against the data; 0 keeps everything", unit="of usual",
                                minimum=0, maximum=2)  # fmt: skip
    only: str = described("", "Remove only this, and touch nothing else; empty: all noise",
                          choices=("", "stripes", "outliers"))  # fmt: skip
    bad_bands: str = described("keep", "Bands that hold nothing (constant, junk, bad by the header): keep leaves them "
                               "out and gives them back as they came, fill puts in what the bands beside them say, "
                               "denoise treats them like all others",
                               choices=("keep", "fill", "denoise"))  # fmt: skip
    solver: str = described("anderson", "Fixed-point solver", choices=("anderson", "picard"))
    tolerance: float = described(1e-3, "Stop at this relative residual", minimum=0, maximum=1)
    max_iterations: int = described(60, "Stop after this many evaluations of the map", minimum=1, maximum=1000)
    tile: int = described(0, "Side of a tile, 0: whole cube if the memory allows it", unit="pixels", minimum=0)
    memory: str = described("", "Memory to stay within, such as 2GB; empty: half of what is free")
    scheduler: str = described("", "Address of a dask scheduler whose workers solve the tiles; empty: this computer")

    def __post_init__(self) -> None:
        check(self)
