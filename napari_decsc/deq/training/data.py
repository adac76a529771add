"""Training cubes: whole scenes in memory, on the device, and random crops of them.

Read from a folder and its sub-folders: ``.tif`` stacks of uint8, square-root companded (reflectance = (v / 255)^2);
``.npz`` with a key ``cube`` of raw counts; ENVI pairs. Folders that hold no clean or no training cubes (``val``,
``test``, ``envi``, ``real_noise``) are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.scaling import peak

HELD_BACK = {"val", "real_noise", "test", "envi"}


@dataclass(frozen=True, eq=False)
class Scene:
    """A clean scene (band, row, col), peak about 1."""

    name: str
    data: Tensor


def read_scene(path: Path) -> Scene:
    """One scene from a file, as float32 with peak 1."""
    if path.suffix == ".tif":
        import tifffile

        data = np.square(tifffile.imread(path).astype(np.float32) / 255)
    elif path.suffix == ".npz":
        raw = np.load(path, allow_pickle=False)["cube"].astype(np.float32)
        data = raw / peak(Cube(raw, path.stem))
    else:
        from napari_decsc.hsi.io.files import open_cube

        cube = open_cube(path)
        data = np.nan_to_num(cube.physical() / peak(cube))
    return Scene(path.stem, torch.from_numpy(np.clip(data, 0, 1)))


def scene_files(folder: Path) -> list[Path]:
    """The scenes to train on, in a fixed order. Raises DenoisingError when there are none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".tif", ".npz", ".hdr"))
    paths = [path for path in paths if not HELD_BACK & set(path.relative_to(folder).parts)]
    if not paths:
        raise DenoisingError(f"{folder}: no training cubes (.tif, .npz or .hdr) in this folder; name one with --data")
    return paths


#: Band counts that are drawn where none is set; those of a scene are the most.
BAND_COUNTS = (1, 3, 8, 16, 31, 31, 31, 64, 100, 200)


class Crops:
    """Random clean crops (band, row, col) of scenes: two scales, flips, turns, spectral windows, brightness."""

    def __init__(self, scenes: list[Scene], bands: int, size: int, device: torch.device) -> None:
        self.bands, self.size, self.device = bands, size, device
        usable = [scene for scene in scenes if scene.data.shape[0] >= bands and min(scene.data.shape[1:]) >= 32]
        if not usable:
            raise DenoisingError(f"no training cube has {bands} bands and 32 rows and cols; choose fewer")
        self.scenes = [Scene(scene.name, scene.data.to(device)) for scene in usable]
        # small remote-sensing crops would be seen as often as scenes 25 times as large: weigh by the root of the pixels
        weights = np.array([np.sqrt(np.prod(scene.data.shape[1:])) for scene in usable])
        self.weights = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> Tensor:
        """One crop, of ``size`` rows and cols or what the scene has, in multiples of 4."""
        scene = self.scenes[rng.choice(len(self.scenes), p=self.weights)].data
        scene = scene[self._band_window(scene.shape[0], rng)]
        zoom = 2 if rng.random() < 0.4 and min(scene.shape[1:]) >= 2 * self.size else 1
        sides = [min(zoom * self.size, extent // 4 * 4) for extent in scene.shape[1:]]
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
        return window.flip(0) if rng.random() < 0.5 else window


def validation_scenes(folder: Path, size: int = 128) -> Iterator[Scene]:
    """Central crops of the scenes in ``val`` folders."""
    for path in sorted(folder.rglob("val/*.tif")):
        scene = read_scene(path)
        rows, cols = scene.data.shape[1:]
        top, left = (rows - size) // 2, (cols - size) // 2
        yield Scene(scene.name, scene.data[:, top : top + size, left : left + size].clone())
