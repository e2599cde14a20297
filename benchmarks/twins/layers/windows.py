"""Layers that look at windows: convolutions and pooling."""

from __future__ import annotations

import numpy as np

from benchmarks.twins.layer import layer

TAPS = 3


def convolution_forward(x, w):
    length = x.shape[1] - TAPS + 1
    y = x[:, 0:length] @ w[0]
    for k in range(1, TAPS):
        y = y + x[:, k : k + length] @ w[k]
    return y, (x, w)


def convolution_backward(grad, saved):
    x, w = saved
    length = grad.shape[1]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for k in range(TAPS):
        window = x[:, k : k + length]
        dw[k] = np.einsum("nlc,nld->cd", window, grad)
        dx[:, k : k + length] += grad @ w[k].T
    return dx, dw


convolution = layer(convolution_forward, convolution_backward, x=(2, 7, 3), w=(3, 3, 3))
convolution.breaks("replaced", "+= grad @ w[k].T", "= grad @ w[k].T",
                   "overwritten_not_accumulated")  # fmt: skip
convolution.breaks("kernel flipped", "grad @ w[k].T", "grad @ w[TAPS - 1 - k].T",
                   "kernel_flipped wrong_index")  # fmt: skip
convolution.breaks("not transposed", "w[k].T", "w[k]", "transposed")
convolution.breaks("window not moved", "window = x[:, k : k + length]", "window = x[:, 0:length]",
                   "wrong_index")  # fmt: skip
convolution.breaks("last tap left out", "for k in range(TAPS):", "for k in range(TAPS - 1):",
                   "path_missing wrong_index few_entries zero_gradient "
                   "region_dependent")  # fmt: skip
convolution.breaks("dw transposed", "nlc,nld->cd", "nlc,nld->dc", "transposed")


def convolution_2d_forward(x, w):
    high, wide = x.shape[1] - 1, x.shape[2] - 1
    y = np.zeros_like(x[:, :high, :wide])
    for i in range(2):
        for j in range(2):
            y = y + w[i, j] * x[:, i : i + high, j : j + wide]
    return y, (x, w)


def convolution_2d_backward(grad, saved):
    x, w = saved
    high, wide = grad.shape[1], grad.shape[2]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(2):
        for j in range(2):
            dw[i, j] = (grad * x[:, i : i + high, j : j + wide]).sum()
            dx[:, i : i + high, j : j + wide] += w[i, j] * grad
    return dx, dw


convolution_2d = layer(convolution_2d_forward, convolution_2d_backward, x=(2, 4, 4), w=(2, 2))
convolution_2d.breaks("kernel flipped", "w[i, j] * grad", "w[1 - i, 1 - j] * grad",
                      "kernel_flipped")  # fmt: skip
convolution_2d.breaks("kernel transposed", "w[i, j] * grad", "w[j, i] * grad", "transposed "
                      "wrong_index")  # fmt: skip
convolution_2d.breaks("replaced", "+= w[i, j] * grad", "= w[i, j] * grad",
                      "overwritten_not_accumulated")  # fmt: skip
convolution_2d.breaks("mean", "+ wide]).sum()", "+ wide]).mean()", "constant_factor "
                      "factor_batch_size")  # fmt: skip


def max_pool_forward(x):
    n, length, channels = x.shape
    windows = x.reshape(n, length // 2, 2, channels)
    y = windows.max(axis=2)
    return y, (x, y)


def max_pool_backward(grad, saved):
    x, y = saved
    n, length, channels = x.shape
    windows = x.reshape(n, length // 2, 2, channels)
    mask = windows == y[:, :, None]
    dx = mask * grad[:, :, None]
    return dx.reshape(x.shape)


max_pool = layer(max_pool_forward, max_pool_backward, x=(2, 6, 3))
max_pool.breaks("to all", "mask * grad[:, :, None]", "np.ones_like(windows) * grad[:, :, None]",
                "mask_not_applied wrong_mask")  # fmt: skip
max_pool.breaks("averages", "mask * grad[:, :, None]",
                "0.5 * np.ones_like(windows) * grad[:, :, None]",
                "mask_not_applied wrong_mask gradient_of_other_loss")  # fmt: skip
max_pool.breaks("the smallest", "windows == y", "windows != y", "wrong_mask wrong_index")


def average_pool_forward(x):
    n, length, channels = x.shape
    y = x.reshape(n, length // 2, 2, channels).mean(axis=2)
    return y, (x,)


def average_pool_backward(grad, saved):
    (x,) = saved
    dx = np.zeros_like(x)
    dx[:, 0::2] = grad / 2
    dx[:, 1::2] = grad / 2
    return dx


average_pool = layer(average_pool_forward, average_pool_backward, x=(2, 6, 3))
average_pool.breaks("not divided", "dx[:, 0::2] = grad / 2", "dx[:, 0::2] = grad",
                    "factor_two wrong_index region_dependent path_missing constant_factor "
                    "few_entries")  # fmt: skip
average_pool.breaks("the second left out", "    dx[:, 1::2] = grad / 2\n", "",
                    "path_missing wrong_index zero_gradient region_dependent few_entries "
                    "mask_not_applied wrong_mask")  # fmt: skip
average_pool.breaks("by window squared", "dx[:, 1::2] = grad / 2", "dx[:, 1::2] = grad / 4",
                    "factor_two wrong_index region_dependent path_missing constant_factor "
                    "few_entries")  # fmt: skip
