"""The page on simulation names every model and every case, and its example of a model works."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from napari_decsc.hsi.noise.base import NoiseModel
from napari_decsc.hsi.noise.reality import REALITY
from napari_decsc.hsi.noise.sensors import SENSOR_MODELS
from napari_decsc.settings import described, descriptions

PAGE = (Path(__file__).parents[3] / "docs" / "simulation.md").read_text(encoding="utf-8")


def test_the_table_of_cases_is_that_of_the_code():
    table = PAGE[PAGE.index("| case |") :]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(REALITY)


def test_every_model_and_every_setting_is_on_the_page():
    for model in SENSOR_MODELS:
        assert f"`{model.name}`" in PAGE
        row = next(line for line in PAGE.splitlines() if line.startswith("|") and f"`{model.name}`" in line)
        assert not [field for field in descriptions(model) if f"`{field}`" not in row], model.name


def test_the_example_of_a_model_works():
    code = re.findall(r"```python\n(@dataclass.*?)```", PAGE, re.DOTALL)[0]
    names = {"dataclass": dataclass, "NoiseModel": NoiseModel, "ClassVar": ClassVar, "described": described}
    exec(code, names | {"__name__": __name__}, names)
    clean = np.random.default_rng(0).random((3, 6, 5), np.float32)
    noisy = names["Smear"](0.1)(clean, np.random.default_rng(0))
    np.testing.assert_allclose(noisy, clean + 0.1 * clean.mean(axis=1, keepdims=True), rtol=1e-6)
