"""Settings of a training run. No torch here: ``--help`` reads this."""

from dataclasses import dataclass

from napari_decsc.settings import check, described


@dataclass(frozen=True)
class TrainSettings:
    """How a model is trained. The same settings and seed give the same run on the same machine."""

    preset: str = described("subspace", "Model to train", choices=("subspace", "paper"))
    warm_start: str = described("", "Shipped weights or a .safetensors file to start from; 'none': from nothing; "
                                "empty: the shipped weights of the preset, if there are any")  # fmt: skip
    data: str = described("../shared/data", "Folder of training cubes, searched with its sub-folders")
    out: str = described("runs/subspace", "Folder of the run: checkpoint, log, weights; an existing run is resumed")
    minutes: float = described(60.0, "Stop after this time", unit="minutes", minimum=0)
    steps: int = described(0, "Stop after this many steps of this run in all, 0: no such limit", minimum=0)
    batch: int = described(8, "Patches per step", minimum=1, maximum=1024)
    patch: int = described(64, "Side of a patch, a multiple of 32", unit="pixels", minimum=32, maximum=512)
    crop: int = described(160, "Side of the noisy crops that patches are taken from", unit="pixels", minimum=32)
    pool: int = described(96, "Crops that are held ready", minimum=1)
    reuse: int = described(64, "Patches taken from a crop before a new one comes", minimum=1)
    precision: str = described("bf16", "Arithmetic of the conditioning network in training", choices=("bf16", "fp32"))
    bands: int = described(0, "Bands of a crop, 0: 1 to 200, at random", minimum=0, maximum=512)
    learning_rate: float = described(3e-4, "Step of AdamW at its highest", minimum=0, maximum=1)
    filter_rate: float = described(0.03, "Rate of the dictionaries, as a share of the others'", minimum=0, maximum=1)
    decay_minutes: float = described(0.0, "Length of a cosine decay of the rate, 0: none", unit="minutes", minimum=0)
    solver_least: int = described(2, "Fewest evaluations before the gradient steps", minimum=0)
    solver_most: int = described(12, "Most evaluations before the gradient steps", minimum=0)
    phantom_steps: int = described(3, "Steps with gradients", minimum=1)
    phantom_damping: float = described(0.9, "Damping of the steps with gradients", minimum=0.01, maximum=1)
    gain_every: int = described(4, "Penalise the gain of f every so many steps, 0: never", minimum=0)
    gain_limit: float = described(0.9, "Gain from which the penalty counts", minimum=0, maximum=2)
    gain_weight: float = described(0.5, "Weight of the gain's penalty", minimum=0)
    ema: float = described(0.99, "Decay of the averaged weights", minimum=0, maximum=1)
    keep: float = described(0.0, "Share of the weights it started from in those that are saved", minimum=0, maximum=1)
    validate_minutes: float = described(5.0, "Time between validations and checkpoints", unit="minutes", minimum=0)
    device: str = described("auto", "Device that computes: auto, cpu, cuda")
    seed: int = described(0, "Seed of the run", minimum=0)

    def __post_init__(self) -> None:
        check(self)
