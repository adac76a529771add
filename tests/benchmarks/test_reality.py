"""The script that measures noise as sensors make it: cells are kept by the code that made them."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "reality.py"


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("reality_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["reality_script"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["reality_script"]


@pytest.fixture
def cube(tmp_path) -> Path:
    path = tmp_path / "scene.npz"
    np.savez(path, cube=(1000 * np.random.default_rng(0).random((9, 30, 34))).astype(np.int16))
    return path


def words(cube, *more):
    return ["reality.py", str(cube), "--out", str(cube.parent / "out"), "--crop", "24", "--methods", "input", *more]


def test_a_run_goes_on_where_it_was(script, cube, monkeypatch, capsys):
    measured: list[str] = []
    measure = script.measure
    monkeypatch.setattr(script, "measure", lambda cell: measured.append(cell.case) or measure(cell))
    for cases in (["rows"], ["rows", "junk", "targets"]):
        monkeypatch.setattr(sys, "argv", words(cube, "--cases", *cases))
        script.main()
    assert measured == ["rows", "junk", "targets"]
    rows = json.loads((cube.parent / "out" / "reality.json").read_text())
    assert [row["case"] for row in rows] == ["rows", "junk", "targets"]
    assert rows[1]["psnr"] > 25  # the junk bands do not count
    assert rows[2]["kept"] == pytest.approx(1, abs=0.1)
    assert rows[2]["error_of_noise"] == pytest.approx(1)
    assert "| rows | " in (cube.parent / "out" / "reality.md").read_text()
    # code that has changed is measured again
    monkeypatch.setattr(script, "code_of", lambda method: "other")
    script.main()
    assert measured == ["rows", "junk", "targets"] * 2


def test_no_cell_is_begun_after_the_time(script, cube, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", words(cube, "--cases", "rows", "--minutes", "-1"))
    script.main()
    assert json.loads((cube.parent / "out" / "reality.json").read_text()) == []
    assert "the same words go on" in capsys.readouterr().out


def test_the_table_compares_with_the_best_classical_method(script):
    def row(method, psnr):
        return {"cube": "a", "case": "rows", "method": method, "commit": "1", "psnr": psnr}

    rows = [row("input", 20.0), row("decsc", 30.0), row("fasthyde", 31.0), row("e3dtv", 29.0)]
    text = script.tables(rows)
    assert "| rows | 20.0 / 30.0 / **31.0** |" in text
    assert "-1.00 dB from the best classical method on the mean of 1 cells" in text
    assert "in 1 it is more than 0.2 dB behind" in text
    assert "| rows | 35.0 / **36.0** / 35.0 |" in script.tables([row("input", 35.0), row("decsc", 36.0)])


def test_an_error_of_a_method_is_an_answer(script, cube, monkeypatch):
    from napari_decsc.errors import DenoisingError

    def fail(noisy, method):
        raise DenoisingError("no room")

    monkeypatch.setattr(script, "denoised", fail)
    row = script.measure(script.Cell(cube, "rows", "decsc", 24, 1, 0))
    assert row["error"] == "DenoisingError: no room"
    assert script.tables([row])


def test_the_name_of_a_cell_holds_all_that_it_depends_on(script, tmp_path):
    one = script.Cell(tmp_path / "a.npz", "rows", "decsc", 24, 1, 0)
    others = [
        script.Cell(tmp_path / "b.npz", "rows", "decsc", 24, 1, 0),
        script.Cell(tmp_path / "a.npz", "junk", "decsc", 24, 1, 0),
        script.Cell(tmp_path / "a.npz", "rows", "e3dtv", 24, 1, 0),
        script.Cell(tmp_path / "a.npz", "rows", "decsc", 32, 1, 0),
        script.Cell(tmp_path / "a.npz", "rows", "decsc", 24, 3, 0),
        script.Cell(tmp_path / "a.npz", "rows", "decsc", 24, 1, 5),
    ]
    assert len({cell.file(tmp_path) for cell in (one, *others)}) == 7


def test_the_code_of_a_method_is_there(script):
    package = Path(SCRIPT).parents[1] / "napari_decsc"
    missing = {source for sources in script.SOURCES.values() for source in sources if not (package / source).exists()}
    assert not missing
    assert len({script.code_of(method) for method in ("input", "decsc", "e3dtv")}) == 3
    assert script.code_of("fasthyde") == script.code_of("e3dtv")
