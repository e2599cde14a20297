"""Normalizations, attention and convolutions of PyTorch, written with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.adapters.frameworks.traced.moves import windows
from gradcheck.adapters.frameworks.traced.torch_arithmetic import softmax
from gradcheck.adapters.frameworks.traced.torch_layout import pieces, swapped


def _layer_norm(x: Any, shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    return _normalized(x, tuple(range(-len(shape), 0)), weight, bias, eps)


def _batch_norm(
    x: Any, weight: Any, bias: Any, mean: Any, var: Any, training: bool, momentum: Any, eps: float
) -> Any:
    channels = (1, -1, *[1] * (np.ndim(x) - 2))
    weight, bias = (None if v is None else np.reshape(v, channels) for v in (weight, bias))
    if training:
        return _normalized(x, (0, *range(2, np.ndim(x))), weight, bias, eps)
    scale = 1 / np.sqrt(np.reshape(var, channels) + eps)
    return (_scaled((x - np.reshape(mean, channels)) * scale, weight, bias), None, None)


def _normalized(x: Any, axes: tuple[int, ...], weight: Any, bias: Any, eps: float) -> Any:
    mean = np.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    inverse = 1 / np.sqrt(np.mean(np.square(centred), axis=axes, keepdims=True) + eps)
    return _scaled(centred * inverse, weight, bias), mean, inverse


def _scaled(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _attention(
    q: Any, k: Any, v: Any, dropout: float = 0, is_causal: bool = False, attn_mask: Any = None,
    scale: float | None = None,
) -> Any:  # fmt: skip
    if dropout:
        raise NotImplementedError("attention with dropout is not replayed")
    scores = np.matmul(q, swapped(k)) * (1 / np.sqrt(np.shape(q)[-1]) if scale is None else scale)
    if is_causal:
        scores = np.where(np.tri(*np.shape(scores)[-2:]) > 0, scores, -np.inf)
    return np.matmul(softmax(scores if attn_mask is None else scores + attn_mask, -1), v), None


def _convolution(
    x: Any, w: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> Any:  # fmt: skip
    if transposed:
        raise NotImplementedError("a transposed convolution is not replayed")
    space = len(stride)
    if any(padding):
        x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])

    seen = windows(x, np.shape(w)[2:], stride, dilation)
    places, offsets = "pqr"[:space], "uvw"[:space]
    parts = []
    for inside, outside in zip(
        _split_even(seen, groups, 1), _split_even(w, groups, 0), strict=True
    ):
        equation = f"nc{places}{offsets},oc{offsets}->no{places}"
        parts.append(np.einsum(equation, inside, outside))
    y = parts[0] if groups == 1 else np.concatenate(parts, axis=1)
    return y if bias is None else y + np.reshape(bias, (1, -1, *[1] * space))


def _split_even(x: Any, parts: int, dim: int) -> Any:
    return [x] if parts == 1 else pieces(x, np.shape(x)[dim] // parts, dim)


LAYERS: dict[str, Callable[..., Any]] = {
    "native_layer_norm": _layer_norm, "native_batch_norm": _batch_norm, "convolution": _convolution,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
}  # fmt: skip
