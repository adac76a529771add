"""The record of one denoising run, which a person can keep: JSON on disk, provenance on a layer."""

import json
import math
import platform
import sys
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

from napari_decsc.denoising.protocol import Denoiser, Iteration
from napari_decsc.denoising.rare_signal import RareSignal, described
from napari_decsc.hsi.noise.measured import MeasuredNoise

PACKAGES = ("napari-decsc", "napari", "numpy", "scipy", "scikit-image", "spectral", "torch")


class Recorder:
    """Listens to a run and writes its report.

    Call it with every iteration (it fits the ``listen`` of :func:`napari_decsc.denoising.protocol.run`), then take
    :meth:`report`.

    Parameters
    ----------
    denoiser : Denoiser
        The one that runs.
    """

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser = denoiser
        self.seconds = 0.0
        self.tiles: list[list[float]] = []
        self.messages: list[str] = []
        self.noise: MeasuredNoise | None = None
        self.rare: list[RareSignal] = []
        self.bounds: list[float] = []

    def __call__(self, iteration: Iteration) -> None:
        """Take note of one iteration."""
        self.seconds = iteration.elapsed
        self.noise = self.noise if iteration.noise is None else iteration.noise
        if iteration.rare is not None:
            self.rare.append(iteration.rare)
        if iteration.message:
            self.messages.append(iteration.message)
            return
        while len(self.tiles) < iteration.tile:
            self.tiles.append([])
        if iteration.number > 0 and math.isfinite(iteration.relative_residual):
            self.bounds.append(iteration.bound)
            self.tiles[iteration.tile - 1].append(iteration.relative_residual)

    def report(self, **more: Any) -> dict[str, Any]:
        """The record of the run so far.

        Parameters
        ----------
        **more : object
            Joins the record under its name.

        Returns
        -------
        dict of str to object
            Keys: method, settings, weights, device, seconds, peak_memory_bytes, versions, tiles; "noise" if it was
            measured, "rare" if such signal was kept, "messages" if there were any, "contraction", None if it is not
            proved of every stage, or none was solved.
        """
        about = self.denoiser.describe()
        if "contraction" in about and not (self.bounds and all(map(math.isfinite, self.bounds))):
            about = {**about, "contraction": None}
        return {
            **about,
            "seconds": round(self.seconds, 3),
            "peak_memory_bytes": peak_memory_bytes(),
            "versions": versions(),
            "tiles": [{"relative_residual": history} for history in self.tiles],
            **({} if self.noise is None else {"noise": self.noise.describe()}),
            **({"rare": described(self.rare)} if self.rare else {}),
            **({"messages": self.messages} if self.messages else {}),
            **more,
        }


def peak_memory_bytes() -> int | None:
    """Largest resident memory of this process so far, or None where the system does not tell (Windows).

    Returns
    -------
    int or None
        Bytes.
    """
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def versions() -> dict[str, str]:
    """Versions of Python and of what the result depends on, as far as they are installed.

    Returns
    -------
    dict of str to str
        Name of the package to its version.
    """
    return dict(_versions(PACKAGES))


@cache
def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def as_json(report: dict[str, Any] | list[dict[str, Any]]) -> str:
    """The report as JSON that every reader accepts: no NaN, no Infinity (they become null).

    Parameters
    ----------
    report : dict or list of dict
        Of a run, or of many.

    Returns
    -------
    str
        Indented, keys in their order.
    """
    return json.dumps(as_plain(report), indent=2, allow_nan=False)


def as_plain(value: Any) -> Any:
    """The same in words that JSON knows: None for NaN and Infinity, lists for tuples, texts as keys.

    Parameters
    ----------
    value : object
        Of NumPy's kinds too.

    Returns
    -------
    object
        Made of dict, list, str, int, float, bool and None.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return value
