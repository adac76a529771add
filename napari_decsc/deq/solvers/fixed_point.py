"""Fixed points z = f(z): step, stop and differentiate are three things.

A code z is a tuple of tensors; each has one leading axis that is a multiple of the number N of independent images, and
every image is a problem of its own: norms and mixing weights are per image.

- :func:`picard` and :func:`anderson` are infinite generators of :class:`State`;
- :func:`until` stops them;
- :func:`phantom` differentiates; :func:`gain` measures how much f stretches at a point.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

Code = tuple[Tensor, ...]
Map = Callable[[Code], Code]


@dataclass(frozen=True)
class State:
    """What is known after one evaluation of f at some z.

    Parameters
    ----------
    number : int
        Counts evaluations from 1.
    z : tuple of tensors
        f(z), the newest estimate of the fixed point.
    residual : tensor of shape (N,)
        ||f(z) - z|| of every image.
    relative_residual : tensor of shape (N,)
        ||f(z) - z|| / ||f(z)||.
    """

    number: int
    z: Code
    residual: Tensor
    relative_residual: Tensor


def inner(a: Code, b: Code, images: int) -> Tensor:
    """Inner product of two codes, per image.

    Parameters
    ----------
    a, b : tuple of tensors
        Leading axes are multiples of ``images``.
    images : int
        N.

    Returns
    -------
    tensor of shape (images,)
        Sums over all parts.
    """
    return sum((torch.linalg.vecdot(x.reshape(images, -1), y.reshape(images, -1)) for x, y in zip(a, b, strict=True)),
               start=torch.zeros((), device=a[0].device))  # fmt: skip


def norm(a: Code, images: int) -> Tensor:
    """Euclidean norm of a code, per image.

    Parameters
    ----------
    a : tuple of tensors
        Leading axes are multiples of ``images``.
    images : int
        N.

    Returns
    -------
    tensor of shape (images,)
        Over all parts.
    """
    return inner(a, a, images).sqrt()


def difference(a: Code, b: Code) -> Code:
    """A - b, part by part.

    Parameters
    ----------
    a, b : tuple of tensors
        Of the same shapes.

    Returns
    -------
    tuple of tensors
        New ones.
    """
    return tuple(x - y for x, y in zip(a, b, strict=True))


def picard(f: Map, z: Code) -> Iterator[State]:
    """Plain iteration z <- f(z).

    Parameters
    ----------
    f : callable
        The map.
    z : tuple of tensors
        Where to start; its first axis counts the images.

    Yields
    ------
    State
        Without end.
    """
    images, number = z[0].shape[0], 0
    while True:
        number += 1
        new = f(z)
        yield _state(number, new, difference(new, z), images)
        z = new


def anderson(f: Map, z: Code, memory: int = 5, ridge: float = 1e-6, patience: float = 4.0) -> Iterator[State]:
    """Anderson acceleration: the next point mixes the last ``memory`` values of f.

    With g_i = f(z_i) - z_i, the weights minimise ||sum_i a_i g_i||^2 (plus ``ridge`` times the Gram matrix's mean
    diagonal times ||a||^2) with sum_i a_i = 1, and z_next = sum_i a_i f(z_i). When the residual of an image grows
    beyond ``patience`` times the smallest one seen, the memory is dropped: the next step is a plain one.

    Source: Walker and Ni, *Anderson acceleration for fixed-point iterations*, SIAM J. Numer. Anal. 49 (2011), type II.

    Parameters
    ----------
    f : callable
        The map.
    z : tuple of tensors
        Where to start; its first axis counts the images.
    memory : int
        Values of f that are mixed at most.
    ridge : float
        As a share of the Gram matrix's mean diagonal.
    patience : float
        Growth of the residual beyond the smallest one that is let pass.

    Yields
    ------
    State
        Without end.
    """
    images, number = z[0].shape[0], 0
    values: deque[Code] = deque()
    steps: deque[Code] = deque()
    gram = z[0].new_zeros(images, 0, 0)
    best: Tensor | None = None
    while True:
        number += 1
        new = f(z)
        step = difference(new, z)
        del z  # codes are large: none is held that is not needed
        state = _state(number, new, step, images)
        yield state
        if best is not None and bool((state.residual > patience * best).any()):
            values.clear()
            steps.clear()
            gram = gram[:, :0, :0]
        best = state.residual if best is None else torch.minimum(best, state.residual)
        values.append(new)
        steps.append(step)
        gram = _grow(gram, steps, images)
        z = _mix(values, _mixing_weights(gram, ridge))
        if len(steps) == memory:
            values.popleft()
            steps.popleft()
            gram = gram[:, 1:, 1:]


def until(states: Iterator[State], tolerance: float, max_iterations: int) -> Iterator[State]:
    """The states up to and with the first whose relative residual is within tolerance in every image.

    Parameters
    ----------
    states : iterator of State
        Of a solver.
    tolerance : float
        Relative residual.
    max_iterations : int
        States at the most.

    Yields
    ------
    State
        At least one, where ``max_iterations`` is 1 or more.
    """
    for state in states:
        yield state
        if state.number >= max_iterations or bool((state.relative_residual <= tolerance).all()):
            return


def phantom(f: Map, z: Code, steps: int, damping: float) -> Code:
    """Differentiable steps z <- (1 - damping) z + damping f(z) from a point found without gradients.

    The gradient through a few damped steps stands for the implicit one. Source: Geng, Zhang, Bai, Wang, Lin, *On
    training implicit models*, NeurIPS 2021 (phantom gradient).

    Parameters
    ----------
    f : callable
        The map.
    z : tuple of tensors
        The fixed point.
    steps : int
        How many.
    damping : float
        From 0 to 1.

    Returns
    -------
    tuple of tensors
        With a graph.
    """
    for _ in range(steps):
        z = tuple(torch.lerp(old, new, damping) for old, new in zip(z, f(z), strict=True))
    return z


def gain(f: Map, z: Code, steps: int = 3, reach: float = 1e-2) -> Tensor:
    """How much f stretches a small change of z along the direction that it stretches most, per image: shape (N,).

    Power iteration with finite differences, v <- (f(z + e v) - f(z)) / e with ||v|| = 1 and e such that the change of
    an entry is ``reach`` on the average. The last step keeps its graph, so that the result can be penalised.

    Parameters
    ----------
    f : callable
        The map.
    z : tuple of tensors
        Where the stretch is measured.
    steps : int
        Of the power iteration.
    reach : float
        Mean change of an entry.

    Returns
    -------
    tensor of shape (N,)
        With a graph.
    """
    images = z[0].shape[0]
    entries = sum(part.numel() for part in z) / images
    reach = reach * entries**0.5
    with torch.no_grad():
        value = f(z)
        v = tuple(torch.randn_like(part) for part in z)
        for _ in range(steps - 1):
            v = _unit(v, images)
            v = tuple(d / reach for d in difference(f(_along(z, v, reach)), value))
        v = _unit(v, images)
    # f(z) once more, with its graph: both ends of the difference depend on the parameters
    return norm(difference(f(_along(z, v, reach)), f(z)), images) / reach


def _state(number: int, new: Code, step: Code, images: int) -> State:
    residual = norm(step, images)
    return State(number, new, residual, residual / norm(new, images).clamp(min=torch.finfo(residual.dtype).tiny))


def _unit(v: Code, images: int) -> Code:
    size = norm(v, images).clamp(min=1e-30)
    return tuple(part / _per_image(size, part) for part in v)


def _along(z: Code, v: Code, reach: float) -> Code:
    return tuple(part + reach * direction for part, direction in zip(z, v, strict=True))


def _per_image(values: Tensor, part: Tensor) -> Tensor:
    repeated = values.repeat_interleave(part.shape[0] // values.shape[0])
    return repeated.view(-1, *[1] * (part.ndim - 1))


def _grow(gram: Tensor, steps: deque[Code], images: int) -> Tensor:
    row = torch.stack([inner(steps[-1], step, images) for step in steps], 1)
    grown = gram.new_zeros(images, len(steps), len(steps))
    grown[:, :-1, :-1] = gram
    grown[:, -1, :] = row
    grown[:, :, -1] = row
    return grown


def _mixing_weights(gram: Tensor, ridge: float) -> Tensor:
    """Minimise a^T G a + ridge mean(diag G) ||a||^2 with sum a = 1: (G + ...) a' = 1, a = a' / sum a'. Shape (N, m)."""
    size = gram.shape[1]
    wide = gram.double()
    mean = wide.diagonal(dim1=1, dim2=2).mean(1).clamp(min=torch.finfo(torch.float64).tiny)
    system = wide / mean[:, None, None] + ridge * torch.eye(size, dtype=torch.float64, device=gram.device)
    weights: Tensor = torch.linalg.solve(system, torch.ones_like(system[:, 0]))
    return (weights / weights.sum(1, keepdim=True)).to(gram.dtype)


def _mix(values: deque[Code], weights: Tensor) -> Code:
    def mixed(parts: tuple[Tensor, ...]) -> Tensor:
        total = _per_image(weights[:, 0], parts[0]) * parts[0]
        for i, part in enumerate(parts[1:], 1):
            total.addcmul_(_per_image(weights[:, i], part), part)
        return total

    return tuple(mixed(parts) for parts in zip(*values, strict=True))
