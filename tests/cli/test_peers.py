"""BM3D and BM4D in a benchmark, with stand-ins for the packages: what they are handed, and what becomes of it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_decsc import registry as methods
from napari_decsc.cli import FAILED, bench_case, benchmark, main
from napari_decsc.cli.bench_case import Case, run_case
from napari_decsc.cli.peers import PEERS, PeerSettings, make_benchmarked
from napari_decsc.denoising.protocol import run
from napari_decsc.errors import DenoisingError, SettingsError
from napari_decsc.filters.spectral import analyse
from napari_decsc.hsi.cube import Cube

#: Standard deviation of the noise of each of the 8 bands, and the spectrum whose multiples are the signal.
SIGMAS = np.linspace(0.01, 0.08, 8)
SPECTRUM = np.linspace(0.2, 0.6, 8)
Handed = list[tuple[NDArray[np.float32], float]]


@pytest.fixture
def scene() -> tuple[NDArray[np.float64], Cube]:
    """A cube whose only spectrum is scaled from row to row, and the same with noise of a level of its own per band."""
    ramp = np.repeat(np.linspace(0.5, 1.5, 40), 32).reshape(40, 32)
    clean = SPECTRUM[:, None, None] * ramp
    noise = np.random.default_rng(0).normal(size=clean.shape) * SIGMAS[:, None, None]
    return clean, Cube((clean + noise).astype(np.float32), scale=1.0)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[..., NDArray[np.float64]]], Handed]:
    """Put a package of that name in place, whose function is the given one; returns what it is handed."""

    def put(name: str, function: Callable[..., NDArray[np.float64]]) -> Handed:
        handed: Handed = []

        def recorded(z: NDArray[np.float32], sigma_psd: float) -> NDArray[np.float64]:
            handed.append((z.copy(), sigma_psd))
            return function(z.astype(np.float64))

        module = ModuleType(name)
        setattr(module, name, recorded)
        monkeypatch.setitem(sys.modules, name, module)
        return handed

    return put


def along_columns(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each row, which is right for the scene: its columns are alike."""
    return np.broadcast_to(z.mean(axis=1, keepdims=True), z.shape).copy()


def test_bm4d_gets_the_whitened_stack_and_its_result_is_brought_back(scene, fake) -> None:
    clean, noisy = scene
    handed = fake("bm4d", along_columns)
    denoised = run(make_benchmarked("bm4d", PeerSettings()).denoise(noisy))
    ((z, sigma),) = handed
    assert (z.shape, z.dtype, sigma) == ((40, 32, 8), np.float32, 1.0)
    # what differs from row means is the noise: 1 in every band, less the 1/32 that the mean takes up
    np.testing.assert_allclose((z - along_columns(z)).std(axis=(0, 1)), np.sqrt(31 / 32), rtol=0.1)
    np.testing.assert_allclose(denoised.data, noisy.data.mean(axis=2, keepdims=True).repeat(32, axis=2), atol=1e-5)
    assert np.abs(denoised.data - clean).max() < np.abs(noisy.data - clean).max() / 2


def test_bm3d_gets_eigen_images_and_its_result_is_brought_back(scene, fake) -> None:
    clean, noisy = scene
    handed = fake("bm3d", along_columns)
    denoised = run(make_benchmarked("bm3d", PeerSettings()).denoise(noisy))
    space = analyse(np.array(noisy.data), np.ones(noisy.shape, bool))
    assert len(handed) == space.basis.shape[1] == 1  # there is one spectrum
    ((z, sigma),) = handed
    assert (z.shape, sigma) == ((40, 32), 1.0)
    assert (z - along_columns(z)).std() == pytest.approx(np.sqrt(31 / 32), rel=0.1)
    # noise of one coefficient of eight, averaged over 32 columns
    assert np.square(denoised.data - clean).mean() < np.square(noisy.data - clean).mean() / 50


@pytest.mark.parametrize("name", PEERS)
def test_units_and_gaps_are_those_of_the_cube(name: str, scene, fake) -> None:
    _, noisy = scene
    fake(name, along_columns)
    counts = np.array(noisy.data) * 1000
    counts[2, 5, 7] = -9999
    denoised = run(make_benchmarked(name, None).denoise(noisy.replace(data=counts, scale=1000.0, no_data=-9999.0)))
    assert denoised.data[2, 5, 7] == -9999
    plain = run(make_benchmarked(name, None).denoise(noisy))
    elsewhere = np.ones(noisy.shape, bool)
    elsewhere[:, 5] = False
    np.testing.assert_allclose(denoised.data[elsewhere] / 1000, plain.data[elsewhere], rtol=0.02)


@pytest.mark.parametrize("name", PEERS)
def test_a_row_of_the_benchmark(name: str, fake) -> None:
    fake(name, lambda z: z)
    row = run_case(Case(None, "gaussian-50", name, PeerSettings(), crop=20))
    assert (row["method"], row["settings"], row["weights"], row["device"]) == (name, {}, None, "cpu")


@pytest.mark.parametrize("name", PEERS)
def test_a_missing_package_is_named_before_any_case(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    out = tmp_path / "out"
    assert main(["benchmark", "--methods", "flat", name, "--out", str(out)]) == FAILED
    said = capsys.readouterr().err
    assert f"the method {name} needs the package {name}, which is not installed: pip install {name}" in said
    assert not out.exists()


def test_a_package_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bm4d", ModuleType("bm4d"))  # without its function
    with pytest.raises(SettingsError, match="bm4d is installed but cannot be loaded"):
        make_benchmarked("bm4d", PeerSettings())


def test_what_the_package_refuses_becomes_a_sentence(scene, fake) -> None:
    def refuse(z: NDArray[np.float64]) -> NDArray[np.float64]:
        raise ValueError("not today")

    fake("bm4d", refuse)
    with pytest.raises(DenoisingError, match=r"the package bm4d cannot denoise.*: not today"):
        run(make_benchmarked("bm4d", PeerSettings()).denoise(scene[1]))


@pytest.mark.parametrize("name", PEERS)
def test_images_that_would_end_the_process_are_refused(name: str, scene, fake) -> None:
    handed = fake(name, along_columns)
    small = scene[1].replace(data=scene[1].data[:, :15])
    with pytest.raises(DenoisingError, match="at least 16 rows and columns"):
        run(make_benchmarked(name, PeerSettings()).denoise(small))
    assert not handed


def test_only_a_benchmark_offers_them_and_only_by_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not PEERS.keys() & methods.METHODS.keys()
    assert main(["denoise", "a.hdr", "b.hdr", "--method", "bm3d"]) != 0
    assert "invalid choice" in capsys.readouterr().err
    monkeypatch.setattr(benchmark, "run_case_apart", lambda case: {**bench_case.name_of(case), "error": "not run"})
    assert main(["benchmark", str(folder / "clean.hdr"), "--out", str(folder / "out"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["method"] for row in rows} == set(methods.METHODS)
