"""What the classical denoisers share: scaling, filling of not-measured voxels, the clock, events, restoring."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_decsc.denoising.protocol import Command, Denoising, Iteration, Preview
from napari_decsc.denoising.teller import Teller
from napari_decsc.filters.arrays import Floats
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.scaling import peak
from napari_decsc.settings import as_dict


@dataclass(frozen=True)
class Step:
    """One step of a method.

    Parameters
    ----------
    change : float
        Norm of what it changed.
    size : float
        Norm of the estimate it led to.
    estimate : callable
        Makes that estimate, shape (band, row, col), peak 1; it is asked before the method goes on, or after its last
        step.
    """

    change: float
    size: float
    estimate: Callable[[], Floats]


@dataclass(frozen=True, eq=False)
class Scaled:
    """A cube made ready for a method.

    Parameters
    ----------
    data : float array, shape (band, row, col)
        Peak 1, every voxel finite.
    measured : bool array, shape (band, row, col)
        False where a voxel was filled.
    raw_per_peak : float
        What 1 stands for, raw.
    """

    data: Floats
    measured: NDArray[np.bool_]
    raw_per_peak: float

    @classmethod
    def of(cls, cube: Cube) -> "Scaled":
        """The whole cube in units of its peak; voxels that were not measured get the median of their band.

        Parameters
        ----------
        cube : Cube
            Is read as a whole.

        Returns
        -------
        Scaled
        """
        top = peak(cube)
        data = cube.physical() / np.float32(top)
        measured = np.isfinite(data)
        for band, here in zip(data, measured, strict=True):
            if not here.all():
                band[~here] = np.median(band[here]) if here.any() else 0
        return cls(data, measured, top * cube.scale)

    def raw(self, estimate: Floats) -> Floats:
        """An estimate in raw units.

        Parameters
        ----------
        estimate : float array, shape (band, row, col)
            Peak 1.

        Returns
        -------
        float32 array, shape (band, row, col)
        """
        return np.asarray(estimate * np.float32(self.raw_per_peak), dtype=np.float32)

    def restored(self, estimate: Floats, cube: Cube) -> Floats:
        """An estimate in raw units, with the raw values of the cube where nothing was measured.

        Parameters
        ----------
        estimate : float array, shape (band, row, col)
            Peak 1.
        cube : Cube
            The one this was made of.

        Returns
        -------
        float32 array, shape (band, row, col)
        """
        raw = self.raw(estimate)
        if not self.measured.all():
            np.copyto(raw, np.asarray(cube.data, dtype=np.float32), where=~self.measured)
        return raw


class Baseline(ABC):
    """A denoiser that needs no training. A method says how it goes on: :meth:`steps`.

    Parameters
    ----------
    settings : object
        Of the method's class of settings.
    """

    name: str
    method: ClassVar[str]

    def __init__(self, settings: Any) -> None:
        self.name = self.method
        self.settings = settings

    @abstractmethod
    def steps(self, data: Floats, measured: NDArray[np.bool_]) -> Iterator[Step]:
        """Yield one `Step` after another, at least one.

        Parameters
        ----------
        data : float array, shape (band, row, col)
            Noisy, peak 1, every voxel finite.
        measured : bool array, shape (band, row, col)
            False where a voxel was filled.

        Yields
        ------
        Step
            The last one's estimate is the result.
        """

    def describe(self) -> dict[str, Any]:
        """Method and settings; no weights, on the CPU.

        Returns
        -------
        dict of str to object
            Ready for JSON.
        """
        return {"method": self.name, "settings": as_dict(self.settings), "weights": None, "device": "cpu"}

    def denoise(self, noisy: Cube) -> Denoising:
        """One iteration per step.

        Parameters
        ----------
        noisy : Cube
            Is read as a whole.

        Yields
        ------
        Iteration
            One for each step.

        Returns
        -------
        Cube
            Denoised, float32, in raw units, with the metadata of the noisy one.
        """
        teller, scaled = Teller(), Scaled.of(noisy)
        estimate = yield from self._watched(scaled, teller)
        return noisy.replace(data=scaled.restored(estimate, noisy), name=f"{noisy.name} {self.name}")

    def _watched(self, scaled: Scaled, teller: Teller) -> Generator[Iteration, Command | None, Floats]:
        for number, step in enumerate(self.steps(scaled.data, scaled.measured), 1):
            relative = step.change / step.size if step.size > 0 else 0.0
            preview = _preview(step, scaled, teller)
            if (yield from teller.tell(Iteration(number, step.change, relative, 0.0, preview=preview))):
                break
        return step.estimate()


def _preview(step: Step, scaled: Scaled, teller: Teller) -> Preview | None:
    """A preview of the whole estimate, or None while the last one is fresh."""
    if not teller.picture_is_due:
        return None
    with teller.making_picture():
        data = scaled.raw(step.estimate())
    return Preview(data, slice(0, data.shape[1]), slice(0, data.shape[2]))
