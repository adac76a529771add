"""Solvers, on maps whose fixed points can be worked out by hand."""

import itertools

import pytest
import torch

from napari_decsc.deq.solvers.fixed_point import anderson, gain, norm, phantom, picard, until


def affine(rate: torch.Tensor, shift: torch.Tensor):
    """f(z) = rate z + shift on a code of two parts; the fixed point is shift / (1 - rate)."""
    return lambda z: (rate * z[0] + shift, rate[:, :1].repeat_interleave(2, 0) * z[1] + 1)


def cosine(z):
    return (torch.cos(z[0]),)


def matrix_map(size: int, radius: float):
    """f(z) = A z + b with A symmetric of spectral radius ``radius``."""
    generator = torch.Generator().manual_seed(1)
    basis = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))[0]
    matrix = basis @ torch.diag(torch.linspace(-radius, radius, size, dtype=torch.float64)) @ basis.T
    shift = torch.randn(size, generator=generator, dtype=torch.float64)
    return lambda z: (z[0] @ matrix + shift,), torch.linalg.solve(torch.eye(size) - matrix.T, shift)


@pytest.mark.parametrize("solver", [picard, anderson])
def test_solvers_find_the_fixed_point_of_every_image_at_once(solver):
    rate, shift = torch.tensor([[0.5, -0.3], [0.1, 0.7]]), torch.tensor([[1.0, 2.0], [3.0, 0.3]])
    start = (torch.zeros(2, 2), torch.zeros(4, 2))  # the second part has two rows per image, like band-major maps
    *_, last = until(solver(affine(rate, shift), start), 1e-6, 60)
    torch.testing.assert_close(last.z[0], shift / (1 - rate), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        last.z[1], (1 / (1 - rate[:, :1])).repeat_interleave(2, 0).expand(4, 2), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("solver", [picard, anderson])
def test_the_fixed_point_of_cosine_is_the_dottie_number(solver):
    *_, last = until(solver(cosine, (torch.ones(1, 1, dtype=torch.float64),)), 1e-9, 100)
    assert float(last.z[0]) == pytest.approx(0.7390851332151607, abs=1e-8)


def test_anderson_needs_fewer_evaluations_than_picard():
    f, fixed = matrix_map(size=30, radius=0.95)
    start = (torch.zeros(1, 30, dtype=torch.float64),)
    counts = {}
    for solver in (picard, anderson):
        states = list(until(solver(f, start), 1e-8, 1000))
        counts[solver] = len(states)
        torch.testing.assert_close(states[-1].z[0][0], fixed, rtol=1e-5, atol=1e-5)
    assert counts[anderson] < counts[picard] / 2


def test_anderson_recovers_where_plain_iteration_diverges():
    f = lambda z: (-1.2 * z[0] + 4.4,)  # noqa: E731 (the fixed point is 2)
    start = (torch.zeros(1, 3, dtype=torch.float64),)
    assert float(norm(next(itertools.islice(picard(f, start), 60, None)).z, 1)) > 1e4
    *_, last = until(anderson(f, start), 1e-10, 20)
    torch.testing.assert_close(last.z[0], torch.full((1, 3), 2.0, dtype=torch.float64), rtol=1e-5, atol=0)


def test_a_state_tells_the_residual_of_its_evaluation():
    first = next(picard(lambda z: (0.5 * z[0] + 3,), (torch.tensor([[0.0, 2.0]]),)))
    # f(0, 2) = (3, 4); f(z) - z = (3, 2); ||f(z)|| = 5
    assert first.number == 1
    assert float(first.residual) == pytest.approx(13**0.5)
    assert float(first.relative_residual) == pytest.approx(13**0.5 / 5)


def test_until_stops_at_the_tolerance_and_at_the_limit():
    f = lambda z: (0.1 * z[0] + 1,)  # noqa: E731
    start = (torch.zeros(1, 1),)
    states = list(until(picard(f, start), 1e-3, 100))
    assert states[-1].relative_residual <= 1e-3 < states[-2].relative_residual
    assert len(list(until(picard(f, start), 0.0, 7))) == 7


def test_the_phantom_gradient_tends_to_the_implicit_one():
    # z = a z + 1, so dz/da = z^2 with z = 1 / (1 - a)
    a = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    z = (torch.full((1, 1), 2.0, dtype=torch.float64),)
    (out,) = phantom(lambda z: (a * z[0] + 1,), z, steps=60, damping=0.9)
    out.sum().backward()
    assert float(a.grad) == pytest.approx(4.0, rel=1e-6)


def test_gain_is_the_spectral_radius_of_a_symmetric_map():
    f, fixed = matrix_map(size=12, radius=0.8)
    torch.manual_seed(0)
    assert float(gain(f, (fixed[None],), steps=60)) == pytest.approx(0.8, abs=0.02)


def test_gain_can_be_trained_down():
    rate = torch.tensor(1.5, requires_grad=True)
    found = gain(lambda z: (rate * z[0],), (torch.ones(2, 5),))
    found.sum().backward()
    assert float(rate.grad) == pytest.approx(2.0, rel=1e-3)  # d gain / d rate = 1 for each of two images
