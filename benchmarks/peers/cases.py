"""The 20 inputs, each right and wrong. What is right tempts a false alarm, where it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.peers.claim import Array, Claim, Counted


@dataclass(frozen=True)
class Case:
    """An input of known truth; ``make(wrong)`` gives it anew."""

    name: str
    make: Callable[[bool], Claim]


# Of -f'(x) / x for f = (1 - cos x) / x^2, in x^2, highest power first.
SERIES = [1 / 47900160, -1 / 453600, 1 / 6720, -1 / 180, 1 / 12]

CASES: list[Case] = []
Make = Callable[[bool], Claim]


def case(name: str) -> Callable[[Make], Make]:
    """Add a case."""

    def add(make: Make) -> Make:
        CASES.append(Case(name, make))
        return make

    return add


def normal(*shape: int, seed: int = 0) -> Array:
    """Return random numbers, the same at every call."""
    return np.random.default_rng(seed).normal(size=shape)


@case("kink 1e-7 away")
def kink(wrong: bool) -> Claim:
    x = normal(6)
    x[2] = 1e-7
    weights = np.arange(1.0, 7.0)
    slope = 1.01 if wrong else 1.0
    return Claim(
        Counted(lambda x: float(weights @ np.maximum(x, 0))),
        x,
        gradient=lambda x: slope * weights * (x > 0),
    )


@case("float32")
def low_precision(wrong: bool) -> Claim:
    W = normal(5, 8).astype(np.float32)
    factor = np.float32(1.02 if wrong else 1.0)

    def f(x: Array) -> Array:
        return np.tanh(W @ x.astype(np.float32))

    return Claim(
        Counted(f),
        normal(8, seed=1).astype(np.float32),
        backward=lambda x, v: factor * (W.T @ ((1 - f(x) ** 2) * v.astype(np.float32))),
    )


@case("scales over 12 orders")
def scales(wrong: bool) -> Claim:
    unit = np.logspace(-6, 6, 7)
    factor = np.array([1, 1, 1, 1, 1, 1, 2.0 if wrong else 1.0])
    return Claim(
        Counted(lambda x: float(np.sum(np.sin(x / unit)))),
        unit * np.linspace(0.3, 1.2, 7),
        gradient=lambda x: factor * np.cos(x / unit) / unit,
    )


@case("saturation")
def saturation(wrong: bool) -> Claim:
    def derivative(x: Array) -> Array:
        e = np.exp(-2 * np.abs(x))
        return (2 if wrong else 4) * e / (1 + e) ** 2

    return Claim(
        Counted(np.tanh), np.linspace(8.5, 9.5, 5), backward=lambda x, v: derivative(x) * v
    )


@case("iterations to 1e-9")
def iterations(wrong: bool) -> Claim:
    def solve(m: Array) -> Array:
        """Solve Kepler's equation E - e sin E = m by fixed-point iterations."""
        E = m.copy()
        while True:
            E, before = m + 0.4 * np.sin(E), E
            if np.max(np.abs(E - before)) < 1e-9:
                return E

    factor = 1.001 if wrong else 1.0
    return Claim(
        Counted(solve),
        np.linspace(0.4, 2.5, 6),
        backward=lambda m, v: factor * v / (1 - 0.4 * np.cos(solve(m))),
    )


@case("stale cache")
def stale_cache(wrong: bool) -> Claim:
    cache: dict[str, Array] = {}

    def forward(x: Array) -> Array:
        if not (wrong and cache):
            cache["x"] = x.copy()
        return x**3

    def backward(x: Array, v: Array) -> Array:
        forward(x)
        return 3 * cache["x"] ** 2 * v

    return Claim(Counted(forward), normal(5), backward=backward)


@case("1e-3 in one of 1,000 entries")
def one_entry(wrong: bool) -> Claim:
    factor = np.ones(1000)
    factor[617] = 1.001 if wrong else 1.0
    return Claim(
        Counted(lambda x: float(np.sum(np.exp(x)))),
        0.3 * normal(1000),
        gradient=lambda x: factor * np.exp(x),
    )


@case("transposition")
def transposition(wrong: bool) -> Claim:
    W = normal(5, 5)
    back = W if wrong else W.T
    return Claim(
        Counted(lambda x: np.tanh(W @ x)),
        normal(5, seed=1),
        backward=lambda x, v: back @ ((1 - np.tanh(W @ x) ** 2) * v),
    )


@case("conjugate")
def conjugate(wrong: bool) -> Claim:
    C = normal(4, 5) + 1j * normal(4, 5, seed=1)
    back = C.T if wrong else C.conj().T
    return Claim(
        Counted(lambda z: (C @ z) ** 2),
        normal(5, seed=2) + 1j * normal(5, seed=3),
        backward=lambda z, v: back @ ((2 * C @ z).conj() * v),
    )


@case("Hessian, asymmetric")
def hessian(wrong: bool) -> Claim:
    def gradient(x: Array) -> Array:
        return np.array([2 * x[0] * x[1] ** 2, 2 * x[0] ** 2 * x[1] + np.cos(x[1])])

    def second(x: Array) -> Array:
        mixed = 4 * x[0] * x[1]
        below = 2 * mixed if wrong else mixed
        return np.array([[2 * x[1] ** 2, mixed], [below, 2 * x[0] ** 2 - np.sin(x[1])]])

    return Claim(
        Counted(gradient),
        np.array([0.7, 1.3]),
        hessian=second,
        scalar=lambda x: float(x[0] ** 2 * x[1] ** 2 + np.sin(x[1])),
    )


