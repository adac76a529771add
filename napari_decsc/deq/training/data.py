"""Training cubes: whole scenes in memory, on the device, and random crops of them.

Read from a folder and its sub-folders (:mod:`.folders`): ``.tif`` stacks of uint8, square-root companded (reflectance =
(v / 255)^2); ``.npz`` with a key ``cube`` of raw counts; ENVI pairs. Folders that hold no clean or no training cubes
(``val``, ``test``, ``envi``, ``real_noise``) are left out.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.training.folders import listing
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.cube import Cube, counted
from napari_decsc.hsi.scaling import peak

Log = Callable[[str], None]

#: Crops whose spectra a new model is told of.
ACQUAINTED = 200
#: Pixels darker than this share of the peak count less there.
DARK = 0.05


@dataclass(frozen=True, eq=False)
class Scene:
    """A clean scene.

    Parameters
    ----------
    name : str
        Of the file.
    data : tensor of shape (band, row, col)
        Peak about 1.
    """

    name: str
    data: Tensor


def read_scene(path: Path) -> Scene:
    """One scene from a file.

    Parameters
    ----------
    path : Path
        A .tif, .npz, or the header of an ENVI pair.

    Returns
    -------
    Scene
        float32, peak 1; 0 where nothing was measured.

    Raises
    ------
    ValueError
        For a .tif that is no stack of uint8: its numbers would be taken for others.
    """
    if path.suffix == ".tif":
        import tifffile

        raw = tifffile.imread(path)
        if raw.ndim != 3 or raw.dtype != np.uint8:
            sizes = " x ".join(map(str, raw.shape))
            raise ValueError(f"it holds {sizes} numbers of type {raw.dtype}; a .tif must be a stack of uint8 bands")
        data = np.square(raw.astype(np.float32) / 255)
    elif path.suffix == ".npz":
        raw = np.load(path, allow_pickle=False)["cube"].astype(np.float32)
        data = raw / peak(Cube(raw, path.stem))
    else:
        from napari_decsc.hsi.io.files import open_cube

        cube = open_cube(path)
        data = cube.physical() / peak(cube)
    return Scene(path.stem, torch.from_numpy(np.clip(np.nan_to_num(data), 0, 1)))


def scene_files(folder: Path, log: Log = lambda line: None) -> list[Path]:
    """The scenes to train on, in a fixed order.

    Parameters
    ----------
    folder : Path
        With its sub-folders.
    log : callable
        Is told what is passed over.

    Returns
    -------
    list of Path

    Raises
    ------
    DenoisingError
        When there are none.
    """
    found = listing(folder)
    for line in found.passed_over:
        log(line)
    if not found.scenes:
        raise DenoisingError(f"{folder}: no training cubes (.tif, .npz or .hdr) in this folder; name one with --data")
    return list(found.scenes)


def scenes_of(folder: Path, log: Log = lambda line: None) -> list[Scene]:
    """The scenes to train on.

    Parameters
    ----------
    folder : Path
        With its sub-folders.
    log : callable
        Is told which files are passed over, and why.

    Returns
    -------
    list of Scene
        In a fixed order.

    Raises
    ------
    DenoisingError
        When no file is a scene.
    """
    scenes = list(_readable(scene_files(folder, log), log))
    if not scenes:
        raise DenoisingError(f"{folder}: none of its files is a training cube; name another folder with --data")
    return scenes


def _readable(paths: Iterable[Path], log: Log) -> Iterator[Scene]:
    """The scenes of those files that hold one; of the others is told why they do not."""
    for path in paths:
        try:
            yield read_scene(path)
        except KeyError:
            log(f"{path}: passed over, it has no array called 'cube'")
        except Exception as error:
            # damaged files fail in any way there is, and none of them must end a run
            log(f"{path}: passed over, it cannot be read: {error}")


#: Band counts that are drawn where none is set; those of a scene are the most.
BAND_COUNTS = (1, 3, 8, 16, 31, 31, 31, 64, 100, 200)

#: Names of scenes that the record of a training lists, at most.
MOST_NAMES = 100


class Crops:
    """Random clean crops of scenes: two scales, flips, turns, spectral windows, brightness.

    Parameters
    ----------
    scenes : list of Scene
        On any device.
    bands : int
        Of a crop.
    size : int
        Its rows and cols at most.
    device : torch device
        Where they lie.
    multiple : int
        Rows and cols of a crop are multiples of this, as the model wants them.
    in_order : bool
        Whether a scene of just so many bands keeps their order, for a model of one sensor; others are turned round
        half of the time.
    log : callable
        Is told which scenes are too small.
    """

    def __init__(
        self,
        scenes: list[Scene],
        bands: int,
        size: int,
        device: torch.device,
        *,
        multiple: int = 4,
        in_order: bool = False,
        log: Log = lambda line: None,
    ) -> None:
        self.bands, self.size, self.device, self.multiple, self.in_order = bands, size, device, multiple, in_order
        least = max(32, multiple)
        if size < least:
            raise DenoisingError(f"crop is {size}; this model takes crops of {least} pixels or more")
        usable = [scene for scene in scenes if scene.data.shape[0] >= bands and min(scene.data.shape[1:]) >= least]
        for scene in scenes:
            if scene not in usable:
                log(f"{scene.name}: passed over, {bands or 1} bands and {least} rows and cols are needed; "
                    f"it has {' x '.join(map(str, scene.data.shape))}")  # fmt: skip
        if not usable:
            raise DenoisingError(f"no training cube has {bands} bands and {least} rows and cols; choose fewer")
        self.scenes = [Scene(scene.name, scene.data.to(device)) for scene in usable]
        # small remote-sensing crops would be seen as often as scenes 25 times as large: weigh by the root of the pixels
        weights = np.array([np.sqrt(np.prod(scene.data.shape[1:])) for scene in usable])
        self.weights = weights / weights.sum()

    @property
    def about(self) -> str:
        """What the crops are of, for the record of what is trained on them: "2 scenes: a, b"."""
        names = [scene.name for scene in self.scenes]
        more = ["..."] if len(names) > MOST_NAMES else []
        return f"{counted(len(names), 'scene')}: {', '.join(names[:MOST_NAMES] + more)}"

    def spectra(self, seed: int) -> Tensor:
        """Principal spectra of some crops, bright and dark pixels alike.

        Parameters
        ----------
        seed : int
            Of the draw.

        Returns
        -------
        tensor of shape (B, B)
            Orthonormal rows, the strongest first.
        """
        rng = np.random.default_rng([seed, 2])
        moment = torch.zeros(self.bands, self.bands, dtype=torch.float64, device=self.device)
        for _ in range(ACQUAINTED):
            pixels = self.draw(rng)[:, ::4, ::4].flatten(1).double()
            pixels = pixels / (pixels.norm(dim=0) + DARK * len(pixels) ** 0.5)
            moment += pixels @ pixels.T / pixels.shape[1]
        strongest_first: Tensor = torch.linalg.eigh(moment).eigenvectors.mT.flip(0).float()
        return strongest_first

    def draw(self, rng: np.random.Generator) -> Tensor:
        """One crop, of ``size`` rows and cols or what the scene has, in multiples of ``multiple``.

        Parameters
        ----------
        rng : numpy Generator
            Chooses.

        Returns
        -------
        tensor of shape (band, row, col)
        """
        scene = self.scenes[rng.choice(len(self.scenes), p=self.weights)].data
        scene = scene[self._band_window(scene.shape[0], rng)]
        zoom = 2 if rng.random() < 0.4 and min(scene.shape[1:]) >= 2 * self.size else 1
        unit = zoom * self.multiple
        sides = [min(zoom * self.size, extent) // unit * unit for extent in scene.shape[1:]]
        row, col = (int(rng.integers(0, n - side + 1)) for n, side in zip(scene.shape[1:], sides, strict=True))
        crop = scene[:, row : row + sides[0], col : col + sides[1]].float()
        if zoom > 1:
            crop = F.avg_pool2d(crop, zoom)
        crop = torch.rot90(crop, int(rng.integers(4)), (1, 2))
        if rng.random() < 0.5:
            crop = crop.flip(2)
        return (crop * float(rng.uniform(0.6, 1.0))).contiguous()

    def _band_window(self, available: int, rng: np.random.Generator) -> Tensor:
        bands = self.bands or min(int(rng.choice(BAND_COUNTS)), available)
        stride = int(rng.integers(1, max(1, (available - 1) // max(1, bands - 1)) + 1))
        first = int(rng.integers(0, available - stride * (bands - 1)))
        window = torch.arange(first, first + stride * (bands - 1) + 1, stride, device=self.device)
        turned = rng.random() < 0.5 and not (self.in_order and bands == available)
        return window.flip(0) if turned else window


def validation_scenes(
    folder: Path, size: int = 128, bands: int | None = None, log: Log = lambda line: None
) -> Iterator[Scene]:
    """Central crops of the scenes in ``val`` folders.

    Parameters
    ----------
    folder : Path
        With its sub-folders.
    size : int
        Rows and cols, or what there is.
    bands : int, optional
        Scenes with another number of bands are left out.
    log : callable
        Is told which files cannot be read, and why.

    Yields
    ------
    Scene
    """
    for scene in _readable(listing(folder).validation, log):
        if bands is not None and scene.data.shape[0] != bands:
            continue
        rows, cols = scene.data.shape[1:]
        top, left = max(0, (rows - size) // 2), max(0, (cols - size) // 2)
        yield Scene(scene.name, scene.data[:, top : top + size, left : left + size].clone())
