"""The training loop: resumable, warm-startable, the same on CPU and GPU."""

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_decsc.deq.execution.devices import choose
from napari_decsc.deq.model.base import Decsc
from napari_decsc.deq.model.presets import PRESETS
from napari_decsc.deq.training.data import Crops, Scene, scenes_of, validation_scenes
from napari_decsc.deq.training.examples import Example, Pool
from napari_decsc.deq.training.objective import equilibrium, error, stretch
from napari_decsc.deq.training.settings import TrainSettings
from napari_decsc.deq.training.validation import validate
from napari_decsc.deq.weights import files as weight_files
from napari_decsc.errors import DenoisingError
from napari_decsc.settings import as_dict

Log = Callable[[str], None]
#: What is given instead of weights to begin with a new model.
NONE = "none"


@dataclass
class Run:
    """The state of a run: what a checkpoint holds.

    Parameters
    ----------
    first : Decsc
        The model as it was when the run began.
    model : Decsc
        As it is now.
    average : Decsc
        Of the latest models.
    optimiser : torch Optimizer
        With its state.
    step : int
        Steps done.
    seconds : float
        Time taken, over all sessions of the run.
    """

    first: Decsc
    model: Decsc
    average: Decsc
    optimiser: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0


def train(settings: TrainSettings, log: Log = print) -> Path:
    """Train, validate and checkpoint until the time or the steps are over.

    The folder ``settings.out`` gets ``checkpoint.pt``, ``log.jsonl`` (one line per validation) and
    ``<preset>.safetensors``; a run found there goes on.

    Parameters
    ----------
    settings : TrainSettings
        All that a run depends on.
    log : callable
        Is told how it goes, line by line.

    Returns
    -------
    Path
        File of the averaged weights.
    """
    device = choose(settings.device)
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(settings.data)
    run = _begin(settings, device, out, log)
    bands, multiple = run.model.bands, run.model.multiple
    if settings.patch % multiple:
        raise DenoisingError(f"patch is {settings.patch}; the preset {settings.preset} takes multiples of {multiple}")
    held_back = list(validation_scenes(folder, bands=bands, log=log))
    crops = Crops(
        scenes_of(folder, log),
        bands or settings.bands,
        settings.crop,
        device,
        multiple=multiple,
        in_order=bool(bands),
        log=log,
    )
    if bands and _first_weights(settings) == NONE:
        spectra = crops.spectra(settings.seed)
        for model in (run.first, run.model, run.average) if run.step == 0 else (run.first,):
            model.acquaint(spectra)
    pool = Pool(crops, settings.seed, settings.pool, settings.batch / settings.reuse)
    log(f"{len(crops.scenes)} scenes, {len(held_back)} held back, device {device}, from step {run.step}")
    started, last_check = time.monotonic(), time.monotonic()
    before = run.seconds
    losses: list[float] = []
    while not _over(settings, run, time.monotonic() - started):
        losses.append(_step(run, pool, settings, log))
        run.seconds = before + time.monotonic() - started
        if time.monotonic() - last_check > 60 * settings.validate_minutes:
            _checkpoint(run, settings, held_back, losses, out, log, crops.about)
            losses, last_check = [], time.monotonic()
    return _checkpoint(run, settings, held_back, losses, out, log, crops.about)


def _begin(settings: TrainSettings, device: torch.device, out: Path, log: Log) -> Run:
    torch.manual_seed(settings.seed)
    model = _first_model(settings, log).to(device)
    run = Run(copy.deepcopy(model), model, copy.deepcopy(model), _optimiser(model, settings))
    checkpoint = out / "checkpoint.pt"
    if checkpoint.is_file():
        try:
            _go_on(run, torch.load(checkpoint, map_location=device, weights_only=True))
        except (RuntimeError, ValueError, KeyError, TypeError, OSError, EOFError, UnpicklingError):
            raise DenoisingError(
                f"{checkpoint}: is of another model than {settings.preset}, or damaged; "
                "choose another folder with --out"
            ) from None
        log(f"going on from {checkpoint} at step {run.step}")
    return run


def _go_on(run: Run, saved: dict[str, Any]) -> None:
    """Put a run where a checkpoint left it."""
    run.model.load_state_dict(saved["model"])
    run.average.load_state_dict(saved["average"])
    run.optimiser.load_state_dict(saved["optimiser"])
    run.step, run.seconds = saved["step"], saved["seconds"]


def _first_weights(settings: TrainSettings) -> str:
    """Shipped ones by name, or a file; NONE for a new model."""
    return settings.warm_start or (settings.preset if settings.preset in weight_files.shipped() else NONE)


def _first_model(settings: TrainSettings, log: Log) -> Decsc:
    name = _first_weights(settings)
    if name == NONE:
        log(f"a new {settings.preset} model")
        model, config = PRESETS[settings.preset]
        return model(config())
    found = weight_files.load(name)
    if found.model.preset != settings.preset:
        raise DenoisingError(f"weights {name!r} are of the preset {found.model.preset!r}, not {settings.preset!r}")
    log(f"from the weights {found.name} ({found.hash[:12]})")
    return found.model.train()


