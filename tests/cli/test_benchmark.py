"""The benchmark: its cases, its margins, its files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_decsc import cli
from napari_decsc.cli import bench_case, bench_report, benchmark, main
from napari_decsc.cli.bench_case import Case, cases_of, central, noise_of, run_case, run_case_apart
from napari_decsc.cli.bench_report import markdown, with_margins
from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.models import NOISE_MODELS, Gaussian, Mixture, NonIid
from napari_decsc.hsi.noise.reality import REALITY
from napari_decsc.registry import METHODS


def row(noise: str, method: str, psnr: float, cpu: float) -> dict[str, Any]:
    scores = {"mpsnr": psnr, "mssim": 0.9, "sam": np.pi / 180, "ergas": 5.0}
    return {"cube": "a", "noise": noise, "method": method, "noisy": {**scores, "mpsnr": 14.0}, "denoised": scores,
            "cpu_seconds": cpu, "seconds": cpu, "peak_memory_bytes": 250_000_000}  # fmt: skip


ROWS = [
    row("mixture", "decsc", 36.0, 6.0),
    row("mixture", "one", 30.0, 1.0),
    row("mixture", "two", 33.5, 4.0),
    row("corr", "decsc", 41.0, 6.0),
    {"cube": "a", "noise": "corr", "method": "one", "error": "the memory is not enough"},
]


def test_margin_is_taken_to_the_best_classical_method_of_the_same_noise() -> None:
    rows = with_margins(ROWS)
    assert rows[0]["versus_best_classical"] == {"method": "two", "mpsnr_difference": 2.5, "cpu_ratio": 1.5}
    assert rows[1]["versus_best_classical"] == {"method": "two", "mpsnr_difference": -3.5, "cpu_ratio": 0.25}
    # nothing to compare with: the only classical method failed
    assert rows[3]["versus_best_classical"] is None


def test_table() -> None:
    result = {"seed": 0, "machine": bench_report.machine(), "rows": with_margins(ROWS)}
    text = markdown(result)
    assert "| a | mixture | decsc | 14.00 | 36.00 | 0.9000 | 1.00 | 6.0 | 250 | +2.50 | 1.50 |" in text
    assert "- a, corr, one: the memory is not enough" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(widths) == 1


def test_a_plot_of_many_cases_is_no_wider_than_a_page() -> None:
    rows = [row(f"case {number}", "decsc", 30.0, 1.0) for number in range(17)]
    header = bench_report.plot(rows)[16:24]
    assert int.from_bytes(header[:4], "big") < 3000
    assert int.from_bytes(header[4:], "big") > 1000


def test_plot_is_a_png() -> None:
    assert bench_report.plot(ROWS).startswith(b"\x89PNG")
    assert bench_report.plot([ROWS[-1]]).startswith(b"\x89PNG")


def test_the_protocols_cases_and_plain_models() -> None:
    assert noise_of("gaussian-50") == Gaussian(50)
    assert noise_of("non-iid-95") == NonIid(95)
    assert noise_of("non-iid-15") == NonIid(15)
    assert noise_of("mixture") == Mixture()
    assert noise_of("gaussian") == Gaussian()
    with pytest.raises(SettingsError, match="there is no noise case 'fog'"):
        noise_of("fog")


def test_names_that_stand_for_many_cases() -> None:
    assert cases_of(["protocol"]) == list(bench_case.NOISE_CASES)
    assert cases_of(["reality", "mixture", "photon20"]) == [*REALITY, "mixture"]
    assert len(REALITY) == 17
    assert all(noise_of(name) == model for name, (_, model) in REALITY.items())
    # no case hides behind a model's name, and no model behind a case's
    assert not {*REALITY, *bench_case.GROUPS} & {*NOISE_MODELS}


def test_bands_that_hold_nothing_are_not_scored(folder: Path) -> None:
    found = run_case(Case(folder / "clean.hdr", "junk", "flat", METHODS["flat"].settings()))
    assert found["lost_bands"] == [1, 2, 3]
    # the one band that is left has a noise level from 0.02 / 2 to 0.02 * 2: 40 to 28 dB
    assert 27 < found["noisy"]["mpsnr"] < 41


@pytest.mark.parametrize(("side", "rows", "cols"), [(2, slice(1, 3), slice(2, 4)), (9, slice(0, 4), slice(0, 6))])
def test_central_crop(side: int, rows: slice, cols: slice) -> None:
    data = np.arange(24.0).reshape(1, 4, 6)
    assert np.array_equal(central(Cube(data), side).data, data[:, rows, cols])


def test_a_case_is_scored_against_its_clean_cube(folder: Path) -> None:
    found = run_case(Case(folder / "clean.hdr", "gaussian-50", "flat", METHODS["flat"].settings(), crop=8))
    assert found["shape"] == [4, 8, 8]
    # sigma 50 of 255: 14.15 dB; 256 voxels tell it within 1 dB
    assert found["noisy"]["mpsnr"] == pytest.approx(14.15, abs=1)
    # the band mean averages 64 voxels: 18 dB better, give or take what four means scatter
    assert found["denoised"]["mpsnr"] > found["noisy"]["mpsnr"] + 8
    assert (found["evaluations"], found["relative_residual"]) == (3, 1e-3)
    assert found["cpu_seconds"] >= 0


def test_a_case_in_a_process_of_its_own(folder: Path) -> None:
    settings = METHODS["decsc"].settings(max_iterations=1)
    found = run_case_apart(Case(folder / "clean.hdr", "gaussian-50", "decsc", settings))
    assert (found["cube"], found["noise"], found["method"]) == ("clean", "gaussian-50", "decsc")
    assert "error" not in found
    assert found["evaluations"] == 2  # one in each of two stages
    assert found["peak_memory_bytes"] > 10e6


def test_a_case_that_fails_gives_a_row_with_its_sentence(folder: Path) -> None:
    found = run_case_apart(Case(folder / "clean.hdr", "gaussian-50", "magic", None))
    assert found["method"] == "magic"
    assert "there is no method 'magic'" in found["error"]


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The method "flat" exists in this process only."""
    monkeypatch.setattr(benchmark, "run_case_apart", bench_case.run_case)


@pytest.mark.usefixtures("in_this_process")
def test_benchmark_writes_its_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "deep" / "results"
    words = ["benchmark", str(folder / "clean.hdr"), "--methods", "flat", "--noise", "gaussian-50", "corr",
             "--out", str(out), "--steps", "2", "--json"]  # fmt: skip
    assert main(words) == 0
    stdout, err = capsys.readouterr()
    result = json.loads(stdout)
    assert [(one["noise"], one["method"]) for one in result["rows"]] == [("gaussian-50", "flat"), ("corr", "flat")]
    assert all(one["settings"]["steps"] == 2 for one in result["rows"])
    saved = json.loads((out / "benchmark.json").read_text())
    assert saved["rows"] == result["rows"]
    assert "| clean | corr | flat |" in (out / "benchmark.md").read_text()
    assert (out / "benchmark.png").read_bytes().startswith(b"\x89PNG")
    assert "2 of 2: clean, corr, flat:" in err
    assert main(words) == cli.FAILED
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--noise", "fog"], "there is no noise case 'fog'"),
        (["--methods", "flat", "--tolerance", "0.1"], "--tolerance belongs to none of the methods flat"),
        (["nothing.hdr"], "nothing.hdr"),
        (["--crop", "-1"], "0 or more"),
    ],
)
def test_mistakes_are_told_before_any_case(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", *words, "--out", str(tmp_path / "out")]) == cli.FAILED
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
