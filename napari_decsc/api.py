"""What a script or a notebook needs, in one place: ``import napari_decsc as nd``, then ``nd.denoise(array)``.

Every function takes a `Cube`, a NumPy array, a dask array or an xarray DataArray, and returns the same kind. Arrays
have the axes (band, row, col) unless ``band_axis`` says otherwise; of a DataArray the wavelengths are taken from a
coordinate along its bands. Nothing heavy is loaded before it is used.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_decsc.denoising.protocol import Command, Denoiser, Iteration
from napari_decsc.errors import DecscError, SettingsError
from napari_decsc.hsi.arrays import to_cube
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.registry import METHODS, Method, make_denoiser
from napari_decsc.settings import from_dict

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from napari_decsc.denoising.verdict import Verdict
    from napari_decsc.hsi.metrics import Scores
    from napari_decsc.hsi.noise.measured import MeasuredNoise
    from napari_decsc.hsi.noise.models import NoiseModel

#: A result of more bytes is left to the denoiser, which may hold it on the disk.
HELD = 1 << 28
#: Is told of every iteration, and may ask for something.
Listener = Callable[[Iteration], Command | None]

__all__ = [
    "Command",
    "Cube",
    "DecscError",
    "Iteration",
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


def denoise(
    array: Any,
    method: "str | Denoiser" = "decsc",
    on_iteration: Listener | None = None,
    *,
    band_axis: int | str | None = None,
    progress: bool = True,
    **settings: Any,
) -> Any:
    """The denoised array, float32, of the kind that came in.

    Parameters
    ----------
    array : Cube, NumPy array, dask array or xarray DataArray
        Noisy values in any unit, axes (band, row, col). NaN, masked voxels and the no-data value count as not measured,
        and come back as they came. A dask array may be larger than the memory: it is read in tiles, and its result
        lies on the disk then.
    method : str or Denoiser
        A name of `methods`, or a denoiser of your own.
    on_iteration : callable, optional
        Is told every `Iteration` (its residual, time, tile, now and then a preview), and may return ``Command.STOP``
        to take the best estimate so far.
    band_axis : int or str, optional
        The axis that counts the bands, such as -1, or a DataArray's dimension. By default the first, or the dimension
        that is named after bands or wavelengths.
    progress : bool
        Whether to draw a progress bar, on a terminal or in a notebook.
    **settings
        Settings of the method, such as ``strength=0.8``; ``methods()["decsc"].options`` explains them.

    Returns
    -------
    Cube or array
        The same kind, shape, order of axes, coordinates and attributes as ``array``. A cube's header tells how it was
        made, and so does the file it is saved to.

    Raises
    ------
    DecscError
        In one sentence what is wrong and what to do: an array that is no cube, an unknown method or setting, memory
        that does not suffice.

    Examples
    --------
    >>> import napari_decsc as nd
    >>> noisy = nd.add_noise(nd.sample_cube(rows=24, cols=24), "gaussian", sigma=30)
    >>> clean = nd.denoise(noisy, "fasthyde", progress=False)
    >>> clean.shape
    (31, 24, 24)
    """
    from napari_decsc.denoising.report import Recorder

    denoiser = _denoiser(method, settings)
    cube, back = to_cube(array, band_axis)
    recorder = Recorder(denoiser)
    listeners: list[Listener] = [recorder] if on_iteration is None else [recorder, on_iteration]
    clean = _driven(denoiser, cube, listeners, progress, pictures=on_iteration is not None)
    return back(_told(clean, cube, {"denoising": recorder.report()}))


def _denoiser(method: "str | Denoiser", settings: Mapping[str, Any]) -> Denoiser:
    if isinstance(method, str):
        return make_denoiser(method, from_dict(METHODS[method].settings, settings) if method in METHODS else None)
    if settings:
        raise SettingsError(f"{', '.join(settings)}: a denoiser of your own has its settings already")
    if not isinstance(method, Denoiser):
        raise SettingsError(f"method is {method!r}; give one of {', '.join(METHODS)}, or an object with denoise()")
    return method


def _driven(denoiser: Denoiser, cube: Cube, listeners: Sequence[Listener], progress: bool, *, pictures: bool) -> Cube:
    """The denoised cube; every listener is told every iteration, the last one's word counts.

    Where nobody looks at ``pictures`` on the way, none is made, if the denoiser can do without and the result is small.
    """
    from napari_decsc.denoising.progress import Bar
    from napari_decsc.denoising.protocol import StreamingDenoiser, run
    from napari_decsc.denoising.sinks import ArraySink

    with Bar(denoiser.name) as bar:
        told: list[Listener] = [bar, *listeners] if progress else list(listeners)

        def listen(iteration: Iteration) -> Command | None:
            return [each(iteration) for each in told][-1]

        if pictures or not isinstance(denoiser, StreamingDenoiser) or 4 * math.prod(cube.shape) > HELD:
            return run(denoiser.denoise(cube), listen)
        sink = ArraySink(cube.shape)
        run(denoiser.denoise_into(cube, sink), listen)
        return cube.replace(data=sink.data, name=f"{cube.name} denoised")


def _told(made: Cube, source: Cube, made_by: Mapping[str, Any]) -> Cube:
    """The cube with a record of how it was made, which goes into its file."""
    from napari_decsc.denoising import provenance

    before = provenance.carried_on(provenance.read(source.header))
    record = provenance.fields({**before, **made_by}, source.header)
    return made.replace(header={**made.header, **record})


def save_cube(
    array: Any,
    path: str | Path,
    *,
    band_axis: int | str | None = None,
    overwrite: bool = False,
    dtype: "DTypeLike | None" = None,
    cloud_optimized: bool = False,
) -> Path:
    """Write a cube or an array to a file, whole or not at all; returns the file to open again.

    Parameters
    ----------
    array : Cube, NumPy array, dask array or xarray DataArray
        A DataArray's wavelengths go into the file.
    path : str or Path
        Its extension chooses the format: .tif (GeoTIFF), .nc (NetCDF), .zarr, .npz and .npy, everything else ENVI.
    band_axis : int or str, optional
        See `denoise`.
    overwrite : bool
        Whether to replace a file that exists.
    dtype : NumPy type, optional
        Type of the numbers in the file; "source" is that of the file the cube was opened from. Values are rounded and
        cut to the range of a whole-number type.
    cloud_optimized : bool
        Whether a GeoTIFF is made of tiles and overviews; needs rasterio (the extra ``geo``).

    Returns
    -------
    Path
        The file to open again: the header of an ENVI pair, else the file itself.

    Raises
    ------
    FileFormatError
        If the file exists, or cannot be written.
    """
    from napari_decsc.hsi.io import files

    cube, _ = to_cube(array, band_axis)
    return files.save_cube(cube, path, overwrite=overwrite, dtype=dtype, cloud_optimized=cloud_optimized)


def add_noise(
    array: Any,
    model: "str | NoiseModel" = "mixture",
    seed: int = 0,
    *,
    band_axis: int | str | None = None,
    **settings: Any,
) -> Any:
    """A noisy copy, float32, of the kind that came in; the same seed gives the same noise.

    Parameters
    ----------
    array : Cube, NumPy array, dask array or xarray DataArray
        Clean values, axes (band, row, col). Noise levels refer to their peak.
    model : str or NoiseModel
        A name of `napari_decsc.hsi.noise.models.NOISE_MODELS` ("gaussian", "non-iid", "mixture", ...), or a model.
    seed : int
        0 or more.
    band_axis : int or str, optional
        See `denoise`.
    **settings
        Settings of the model, such as ``sigma=30`` (on the scale where the peak is 255).

    Returns
    -------
    Cube or array
        Of the kind, shape and order of axes of ``array``.

    Raises
    ------
    SettingsError
        For an unknown model or setting, a value outside its range, a negative seed.

    Examples
    --------
    >>> import numpy as np, napari_decsc as nd
    >>> noisy = nd.add_noise(np.full((3, 64, 64), 0.5), "gaussian", sigma=25.5)
    >>> bool(abs(noisy.std() - 0.1) < 0.01)
    True
    """
    from napari_decsc.hsi.noise import models

    chosen = models.make_noise(model, **settings) if isinstance(model, str) else model
    if settings and chosen is model:
        raise SettingsError(f"{', '.join(settings)}: a noise model of your own has its settings already")
    from napari_decsc.hsi.noise.bands import record

    cube, back = to_cube(array, band_axis)
    return back(_told(models.add_noise(cube, chosen, seed), cube, {"noise": {**record(chosen), "seed": seed}}))


def score(reference: Any, test: Any, *, band_axis: int | str | None = None) -> "Scores":
    """How near ``test`` is to its reference: MPSNR (dB), MSSIM, SAM (radians), ERGAS, and the first two by band.

    Parameters
    ----------
    reference, test : Cube, NumPy array, dask array or xarray DataArray
        Of one shape, in one unit. The peak is that of the reference.
    band_axis : int or str, optional
        See `denoise`.

    Returns
    -------
    Scores
        See `napari_decsc.hsi.metrics.Scores`.

    Raises
    ------
    CubeError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np, napari_decsc as nd
    >>> clean = np.full((3, 16, 16), 0.5)
    >>> round(nd.score(clean, clean + 0.1).mpsnr, 3)
    20.0
    """
    from napari_decsc.hsi.metrics import score_cubes

    return score_cubes(to_cube(reference, band_axis)[0], to_cube(test, band_axis)[0])


def judge(
    noisy: Any, denoised: Any, noise: "MeasuredNoise | None" = None, *, band_axis: int | str | None = None
) -> "Verdict":
    """What a denoising removed, how white it is, and where structure may have gone. No clean cube is needed.

    Parameters
    ----------
    noisy, denoised : Cube, NumPy array, dask array or xarray DataArray
        Before and after, of one shape, in one unit.
    noise : MeasuredNoise, optional
        What `noise_model` found: what it explains is not held against the denoiser. Without it, noise counts as white.
    band_axis : int or str, optional
        See `denoise`.

    Returns
    -------
    Verdict
        ``sentence`` says it; whiteness is given band by band, ``places`` lists where structure may have gone.

    Raises
    ------
    CubeError
        If the shapes differ.
    """
    from napari_decsc.denoising import verdict

    return verdict.judge(to_cube(noisy, band_axis)[0], to_cube(denoised, band_axis)[0], noise)


def noise_model(array: Any, *, band_axis: int | str | None = None, **settings: Any) -> "MeasuredNoise":
    """What noise a real cube has, as DECSC measures it before it denoises. No clean cube is needed.

    Parameters
    ----------
    array : Cube, NumPy array, dask array or xarray DataArray
        Noisy values, axes (band, row, col).
    band_axis : int or str, optional
        See `denoise`.
    **settings
        Settings of the method "decsc".

    Returns
    -------
    MeasuredNoise
        Level and signal-to-noise ratio of every band, correlation between bands, column offsets, fringes, outliers;
        ``sentences()`` says it in words.

    Raises
    ------
    DecscError
        As `denoise`.
    """
    measure: Callable[[Cube, Any], MeasuredNoise] = import_module("napari_decsc.deq.denoiser").measure_noise
    chosen = from_dict(METHODS["decsc"].settings, settings)
    return measure(to_cube(array, band_axis)[0], chosen)


def sample_cube(rows: int = 256, cols: int = 256, bands: int = 31) -> Cube:
    """The built-in scene: synthetic reflectance from 400 to 700 nm, float32, the same at every call.

    Parameters
    ----------
    rows, cols, bands : int
        Its size.

    Returns
    -------
    Cube
        Axes (band, row, col), wavelengths in nm.

    Raises
    ------
    SettingsError
        If rows, cols or bands is below 1.
    """
    from napari_decsc.hsi import sample

    return sample.sample_cube(rows, cols, bands)


def methods() -> dict[str, Method]:
    """The denoisers by name; ``methods()["decsc"].options`` explains the settings of one.

    Returns
    -------
    dict of str to Method
        Each with ``name``, ``summary``, ``settings`` (its class) and ``options`` (setting to explanation).

    Examples
    --------
    >>> import napari_decsc as nd
    >>> list(nd.methods())
    ['decsc', 'fasthyde', 'e3dtv']
    """
    return dict(METHODS)