def _optimiser(model: Decsc, settings: TrainSettings) -> torch.optim.Optimizer:
    filters = [p for name, p in model.named_parameters() if name.endswith(".filters")]
    others = [p for name, p in model.named_parameters() if not name.endswith(".filters")]
    groups: list[dict[str, Any]] = [
        {"params": others, "scale": 1.0},
        {"params": filters, "scale": settings.filter_rate},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)


def _over(settings: TrainSettings, run: Run, seconds: float) -> bool:
    return seconds > 60 * settings.minutes or (settings.steps > 0 and run.step >= settings.steps)


def _step(run: Run, pool: Pool, settings: TrainSettings, log: Log) -> float:
    # every step has random numbers of its own, so that a resumed run goes on as if it had not stopped
    rng = np.random.default_rng([settings.seed, 0, run.step])
    pool.advance(run.average, run.step)
    depth = int(rng.integers(settings.solver_least, max(settings.solver_most, settings.solver_least) + 1))
    measure = settings.gain_every > 0 and run.step % settings.gain_every == 0
    total, gains = 0.0, []
    for _ in range(settings.batch):
        loss, stretched = _loss(run.model, pool.draw(settings.patch, rng), depth, settings, measure=measure)
        (loss / settings.batch).backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach()) / settings.batch
        gains.append(stretched)
    if measure:
        minutes, stretched = run.seconds / 60, float(np.mean(gains))
        log(f"step {run.step:6d}  loss {total:8.4f}  depth {depth:2d}  gain {stretched:.3f}  {minutes:6.1f} min")
    if math.isfinite(total):
        _update(run, settings)
    else:
        log(f"step {run.step}: the loss is not finite; the step is left out")
        run.optimiser.zero_grad(set_to_none=True)
    run.step += 1
    return total


def _loss(
    model: Decsc, example: Example, depth: int, settings: TrainSettings, *, measure: bool
) -> tuple[torch.Tensor, float]:
    """The error at the equilibrium of a patch, with the penalty on the gain of f where no bound is proved; the gain."""
    half = settings.precision == "bf16"
    c = model.condition(example.found)
    z = equilibrium(model, c, depth, settings)
    with torch.autocast(example.clean.device.type, torch.bfloat16, enabled=half and bool(model.stored_in_half)):
        made = model.output(z, c)
    loss = error(made.float(), example.clean, example.error)
    bound = model.contraction()
    if bound is not None or not measure:
        return loss, bound or math.nan
    penalty, stretched = stretch(model, c, z, settings.gain_limit)
    return loss + settings.gain_weight * penalty, float(stretched)


def _update(run: Run, settings: TrainSettings) -> None:
    nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    warm = min(1.0, (run.step + 1) / 30)
    share = min(1.0, run.seconds / (60 * settings.decay_minutes)) if settings.decay_minutes else 0.0
    rate = settings.learning_rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
    for group in run.optimiser.param_groups:
        group["lr"] = rate * group["scale"]
    run.optimiser.step()
    run.optimiser.zero_grad(set_to_none=True)
    decay = min(settings.ema, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for averaged, current in zip(run.average.parameters(), run.model.parameters(), strict=True):
            averaged.lerp_(current, 1 - decay)


def _checkpoint(
    run: Run, settings: TrainSettings, scenes: list[Scene], losses: list[float], out: Path, log: Log, data: str
) -> Path:
    state = {
        "model": run.model.state_dict(),
        "average": run.average.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "step": run.step,
        "seconds": run.seconds,
    }
    partial = out / "checkpoint.partial"
    torch.save(state, partial)
    partial.replace(out / "checkpoint.pt")
    saved = _between(run.average, run.first, settings.keep)
    results = {v.case: [round(v.psnr, 2), float(f"{v.relative_residual:.2g}")] for v in validate(saved, scenes)}
    line = {"step": run.step, "minutes": round(run.seconds / 60, 1), "loss": round(float(np.mean(losses or [0])), 4)}
    with (out / "log.jsonl").open("a") as file:
        file.write(json.dumps({**line, **results}) + "\n")
    log(f"step {run.step}: " + ", ".join(f"{case} {psnr} dB ({left:g})" for case, (psnr, left) in results.items()))
    path = out / f"{settings.preset}.safetensors"
    weight_files.save(saved, path, _provenance(run, settings, results, data))
    return path


def _between(trained: Decsc, first: Decsc, keep: float) -> Decsc:
    """Weights on the line from those a run ended with to those it started from: what was known is not forgotten.

    M. Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
    """
    between = copy.deepcopy(trained)
    with torch.no_grad():
        for weight, began in zip(between.parameters(), first.parameters(), strict=True):
            weight.lerp_(began, keep)
    return between


def _provenance(run: Run, settings: TrainSettings, results: dict[str, list[float]], data: str) -> dict[str, str]:
    kept = {name: value for name, value in as_dict(settings).items() if name not in ("data", "out", "device")}
    kept["warm_start"] = Path(settings.warm_start).name
    return {
        "recipe": json.dumps(kept),
        "steps": str(run.step),
        "hours": f"{run.seconds / 3600:.2f}",
        "validation": json.dumps(results),
        "data": data,
    }
