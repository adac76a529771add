"""The contract of denoisers: events, commands, and `run`, which drives one to its end."""

import dataclasses

import numpy as np
import pytest

from napari_decsc.denoising.protocol import Command, Denoiser, Iteration, Preview, run
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.cube import Cube
from napari_decsc.registry import METHODS, make_denoiser

NOISY = Cube(np.ones((2, 3, 4), np.float32), "scene")


class Halving:
    """Halves the cube in every iteration; STOP ends it with the estimate so far."""

    name = "halving"

    def __init__(self, iterations: int = 3, fails_at: int | None = None) -> None:
        self.iterations, self.fails_at = iterations, fails_at
        self.heard: list[Command | None] = []

    def denoise(self, noisy):
        for number in range(1, self.iterations + 1):
            if number == self.fails_at:
                raise DenoisingError("there is no memory left; use tiles")
            noisy = noisy.replace(data=noisy.data / 2)
            self.heard.append((yield Iteration(number, 0.5**number, 0.5, elapsed=0.1 * number)))
            if self.heard[-1] is Command.STOP:
                break
        return noisy

    def describe(self):
        return {"method": self.name, "settings": {}, "weights": None, "device": "cpu"}


@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_run_returns_the_cube_with_and_without_a_listener(iterations):
    numbers = []
    heard = run(Halving(iterations).denoise(NOISY), lambda iteration: numbers.append(iteration.number))
    silent = run(Halving(iterations).denoise(NOISY))
    np.testing.assert_array_equal(heard.data, NOISY.data / 2**iterations)
    np.testing.assert_array_equal(silent.data, heard.data)
    assert numbers == list(range(1, iterations + 1))
    assert silent.name == "scene"


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_command_reaches_the_denoiser_at_the_iteration_that_caused_it(at):
    halving = Halving(3)
    cube = run(halving.denoise(NOISY), lambda iteration: Command.STOP if iteration.number == at else None)
    np.testing.assert_array_equal(cube.data, NOISY.data / 2**at)
    assert halving.heard == [None] * (at - 1) + [Command.STOP]


def test_a_command_is_sent_once():
    heard = []

    def deaf():
        for number in (1, 2, 3):
            heard.append((yield Iteration(number, 1.0, 1.0, elapsed=0.0)))
        return NOISY

    assert run(deaf(), lambda iteration: Command.STOP if iteration.number == 2 else None) is NOISY
    assert heard == [None, Command.STOP, None]


def test_an_iteration_is_heard_before_the_next_one_is_computed():
    halving, computed = Halving(3), []
    run(halving.denoise(NOISY), lambda iteration: computed.append((iteration.number, len(halving.heard))))
    assert computed == [(1, 0), (2, 1), (3, 2)]


def test_an_error_of_the_denoiser_passes_through():
    numbers = []
    with pytest.raises(DenoisingError, match="no memory"):
        run(Halving(3, fails_at=2).denoise(NOISY), lambda iteration: numbers.append(iteration.number))
    assert numbers == [1]


def test_an_error_of_the_listener_passes_through():
    def listen(iteration):
        raise ValueError("listener")

    with pytest.raises(ValueError, match="listener"):
        run(Halving().denoise(NOISY), listen)


def test_events_are_frozen_and_speak_of_one_tile_unless_told():
    iteration = Iteration(1, 0.1, 0.01, elapsed=0.5)
    assert (iteration.tile, iteration.tiles, iteration.preview) == (1, 1, None)
    preview = Preview(np.zeros((2, 1, 2), np.float32), slice(0, 1), slice(1, 3))
    for event, field in ((iteration, "residual"), (preview, "rows")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(event, field, None)


def test_the_protocol_tells_denoisers_from_others():
    assert isinstance(Halving(), Denoiser)
    assert not isinstance(object(), Denoiser)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "decsc"])
def test_the_shipped_methods_keep_the_contract(method):
    rng = np.random.default_rng(0)
    data = (500 + 100 * rng.standard_normal((6, 24, 20))).astype(np.int16)
    noisy = Cube(data, "scene", scale=1000, wavelengths=np.arange(6), header={"sensor type": "EMIT"})
    denoiser, iterations = make_denoiser(method), []
    assert isinstance(denoiser, Denoiser)
    assert set(denoiser.describe()) == {"method", "settings", "weights", "device"}
    cube = run(denoiser.denoise(noisy), iterations.append)
    assert (cube.data.dtype, cube.shape, cube.scale) == (np.float32, noisy.shape, 1000)
    assert (cube.header, list(cube.wavelengths)) == (noisy.header, list(noisy.wavelengths))
    assert abs(cube.data.mean() - 500) < 100  # raw units
    assert iterations
    assert all(isinstance(iteration, Iteration) for iteration in iterations)
    elapsed = [iteration.elapsed for iteration in iterations]
    assert elapsed == sorted(elapsed)
    stopped = run(make_denoiser(method).denoise(noisy), lambda iteration: Command.STOP)
    assert stopped.shape == noisy.shape
