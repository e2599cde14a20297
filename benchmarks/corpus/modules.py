"""Modules with weight/grad_weight in the manner of old Torch: convolutions."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Conv2d:
    """Plain loops over output positions; padding and stride."""

    def __init__(self, weight, bias, stride=1, padding=0):
        self.weight, self.bias = weight, bias
        self.grad_weight = np.zeros_like(weight)
        self.grad_bias = np.zeros_like(bias)
        self.stride, self.padding = stride, padding

    def forward(self, x):
        p, s = self.padding, self.stride
        self.x_pad = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        n, _, height, width = self.x_pad.shape
        f, _, kh, kw = self.weight.shape
        oh, ow = (height - kh) // s + 1, (width - kw) // s + 1
        out = np.zeros((n, f, oh, ow), dtype=x.dtype)
        for i in range(oh):
            for j in range(ow):
                patch = self.x_pad[:, :, i * s : i * s + kh, j * s : j * s + kw]
                out[:, :, i, j] = np.tensordot(patch, self.weight, ([1, 2, 3], [1, 2, 3]))
        return out + self.bias[None, :, None, None]

    def backward(self, grad_output):
        p, s = self.padding, self.stride
        _, _, kh, kw = self.weight.shape
        self.grad_bias = grad_output.sum(axis=(0, 2, 3))
        self.grad_weight = np.zeros_like(self.weight)
        grad_pad = np.zeros_like(self.x_pad)
        for i in range(grad_output.shape[2]):
            for j in range(grad_output.shape[3]):
                g = grad_output[:, :, i, j]
                patch = self.x_pad[:, :, i * s : i * s + kh, j * s : j * s + kw]
                self.grad_weight += np.tensordot(g, patch, ([0], [0]))
                window = np.tensordot(g, self.weight, ([1], [0]))
                grad_pad[:, :, i * s : i * s + kh, j * s : j * s + kw] += window
        return grad_pad[:, :, p:-p, p:-p] if p else grad_pad


class Conv1d:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias
        self.weight_grad = self.bias_grad = None

    def forward(self, x):
        self.x = x
        k = self.weight.shape[2]
        self.windows = np.lib.stride_tricks.sliding_window_view(x, k, axis=2)
        return np.einsum("nclk,fck->nfl", self.windows, self.weight) + self.bias[:, None]

    def backward(self, grad):
        k = self.weight.shape[2]
        self.weight_grad = np.einsum("nfl,nclk->fck", grad, self.windows)
        self.bias_grad = grad.sum((0, 2))
        padded = np.pad(grad, ((0, 0), (0, 0), (k - 1, k - 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, k, axis=2)
        return np.einsum("nflk,fck->ncl", windows, self.weight[:, :, ::-1])


@recipe("conv2d loops", "object/grad_", Conv2d)
def conv2d(rng, Conv2d, n=2, c=3, size=8, f=4, k=3, stride=1, padding=1, dtype=float):
    weight = rng.normal(0, 0.3, (f, c, k, k)).astype(dtype)
    bias = rng.normal(size=f).astype(dtype)
    return Conv2d(weight, bias, stride, padding), (
        rng.normal(size=(n, c, size, size)).astype(dtype),
    )


conv2d.also("stride 2", stride=2, size=7)
conv2d.also("unpadded", padding=0, size=5)
conv2d.also("float32", dtype=np.float32)
conv2d.also("one by one", k=1, padding=0)
conv2d.breaks(
    "kernel flipped",
    "np.tensordot(g, self.weight, ([1], [0]))",
    "np.tensordot(g, self.weight[:, :, ::-1, ::-1], ([1], [0]))",
    "kernel_flipped",
)
conv2d.breaks(
    "dw flipped",
    "        return grad_pad[:, :, p:-p, p:-p] if p",
    "        self.grad_weight = self.grad_weight[:, :, ::-1, ::-1]\n"
    "        return grad_pad[:, :, p:-p, p:-p] if p",
    "kernel_flipped",
    "weight",
)
conv2d.breaks(
    "overlaps overwrite",
    "j * s : j * s + kw] += window",
    "j * s : j * s + kw] = window",
    "overwritten_not_accumulated",
)
conv2d.breaks(
    "dw overwritten",
    "self.grad_weight += np",
    "self.grad_weight = np",
    "overwritten_not_accumulated last_sample_only",
    "weight",
)
conv2d.breaks(
    "bias over batch only",
    "grad_output.sum(axis=(0, 2, 3))",
    "grad_output.sum(axis=0)",
    "wrong_shape broadcast_not_reduced",
    "bias",
)
conv2d.breaks(
    "bias averaged over pixels",
    "grad_output.sum(axis=(0, 2, 3))",
    "grad_output.mean(axis=(2, 3)).sum(0)",
    "constant_factor",
    "bias",
)
conv2d.breaks(
    "crop off by one",
    "grad_pad[:, :, p:-p, p:-p] if p",
    "grad_pad[:, :, : -2 * p, : -2 * p] if p",
    "wrong_index",
)
conv2d.breaks(
    "stride forgotten",
    "grad_pad[:, :, i * s : i * s + kh, j * s : j * s + kw] += window",
    "grad_pad[:, :, i : i + kh, j : j + kw] += window",
    "wrong_index",
    stride=2,
    size=7,
)
conv2d.breaks(
    "kernel transposed",
    "np.tensordot(g, self.weight, ([1], [0]))",
    "np.tensordot(g, self.weight.swapaxes(2, 3), ([1], [0]))",
    "transposed kernel_flipped",
)
conv2d.breaks(
    "last row of windows",
    "range(grad_output.shape[2])",
    "range(grad_output.shape[2] - 1)",
    "path_missing region_dependent few_entries",
    "x weight",
    notes="loop range one too short",
)
conv2d.breaks(
    "one filter",
    "        return grad_pad[:, :, p:-p, p:-p] if p",
    "        self.grad_weight[2, 1, 0, 0] = 0\n        return grad_pad[:, :, p:-p, p:-p] if p",
    "few_entries",
    "weight",
)


@recipe("conv1d windows", "object/_grad", Conv1d)
def conv1d(rng, Conv1d, n=2, c=3, length=9, f=4, k=3):
    weight, bias = rng.normal(size=(f, c, k)), rng.normal(size=f)
    return Conv1d(weight, bias), (rng.normal(size=(n, c, length)),)


conv1d.also("even kernel", k=4)
conv1d.breaks("not flipped", "self.weight[:, :, ::-1])", "self.weight)", "kernel_flipped")
conv1d.breaks("shifted by one", "(k - 1, k - 1)", "(k, k - 2)", "wrong_index")
conv1d.breaks(
    "dw flipped",
    'np.einsum("nfl,nclk->fck", grad, self.windows)',
    'np.einsum("nfl,nclk->fck", grad, self.windows)[..., ::-1]',
    "kernel_flipped",
    "weight",
)
conv1d.breaks(
    "bias over length only", "grad.sum((0, 2))", "grad[-1].sum(1)", "last_sample_only", "bias"
)
conv1d.breaks(
    "bias of the batch's mean",
    "grad.sum((0, 2))",
    "grad.sum(2).mean(0)",
    "factor_batch_size",
    "bias",
    n=6,
)
