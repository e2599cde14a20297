"""Jacobians with a slip, as people write them for solvers: the wrong line is marked ``# wrong``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

T = np.linspace(0.1, 2.0, 7)
Y = np.cos(T)
SIGMA = np.linspace(0.5, 2.0, 7)
A = np.random.default_rng(5).standard_normal((6, 4))
B = np.random.default_rng(6).standard_normal((4, 4))
P = np.array([1.3, 0.7, 0.4])
X4 = np.array([0.3, -0.8, 1.1, 0.6])
U = np.linspace(0.4, 1.6, 9)
H = 0.1


@dataclass(frozen=True)
class Slip:
    """A function, a wrong Jacobian of it, the point, and what is to be said of it.

    ``codes`` are the names that are right, ``region`` a part of where it is wrong.
    """

    name: str
    function: Callable[..., Any]
    jacobian: Callable[..., Any]
    x: np.ndarray
    codes: tuple[str, ...]
    region: str
    banded: tuple[int, int] | None = None


# residual models


def decay(p):
    return p[0] * np.exp(-p[1] * T) + p[2] - Y


def decay_sign(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, p[0] * T * e, np.ones_like(T)], axis=1)  # wrong


def decay_without_inner(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * e, np.ones_like(T)], axis=1)  # wrong


def decay_columns_exchanged(p):
    e = np.exp(-p[1] * T)
    return np.stack([-p[0] * T * e, e, np.ones_like(T)], axis=1)  # wrong


def decay_by_rows(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones_like(T)])  # wrong


def decay_without_offset(p):
    e = np.exp(-p[1] * T)
    J = np.zeros((len(T), 3))
    J[:, 0] = e
    J[:, 1] = -p[0] * T * e
    J[:, 2] = 0.0  # wrong
    return J


def misfit(p):
    return Y - p[0] * np.exp(-p[1] * T) - p[2]


def misfit_of_model(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones_like(T)], axis=1)  # wrong


def weighted(p):
    return (p[0] * np.exp(-p[1] * T) + p[2] - Y) / SIGMA


def weighted_without_weights(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones_like(T)], axis=1)  # wrong


def mean_misfit(p):
    return (p[0] * np.exp(-p[1] * T) + p[2] - Y) / len(T)


def mean_misfit_summed(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones_like(T)], axis=1)  # wrong


def squares(x):
    return (A @ x) ** 2


def squares_halved(x):
    return (A @ x)[:, None] * A  # wrong


def saturation(x):
    return np.tanh(A @ x)


def saturation_without_derivative(x):
    return np.ones(len(A))[:, None] * A  # wrong


def saturation_row_zero(x):
    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    J[3] = 0  # wrong
    return J


def saturation_rows_exchanged(x):
    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    J[[1, 2]] = J[[2, 1]]  # wrong
    return J


def saturation_row_twice(x):
    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    J[4] = 2 * J[4]  # wrong
    return J


def saturation_block(x):
    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    J[1:3, 2:4] = -J[1:3, 2:4]  # wrong
    return J


def saturation_last_row(x):
    J = np.zeros((len(A), len(x)))
    for i in range(len(A) - 1):  # wrong
        J[i] = (1 - np.tanh(A[i] @ x) ** 2) * A[i]
    return J


def log_scale(q):
    return A @ np.exp(q)


def log_scale_without_inner(q):
    return A * np.ones(4)  # wrong


# chemistry: Robertson's and the Brusselator


def robertson(y):
    a, b, c = y
    r1, r2, r3 = 0.04 * a, 3.0 * b**2, 1.0 * b * c
    return np.array([-r1 + r3, r1 - r3 - r2, r2])


def robertson_term_missing(y):
    _, b, c = y
    return np.array([
        [-0.04, c, b],
        [0.04, -c, -b],  # wrong
        [0.0, 6.0 * b, 0.0],
    ])  # fmt: skip


def robertson_sign(y):
    _, b, c = y
    return np.array([
        [-0.04, c, b],
        [0.04, -c - 6.0 * b, b],  # wrong
        [0.0, 6.0 * b, 0.0],
    ])  # fmt: skip


def robertson_half(y):
    _, b, c = y
    return np.array([
        [-0.04, c, b],
        [0.04, -c - 6.0 * b, -b],
        [0.0, 3.0 * b, 0.0],  # wrong
    ])  # fmt: skip


def brusselator(z):
    u, v = z
    return np.array([1.0 + u**2 * v - 4.0 * u, 3.0 * u - u**2 * v])


def brusselator_transposed(z):
    u, v = z
    return np.array([[2 * u * v - 4.0, 3.0 - 2 * u * v], [u**2, -(u**2)]])  # wrong


# robotics: a planar arm of two links


def arm(q):
    return np.array([
        np.cos(q[0]) + 0.8 * np.cos(q[0] + q[1]),
        np.sin(q[0]) + 0.8 * np.sin(q[0] + q[1]),
        q[0] + q[1],
    ])  # fmt: skip


def arm_sines(q):
    s, c = np.sin(q[0] + q[1]), np.cos(q[0] + q[1])
    return np.array([
        [np.sin(q[0]) + 0.8 * s, 0.8 * s],  # wrong
        [np.cos(q[0]) + 0.8 * c, 0.8 * c],
        [1.0, 1.0],
    ])  # fmt: skip


def arm_joint_alone(q):
    s, c = np.sin(q[0] + q[1]), np.cos(q[0] + q[1])
    return np.array([
        [-np.sin(q[0]) - 0.8 * s, -0.8 * np.sin(q[1])],  # wrong
        [np.cos(q[0]) + 0.8 * c, 0.8 * c],
        [1.0, 1.0],
    ])  # fmt: skip


# stencils, bands and blocks


def diffusion(u):
    r = -2.0 * u
    r[1:] += u[:-1]
    r[:-1] += u[1:]
    return r - 0.5 * u**3


def diffusion_dense(u, lower=1.0, upper=1.0, reaction=1.5):
    n = len(u)
    return (
        np.diag(-2.0 - reaction * u**2)
        + np.diag(np.full(n - 1, lower), -1)
        + np.diag(np.full(n - 1, upper), 1)
    )


def diffusion_reaction_halved(u):
    return diffusion_dense(u, reaction=0.5)  # wrong


def diffusion_upper_sign(u):
    return diffusion_dense(u, upper=-1.0)  # wrong


def diffusion_diagonal_alone(u):
    return np.diag(-2.0 - 1.5 * u**2)  # wrong


def diffusion_sparse_without_lower(u):
    n = len(u)
    stored = [-2.0 - 1.5 * u**2, np.ones(n - 1)]  # wrong
    return sparse.diags_array(stored, offsets=[0, 1], shape=(n, n)).tocsr()  # wrong


def held(u):
    r = diffusion(u)
    r[0] = u[0] ** 2 - 0.4
    return r


def held_sparse_without_square(u):
    J = sparse.lil_array(diffusion_dense(u))
    J[0, 1] = 0.0
    J[0, 0] = 0.4  # wrong
    return J.tocsr()


def advection(u):
    r = u**2
    r[1:] -= u[:-1] ** 2
    return r


def advection_upwind(u):
    return np.diag(2 * u) - np.diag(2 * u[1:], 1)  # wrong


def advection_shifted(u):
    ab = np.zeros((2, len(u)))
    ab[0] = 2 * u
    ab[1, 1:] = -2 * u[:-1]  # wrong
    return ab


def implicit_euler(u):
    return u - U - H * diffusion(u)


def implicit_euler_without_identity(u):
    return -H * diffusion_dense(u)  # wrong


def implicit_euler_sign(u):
    return np.eye(len(u)) + H * diffusion_dense(u)  # wrong


def implicit_euler_without_step(u):
    return np.eye(len(u)) - diffusion_dense(u)  # wrong


def damped(x):
    return B @ np.sin(x) + 0.3 * x


def damped_without_damping(x):
    return B * np.cos(x)  # wrong


def damped_transposed(x):
    return (B * np.cos(x)).T + 0.3 * np.eye(4)  # wrong


def damped_rows_scaled(x):
    return B * np.cos(x)[:, None] + 0.3 * np.eye(4)  # wrong


def damped_finite_differences(x):
    step = 1e-5
    return np.stack([(damped(x + step * e) - damped(x)) / step for e in np.eye(4)], axis=1)  # wrong


def damped_single(x):
    return (B * np.cos(x) + 0.3 * np.eye(4)).astype(np.float32)  # wrong


def coupled(z):
    x, y = z[:4], z[4:]
    return np.concatenate([x**2 + B @ y, np.sin(y) * x])


def coupled_without_coupling(z):
    x, y = z[:4], z[4:]
    J = np.zeros((8, 8))
    J[:4, :4] = np.diag(2 * x)
    J[:4, 4:] = 0 * B  # wrong
    J[4:, :4] = np.diag(np.sin(y))
    J[4:, 4:] = np.diag(np.cos(y) * x)
    return J


def coupled_blocks_exchanged(z):
    x, y = z[:4], z[4:]
    J = np.zeros((8, 8))
    J[:4, :4] = np.diag(2 * x)
    J[:4, 4:] = B
    J[4:, :4] = np.diag(np.cos(y) * x)  # wrong
    J[4:, 4:] = np.diag(np.sin(y))  # wrong
    return J


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def softmax_diagonal(x):
    s = softmax(x)
    return np.diag(s * (1 - s))  # wrong


def softmax_sign(x):
    s = softmax(x)
    return np.diag(s) + np.outer(s, s)  # wrong


Z = np.concatenate([X4, X4[::-1]])
Y3, Q2, UV = np.array([0.9, 0.4, 0.7]), np.array([0.4, 1.1]), np.array([1.2, 2.1])

SLIPS = [
    Slip("decay_sign", decay, decay_sign, P, ("sign_flipped",), "column 1 of 3"),
    Slip(
        "decay_without_inner",
        decay,
        decay_without_inner,
        P,
        ("path_missing", "few_entries", "activation_derivative_missing"),
        "column 1 of 3",
    ),
    Slip(
        "decay_columns_exchanged",
        decay,
        decay_columns_exchanged,
        P,
        ("wrong_index", "swapped"),
        "columns 0, 1 of 3",
    ),
    Slip("decay_by_rows", decay, decay_by_rows, P, ("transposed",), ""),
    Slip(
        "decay_without_offset",
        decay,
        decay_without_offset,
        P,
        ("zero_gradient",),
        "column 2 of 3",
    ),
    Slip("misfit_of_model", misfit, misfit_of_model, P, ("sign_flipped",), "every entry"),
    Slip("weighted_without_weights", weighted, weighted_without_weights, P, ("path_missing",), ""),
    Slip(
        "mean_misfit_summed",
        mean_misfit,
        mean_misfit_summed,
        P,
        ("factor_batch_size",),
        "every entry",
    ),
    Slip("squares_halved", squares, squares_halved, X4, ("factor_two",), "every entry"),
    Slip(
        "saturation_without_derivative",
        saturation,
        saturation_without_derivative,
        X4,
        ("activation_derivative_missing", "path_missing"),
        "",
    ),
    Slip(
        "saturation_row_zero",
        saturation,
        saturation_row_zero,
        X4,
        ("zero_gradient",),
        "row 3 of 6",
    ),
    Slip(
        "saturation_rows_exchanged",
        saturation,
        saturation_rows_exchanged,
        X4,
        ("wrong_index",),
        "rows 1, 2 of 6",
    ),
    Slip(
        "saturation_row_twice",
        saturation,
        saturation_row_twice,
        X4,
        ("factor_two",),
        "row 4 of 6",
    ),
    Slip(
        "saturation_block",
        saturation,
        saturation_block,
        X4,
        ("sign_flipped",),
        "block [1:3, 2:4]",
    ),
    Slip(
        "saturation_last_row",
        saturation,
        saturation_last_row,
        X4,
        ("zero_gradient",),
        "row 5 of 6",
    ),
    Slip(
        "log_scale_without_inner",
        log_scale,
        log_scale_without_inner,
        X4,
        ("path_missing", "activation_derivative_missing"),
        "",
    ),
    Slip(
        "robertson_term_missing",
        robertson,
        robertson_term_missing,
        Y3,
        ("path_missing", "few_entries"),
        "entry [1, 1]",
    ),
    Slip("robertson_sign", robertson, robertson_sign, Y3, ("sign_flipped",), "entry [1, 2]"),
    Slip("robertson_half", robertson, robertson_half, Y3, ("factor_two",), "entry [2, 1]"),
    Slip("brusselator_transposed", brusselator, brusselator_transposed, UV, ("transposed",), ""),
    Slip("arm_sines", arm, arm_sines, Q2, ("sign_flipped",), "row 0 of 3"),
    Slip(
        "arm_joint_alone",
        arm,
        arm_joint_alone,
        Q2,
        ("few_entries", "derivative_at_wrong_point"),
        "entry [0, 1]",
    ),
    Slip(
        "diffusion_reaction_halved",
        diffusion,
        diffusion_reaction_halved,
        U,
        ("constant_factor", "few_entries", "path_missing", "slope_wrong"),
        "the diagonal",
    ),
    Slip(
        "diffusion_upper_sign",
        diffusion,
        diffusion_upper_sign,
        U,
        ("sign_flipped",),
        "the diagonal +1",
    ),
    Slip(
        "diffusion_diagonal_alone",
        diffusion,
        diffusion_diagonal_alone,
        U,
        ("jacobian_diagonal_only",),
        "the diagonal -1 and the diagonal +1",
    ),
    Slip(
        "diffusion_sparse_without_lower",
        diffusion,
        diffusion_sparse_without_lower,
        U,
        ("sparsity_too_small",),
        "the diagonal -1",
    ),
    Slip(
        "held_sparse_without_square",
        held,
        held_sparse_without_square,
        U,
        ("few_entries", "factor_two"),
        "entry [0, 0]",
    ),
    Slip("advection_upwind", advection, advection_upwind, U, ("transposed", "wrong_index"), ""),
    Slip(
        "advection_shifted",
        advection,
        advection_shifted,
        U,
        ("wrong_index",),
        "the diagonal -1",
        (1, 0),
    ),
    Slip(
        "implicit_euler_without_identity",
        implicit_euler,
        implicit_euler_without_identity,
        U,
        ("path_missing",),
        "the diagonal",
    ),
    Slip("implicit_euler_sign", implicit_euler, implicit_euler_sign, U, ("sign_flipped",), ""),
    Slip(
        "implicit_euler_without_step",
        implicit_euler,
        implicit_euler_without_step,
        U,
        ("constant_factor",),
        "",
    ),
    Slip(
        "damped_without_damping",
        damped,
        damped_without_damping,
        X4,
        ("additive_term", "path_missing"),
        "the diagonal",
    ),
    Slip("damped_transposed", damped, damped_transposed, X4, ("transposed",), "off the diagonal"),
    Slip(
        "damped_rows_scaled",
        damped,
        damped_rows_scaled,
        X4,
        ("wrong_axis", "path_missing", "wrong_index"),
        "",
    ),
    Slip(
        "damped_finite_differences",
        damped,
        damped_finite_differences,
        X4,
        ("uniformly_inaccurate",),
        "",
    ),
    Slip("damped_single", damped, damped_single, X4, ("precision_lost", "wrong_dtype"), ""),
    Slip(
        "coupled_without_coupling",
        coupled,
        coupled_without_coupling,
        Z,
        ("path_missing",),
        "block [0:4, 4:8]",
    ),
    Slip(
        "coupled_blocks_exchanged",
        coupled,
        coupled_blocks_exchanged,
        Z,
        ("wrong_index", "swapped"),
        "rows 4, 5, 6, 7",
    ),
    Slip(
        "softmax_diagonal",
        softmax,
        softmax_diagonal,
        X4,
        ("jacobian_diagonal_only",),
        "off the diagonal",
    ),
    Slip("softmax_sign", softmax, softmax_sign, X4, ("sign_flipped", "path_missing"), ""),
]
