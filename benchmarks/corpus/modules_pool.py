"""Pooling and channel scales in the manner of old Torch."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class MaxPool2d:
    def __init__(self, size):
        self.size = size

    def forward(self, x):
        n, c, h, w = x.shape
        k = self.size
        blocks = x.reshape(n, c, h // k, k, w // k, k).transpose(0, 1, 2, 4, 3, 5)
        self.shape, self.blocks = x.shape, blocks.reshape(n, c, h // k, w // k, k * k)
        self.arg = self.blocks.argmax(-1)
        return self.blocks.max(-1)

    def backward(self, grad):
        n, c, h, w = self.shape
        k = self.size
        out = np.zeros_like(self.blocks)
        np.put_along_axis(out, self.arg[..., None], grad[..., None], -1)
        out = out.reshape(n, c, h // k, w // k, k, k).transpose(0, 1, 2, 4, 3, 5)
        return out.reshape(n, c, h, w)


class AvgPool2d:
    def __init__(self, kernel, stride):
        self.kernel, self.stride = kernel, stride

    def forward(self, x):
        k, s = self.kernel, self.stride
        self.shape = x.shape
        oh, ow = (x.shape[2] - k) // s + 1, (x.shape[3] - k) // s + 1
        out = np.empty((*x.shape[:2], oh, ow), x.dtype)
        for i, j in np.ndindex(oh, ow):
            out[..., i, j] = x[..., i * s : i * s + k, j * s : j * s + k].mean((-2, -1))
        return out

    def backward(self, grad):
        k, s = self.kernel, self.stride
        dx = np.zeros(self.shape, grad.dtype)
        for i, j in np.ndindex(*grad.shape[2:]):
            dx[..., i * s : i * s + k, j * s : j * s + k] += grad[..., i, j, None, None] / k**2
        return dx


class ChannelScale:
    """A gain and an offset per channel of an image, broadcast over (N, C, H, W)."""

    def __init__(self, gain, offset):
        self.gain, self.offset = gain, offset
        self.grad_gain = self.grad_offset = None

    def forward(self, x):
        self.x = x
        return x * self.gain + self.offset

    def backward(self, grad):
        self.grad_gain = (grad * self.x).sum((0, 2, 3), keepdims=True)
        self.grad_offset = grad.sum((0, 2, 3), keepdims=True)
        return grad * self.gain


@recipe("max pool", "object/none", MaxPool2d)
def max_pool(rng, MaxPool2d, shape=(2, 3, 8, 8), size=2, ties=False):
    x = rng.integers(0, 3, shape).astype(float) if ties else rng.normal(size=shape)
    return MaxPool2d(size), (x,)


max_pool.also(
    "ties", ties=True, shape=(2, 2, 4, 4), notes="one winner per window: a valid subgradient"
)
max_pool.also("threes", shape=(1, 2, 6, 9), size=3)
max_pool.breaks(
    "window transposed",
    "k, k).transpose(0, 1, 2, 4, 3, 5)\n        return",
    "k, k).transpose(0, 1, 2, 5, 3, 4)\n        return",
    "wrong_index transposed",
)
max_pool.breaks(
    "all winners",
    "np.put_along_axis(out, self.arg[..., None], grad[..., None], -1)",
    "out += (self.blocks == self.blocks.max(-1, keepdims=True)) * grad[..., None] * 2",
    "factor_two",
)
max_pool.breaks(
    "spread evenly",
    "np.put_along_axis(out, self.arg[..., None], grad[..., None], -1)",
    "out += grad[..., None] / k**2",
    "wrong_mask mask_not_applied",
    notes="the backward of an average",
)
max_pool.breaks(
    "argmin", "self.blocks.argmax(-1)", "self.blocks.argmin(-1)", "wrong_mask wrong_index"
)
max_pool.breaks(
    "everyone wins",
    "np.put_along_axis(out, self.arg[..., None], grad[..., None], -1)",
    "out += grad[..., None]",
    "mask_not_applied",
)


@recipe("average pool", "object/none", AvgPool2d)
def avg_pool(rng, AvgPool2d, shape=(2, 3, 7, 7), kernel=3, stride=2):
    return AvgPool2d(kernel, stride), (rng.normal(size=shape),)


avg_pool.also("disjoint", shape=(2, 1, 6, 6), kernel=2)
avg_pool.breaks(
    "overlap overwritten",
    "+= grad[..., i, j, None, None]",
    "= grad[..., i, j, None, None]",
    "overwritten_not_accumulated region_dependent",
)
avg_pool.breaks("divisor forgotten", " / k**2", "", "constant_factor")
avg_pool.breaks("divisor k", "/ k**2", "/ k", "constant_factor")
avg_pool.breaks("stride for kernel", "/ k**2", "/ s**2", "constant_factor")


@recipe("channel scale", "object/grad_", ChannelScale)
def channel_scale(rng, ChannelScale, n=2, c=3, h=4, w=5):
    gain, offset = rng.normal(size=(2, 1, c, 1, 1))
    return ChannelScale(gain, offset), (rng.normal(size=(n, c, h, w)),)


channel_scale.breaks(
    "squeezed", "grad.sum((0, 2, 3), keepdims=True)", "grad.sum((0, 2, 3))", "wrong_shape", "offset"
)
channel_scale.breaks(
    "not reduced",
    "(grad * self.x).sum((0, 2, 3), keepdims=True)",
    "grad * self.x",
    "broadcast_not_reduced wrong_shape",
    "gain",
)
channel_scale.breaks(
    "width not summed",
    "(grad * self.x).sum((0, 2, 3), keepdims=True)",
    "(grad * self.x)[..., :1].sum((0, 2, 3), keepdims=True)",
    "path_missing overwritten_not_accumulated",
    "gain",
    notes="only the first column of every image counts",
)
channel_scale.breaks(
    "one number",
    "grad.sum((0, 2, 3), keepdims=True)",
    "np.full_like(self.offset, grad.sum())",
    "summed_to_scalar",
    "offset",
)
channel_scale.breaks(
    "gain over the wrong axes",
    "(grad * self.x).sum((0, 2, 3), keepdims=True)",
    "(grad * self.x).sum((1, 2, 3)).reshape(self.gain.shape)",
    "wrong_axis",
    "gain",
    n=3,
)
