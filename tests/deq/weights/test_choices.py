"""What can be chosen, in words."""

import subprocess
import sys

from napari_decsc.deq.execution.choices import device_choices
from napari_decsc.deq.weights import files as weights
from napari_decsc.deq.weights.choices import weights_choices


def test_every_shipped_file_has_one_line():
    choices = weights_choices()
    assert set(choices) == set(weights.shipped())
    assert all(text and "\n" not in text for text in choices.values())


def test_the_processor_is_always_a_choice():
    assert "GB free" in device_choices()["cpu"]


def test_listing_weights_loads_no_torch():
    code = "import sys, napari_decsc.deq.weights.choices as c; c.weights_choices(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
