"""``napari-decsc train``: weights of the DECSC model, from a folder of cubes."""

import argparse
import sys

from napari_decsc.cli import Answer
from napari_decsc.cli.options import add_settings, make_settings
from napari_decsc.deq.training.settings import TrainSettings

_CLASSES = {"train": TrainSettings}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``train``."""
    parser.epilog = "A run that was stopped goes on when it is started again with the same folder."
    add_settings(parser, _CLASSES)


def run(args: argparse.Namespace) -> Answer:
    """Train until the time or the steps are over; what happens is told on stderr."""
    settings = make_settings(args, _CLASSES, "train")

    from napari_decsc.deq.training.loop import train
    from napari_decsc.settings import as_dict

    weights = train(settings, lambda line: print(line, file=sys.stderr, flush=True))
    return Answer({"weights": str(weights), "settings": as_dict(settings)}, f"Wrote {weights}.")
