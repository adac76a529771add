"""What every part of DECSC is worth: the model without it, on the field's noise, on that of sensors, on targets.

    python benchmarks/ablation.py feathers.tif airborne.npz --every 3 --out runs/ablation

Prints and writes ablation.md: mean PSNR (dB) and SAM (degrees) of every family of cases with the whole model, and by
how much they change without a part; share that is kept of planted single-pixel targets. Nothing is trained anew.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import PropertyMock, patch

import numpy as np
from numpy.typing import NDArray
from reality import clean_scene
from torch import Tensor

from napari_decsc.denoising.protocol import Command, Iteration, run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.estimation import noise_search, rare
from napari_decsc.deq.estimation.noise_level import band_sigmas
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.model.subspace import SubspaceModel
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.metrics import score
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.hsi.noise.planted import plant
from napari_decsc.hsi.noise.reality import REALITY

Floats = NDArray[np.float32]
#: Family -> its cases.
FAMILIES = {
    "white": ("sigma 50",),
    "mixture": ("mixture",),
    "lines and waves": ("columns_only", "columns", "oblique", "waves"),
    "shot": ("photon1000", "photon20", "sensor"),
    "correlated": ("resampled", "neighbours", "common"),
    "wild": ("wild",),
    "targets": ("targets",),
}


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _plain(cube: Tensor, mask: Tensor) -> NoiseModel:
    return NoiseModel(band_sigmas(cube[None], mask[None])[0])


def _without_network(self: SubspaceModel, S: Tensor, c: object) -> Tensor:
    return S


#: Part -> how the model goes without it, and its settings.
PARTS: dict[str, tuple[Callable[[], AbstractContextManager[object]], DecscSettings]] = {
    "all of it": (_nothing, DecscSettings()),
    "loop (one evaluation a stage)": (_nothing, DecscSettings(max_iterations=1)),
    "renewing (one stage)": (lambda: patch.object(SubspaceModel, "stages", lambda *_: 1), DecscSettings()),
    "H": (lambda: patch.object(rare, "support", lambda *_: rare.Rare()), DecscSettings()),
    "offsets": (
        lambda: patch.object(NoiseModel, "structured", new_callable=PropertyMock, return_value=False),
        DecscSettings(),
    ),
    "noise model": (lambda: patch.object(noise_search, "measure", _plain), DecscSettings()),
    "network": (lambda: patch.object(SubspaceModel, "_refined", _without_network), DecscSettings()),
    "non-local prior (local start)": (_nothing, DecscSettings()),
}


@dataclass(frozen=True)
class Value:
    """What a case gives: PSNR in dB and SAM in degrees, or the share of targets that is kept."""

    psnr: float = np.nan
    sam: float = np.nan
    kept: float = np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cubes", nargs="+", type=Path)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--every", type=int, default=1, help="every n-th band of cubes with more than 100 bands")
    parser.add_argument("--out", type=Path, default=Path("runs/ablation"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    values: dict[tuple[str, str], list[Value]] = {}
    for path in options.cubes:
        clean = clean_scene(path, options.crop, options.every)
        for family, cases in FAMILIES.items():
            for case in cases:
                for part in PARTS:
                    value = measured(clean, case, part)
                    values.setdefault((family, part), []).append(value)
                    print(f"{path.stem}, {case}, {part}: {value}", flush=True)
            (options.out / "ablation.md").write_text(table(values))
    print(table(values))


def measured(clean: Floats, case: str, part: str) -> Value:
    """The value of a case with the model without a part."""
    rng = np.random.default_rng(0)
    if case == "targets":
        planted = plant(clean, "targets", rng, 0.02)
        noisy = planted.clean + np.float32(0.02) * rng.standard_normal(clean.shape, np.float32)
        return Value(kept=planted.kept(denoised(noisy, part)))
    if case in REALITY:
        model = REALITY[case][1]
        good = ~model.lost(len(clean))
        result = denoised(model(clean, rng), part)
        found = score(clean[good], result[good])
    else:
        noise = make_noise("gaussian", sigma=50.0) if case == "sigma 50" else make_noise(case)
        result = denoised(add_noise(Cube(clean, "clean"), noise, seed=0).data, part)
        found = score(clean, result)
    return Value(found.mpsnr, float(np.degrees(found.sam)))


def denoised(noisy: Floats, part: str) -> Floats:
    """The result of the model without a part."""
    without, settings = PARTS[part]
    looks: list[Floats] = []

    def watch(event: Iteration) -> Command | None:
        if not part.startswith("non-local"):
            return None
        if event.number > 0:  # the last picture before is that of the local start
            return Command.STOP
        if event.preview is not None:
            looks[:] = [event.preview.data]
        return None

    with without():
        result = run(DecscDenoiser(settings).denoise(Cube(noisy, "noisy")), watch).data
    return looks[0] if looks else np.asarray(result)


def table(values: dict[tuple[str, str], list[Value]]) -> str:
    """The table, as Markdown."""
    families = list(dict.fromkeys(family for family, _ in values))
    lines = ["| without | " + " | ".join(families) + " |", "|---" * (len(families) + 1) + "|"]
    for part in PARTS:
        cells = [_cell(values.get((family, part), []), values[family, "all of it"], part) for family in families]
        lines.append(f"| {'(whole model)' if part == 'all of it' else part} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\nPSNR in dB / SAM in degrees: the whole model's, then the change without a part.\n"


def _cell(found: list[Value], whole: list[Value], part: str) -> str:
    if not found:
        return "–"
    mean = {name: np.mean([getattr(value, name) for value in found]) for name in ("psnr", "sam", "kept")}
    usual = {name: np.mean([getattr(value, name) for value in whole[: len(found)]]) for name in mean}
    if np.isfinite(mean["kept"]):
        return f"{mean['kept']:.2f} kept"
    if part == "all of it":
        return f"{mean['psnr']:.2f} / {mean['sam']:.2f}"
    return f"{mean['psnr'] - usual['psnr']:+.2f} / {mean['sam'] - usual['sam']:+.2f}"


if __name__ == "__main__":
    main()