@case("jvp")
def forward_mode(wrong: bool) -> Claim:
    W = normal(3, 4)
    slope = 2 if wrong else 1
    return Claim(
        Counted(lambda x: np.tanh(W @ x)),
        normal(4, seed=1),
        jvp=lambda x, t: (1 - slope * np.tanh(W @ x) ** 2) * (W @ t),
    )


@case("sparse pattern")
def pattern(wrong: bool) -> Claim:
    size = 30
    rows = np.concatenate([np.arange(size), np.arange(size - 1), np.arange(1, size)])
    columns = np.concatenate([np.arange(size), np.arange(1, size), np.arange(size - 1)])
    if wrong:
        kept = ~((rows == 17) & (columns == 18))
        rows, columns = rows[kept], columns[kept]

    def f(x: Array) -> Array:
        y = x**3
        y[:-1] += x[1:] ** 2
        y[1:] -= x[:-1]
        return y

    def jacobian(x: Array) -> Any:
        values = np.where(
            rows == columns, 3 * x[columns] ** 2, np.where(rows < columns, 2 * x[columns], -1.0)
        )
        return sparse.csr_array((values, (rows, columns)), shape=(size, size))

    return Claim(Counted(f), 1 + normal(size) / 4, jacobian=jacobian, pattern=(rows, columns))


@case("row of a Jacobian")
def row(wrong: bool) -> Claim:
    t = np.linspace(0, 3, 9)

    def jacobian(p: Array) -> Array:
        e = np.exp(-p[1] * t)
        found = np.stack([e, -p[0] * t * e, np.ones_like(t)], axis=1)
        if wrong:
            found[4] *= 1.01
        return found

    return Claim(
        Counted(lambda p: p[0] * np.exp(-p[1] * t) + p[2]),
        np.array([1.0, 0.5, 0.2]),
        jacobian=jacobian,
    )


@case("second backward")
def second_backward(wrong: bool) -> Claim:
    import torch

    counted = Counted(lambda x: x**3)

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return counted(x)

        @staticmethod
        def backward(ctx: Any, v: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x * (x.detach() if wrong else x) * v

    return Claim(counted, normal(4), torch_function=Cube, options={"order": 2})


@case("operator, not linear")
def nonlinear(wrong: bool) -> Claim:
    A, shift = normal(5, 4), 1e-3 if wrong else 0.0
    return Claim(
        Counted(lambda x: A @ x + shift),
        normal(4, seed=1),
        backward=lambda x, v: A.T @ v,
        is_operator=True,
    )


@case("rmatvec")
def adjoint(wrong: bool) -> Claim:
    end = -1.0 if wrong else 1.0

    def back(x: Array, v: Array) -> Array:
        padded = np.concatenate([[0.0], v, [0.0]])
        found = -np.diff(padded)
        found[-1] *= end
        return found

    return Claim(Counted(np.diff), normal(8), backward=back, is_operator=True)


class Disciplines:
    """Lift and drag of an angle and an area."""

    def __init__(self, counted: Counted, factor: float) -> None:
        self.counted, self.factor = counted, factor

    def compute(self, inputs: Any, outputs: Any) -> None:
        outputs["lift"], outputs["drag"] = self.counted(inputs["angle"], inputs["area"])

    def compute_partials(self, inputs: Any, partials: Any) -> None:
        angle, area = inputs["angle"], inputs["area"]
        partials["lift", "angle"] = np.cos(angle) * area
        partials["lift", "area"] = np.sin(angle)
        partials["drag", "angle"] = self.factor * 2 * angle * area**2
        partials["drag", "area"] = 2 * area * (0.1 + angle**2)


@case("partial of a component")
def component(wrong: bool) -> Claim:
    def disciplines(angle: Array, area: Array) -> tuple[Array, Array]:
        return np.sin(angle) * area, (0.1 + angle**2) * area**2

    counted = Counted(disciplines)
    made = Disciplines(counted, 0.5 if wrong else 1.0)
    return Claim(counted, np.array([0.3, 2.0]), component=made)


@case("symmetric point")
def symmetric(wrong: bool) -> Claim:
    B = normal(4, 4)
    S = B @ B.T + np.eye(4)
    sign = 1.01 if wrong else 1.0

    def log_determinant(S: Array) -> float:
        lower = np.linalg.cholesky(S)  # which reads one triangle only
        return float(2 * np.sum(np.log(np.diag(lower))))

    return Claim(
        Counted(log_determinant),
        S,
        gradient=lambda S: sign * np.linalg.inv(S),
        options={"constraint": "symmetric"},
    )


@case("removable singularity")
def cancellation(wrong: bool) -> Claim:
    def f(x: Array) -> float:
        return float(np.sum((1 - np.cos(x)) / x**2))

    def gradient(x: Array) -> Array:
        return (-1.1 if wrong else -1.0) * x * np.polyval(SERIES, x**2)

    return Claim(Counted(f), np.array([1e-3, 3e-2, 0.2]), gradient=gradient)


@case("column left at zero")
def column(wrong: bool) -> Claim:
    W = normal(6, 4)

    def jacobian(x: Array) -> Array:
        found = (1 / (1 + (W @ x) ** 2))[:, None] * W
        if wrong:
            found[:, 2] = 0
        return found

    return Claim(Counted(lambda x: np.arctan(W @ x)), normal(4, seed=1), jacobian=jacobian)
