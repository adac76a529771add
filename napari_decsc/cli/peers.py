"""Denoisers of others for ``benchmark``: BM3D and BM4D of the Tampere group, where a user has installed them.

They are never a dependency, for their licence allows non-commercial use alone, and neither the window nor ``denoise``
offers them. A package is imported when its method is asked for by name, not before.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_decsc.classical.baseline import Baseline, Step
from napari_decsc.denoising.protocol import Denoiser
from napari_decsc.errors import DenoisingError, SettingsError
from napari_decsc.filters.arrays import Floats
from napari_decsc.filters.spectral import analyse
from napari_decsc.registry import METHODS, Method, make_denoiser

#: Fewest rows and cols: with 8 of them the compiled part of bm4d 4.2.5 ends the whole process.
LEAST_SIDE = 16

_Filter = Callable[[Floats, float], NDArray[Any]]


@dataclass(frozen=True)
class PeerSettings:
    """Nothing to set: the packages are run as their authors deliver them."""


class Peer(Baseline):
    """A denoiser whose filter is the function of a package, both named as ``method``."""

    def __init__(self, settings: PeerSettings | None = None) -> None:
        super().__init__(settings or PeerSettings())
        self._filter = _imported(self.method)

    def filtered(self, noisy: Floats) -> Floats:
        """What the package makes of an array whose noise has the standard deviation 1."""
        if min(noisy.shape[:2]) < LEAST_SIDE:
            raise DenoisingError(f"{self.method} needs at least {LEAST_SIDE} rows and columns; choose another method")
        try:
            return np.asarray(self._filter(noisy, 1.0), np.float32).reshape(noisy.shape)
        except Exception as error:  # whatever its compiled part finds wrong
            from napari_decsc.hsi.cube import size_in_words

            raise DenoisingError(
                f"the package {self.method} cannot denoise {size_in_words(noisy.shape)}: {error}"
            ) from error


class Bm3d(Peer):
    """BM3D on each eigen-image of the noise-whitened subspace: FastHyDe with the filter that its authors use.

    Makinen, Azzari, Foi, "Collaborative filtering of correlated noise: exact transform-domain variance for improved
    shrinkage and patch matching", IEEE Trans. Image Processing 29, 2020; Zhuang, Bioucas-Dias, IEEE JSTARS 11, 2018.
    """

    method: ClassVar[str] = "bm3d"

    def steps(self, data: Floats, measured: NDArray[np.bool_]) -> Iterator[Step]:
        """Yield one step per eigen-image; the change is that of the eigen-image, in units of its noise."""
        space = analyse(data, measured)
        images = space.images(data)
        for number, noisy in enumerate(images):
            new = self.filtered(noisy)
            change = float(np.linalg.norm(new - noisy))
            images[number] = new
            yield Step(change, float(np.linalg.norm(images)), lambda: space.cube(images))


class Bm4d(Peer):
    """BM4D on the whole cube, each band divided by its noise level before and multiplied after.

    Maggioni, Katkovnik, Egiazarian, Foi, "Nonlocal transform-domain filter for volumetric data denoising and
    reconstruction", IEEE Trans. Image Processing 22(1), 2013.
    """

    method: ClassVar[str] = "bm4d"

    def steps(self, data: Floats, measured: NDArray[np.bool_]) -> Iterator[Step]:
        """Yield the one step that the package makes."""
        sigma = analyse(data, measured).sigma
        whitened = np.ascontiguousarray(np.moveaxis(data / sigma[:, :, None], 0, -1))
        estimate = np.moveaxis(self.filtered(whitened), -1, 0) * sigma[:, :, None]
        yield Step(float(np.linalg.norm(estimate - data)), float(np.linalg.norm(estimate)), lambda: estimate)


def _imported(package: str) -> _Filter:
    """The function of a package of the same name. Raises SettingsError, which names the cure, where it is missing."""
    try:
        found: _Filter = getattr(importlib.import_module(package), package)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"the method {package} needs the package {error.name}, which is not installed: pip install {package} "
            "(its licence allows non-commercial use alone)"
        ) from None
    except (ImportError, OSError, AttributeError) as error:
        raise SettingsError(f"the package {package} is installed but cannot be loaded: {error}") from error
    return found


PEERS = {
    "bm3d": Method("bm3d", "BM3D on eigen-images, of the package bm3d", PeerSettings, Bm3d),
    "bm4d": Method("bm4d", "BM4D, of the package bm4d", PeerSettings, Bm4d),
}


def benchmarked() -> dict[str, Method]:
    """All methods that a benchmark may run, by name."""
    return {**METHODS, **PEERS}


def make_benchmarked(name: str, settings: Any) -> Denoiser:
    """As `napari_decsc.registry.make_denoiser`, of these methods too."""
    return PEERS[name].make(settings) if name in PEERS else make_denoiser(name, settings)
