"""Every property of a softmax bites: planted faults, and the properties that must refuse each."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.properties import Status, run_properties, suite


def asked_about(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def vjp(x, g):
    p = softmax(x)
    return p * (g - (p * g).sum(axis=-1, keepdims=True))


def global_maximum(x):
    e = np.exp(x - x.max())
    return e / e.sum(axis=-1, keepdims=True)


def first_axis(x):
    return softmax(x, axis=0)


def second_axis(x):
    return softmax(x, axis=1)


def last_axis_whatever_asked(x, axis=-1):
    return softmax(x)


def sum_without_keepdims(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1)


def row_by_position(x):
    p = softmax(x)
    if x.ndim == 2:
        p[1:] = softmax(2 * x[1:])
    return p


def no_shift(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def shift_not_below_zero(x):
    e = np.exp(x - np.maximum(x.max(axis=-1, keepdims=True), 0))
    return e / e.sum(axis=-1, keepdims=True)


def shift_by_first(x):
    e = np.exp(x - x[..., :1])
    return e / e.sum(axis=-1, keepdims=True)


def guarded_sum(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / (e.sum(axis=-1, keepdims=True) + 1e-7)


def clipped_logits(x):
    return softmax(np.clip(x, -20, 20))


def clipped_probabilities(x):
    return np.clip(softmax(x), 1e-7, 1)


def in_place(x):
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def float32_inside(x):
    return softmax(x.astype(np.float32)).astype(x.dtype)


def always_float64(x):
    return softmax(np.asarray(x, dtype=np.float64))


def cast_to_input_type(x):
    return softmax(x).astype(x.dtype)


def nan_replaced(x):
    return np.nan_to_num(softmax(x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def base_two(x):
    e = np.exp2(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmin(x):
    return softmax(-x)


def sharpened(x):
    return softmax(3 * x)


def squeezed(x):
    return np.squeeze(softmax(x))


def memory_order_lost(x):
    return softmax(x.ravel(order="K").reshape(x.shape))


def negative_rounding(x):
    return softmax(x) - 1e-12


def weighted_classes(x):
    return softmax(x + 1e-3 * np.arange(x.shape[-1]))


def asymmetric_denominator(x):
    p = softmax(x)
    p[..., -1] = 1 - p[..., :-1].sum(axis=-1) + 1e-3 * np.tanh(x[..., 0])
    return p


def refuses_empty(x):
    return np.stack([softmax(row) for row in x]) if x.ndim == 2 else softmax(x)


def vector_as_column(x):
    return softmax(x) if x.ndim > 1 else np.ones_like(x)


def sign_bit_read(x):
    return softmax(np.where(np.signbit(x), x - 1e-3, x))


def wrong_from_third_class(x):
    p = softmax(x)
    if x.shape[-1] > 2:
        p = softmax(x * 0.5)
    return p


def top_class_halved(x):
    p = softmax(x)
    return np.where(p > 0.9, p * 0.05, p)


class Counting:
    """Slightly different after every call."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return softmax(x) * (1 + 1e-9 * self.calls)


FAULTS = {}
