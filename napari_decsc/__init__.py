"""Deep Equilibrium Convolutional Sparse Coding for hyperspectral cubes: in Python, in napari, on the command line.

    import napari_decsc as nd

    clean = nd.denoise(noisy)                # NumPy, dask, xarray or a Cube: returns its kind
    nd.save_cube(nd.denoise(nd.open_cube("scene.hdr")), "clean.hdr")

The functions are those of :mod:`napari_decsc.api`, loaded when they are first used. The rooms of the package, from the
lowest floor up: :mod:`.hsi` knows spectra (NumPy), :mod:`.filters` arrays, :mod:`.denoising` what a denoiser is,
:mod:`.classical` and :mod:`.deq` the methods (PyTorch), :mod:`.registry` lists them; :mod:`.ui` is the plugin,
:mod:`.cli` the command line.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_decsc.api import (
        Command,
        Cube,
        DecscError,
        Iteration,
        add_noise,
        denoise,
        judge,
        methods,
        noise_model,
        open_cube,
        sample_cube,
        save_cube,
        score,
    )

__version__ = "0.2.0"

__all__ = [
    "Command",
    "Cube",
    "DecscError",
    "Iteration",
    "__version__",
    "add_noise",
    "denoise",
    "judge",
    "methods",
    "noise_model",
    "open_cube",
    "sample_cube",
    "save_cube",
    "score",
]


def __getattr__(name: str) -> Any:
    """The functions of the API at their first use: importing the package stays instant."""
    if name in __all__:
        from napari_decsc import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
