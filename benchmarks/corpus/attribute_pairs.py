"""Layers with attribute pairs (W/dW, b/db), in the manner of a textbook written from scratch."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.x = None
        self.original_x_shape = None
        self.dW = None
        self.db = None

    def forward(self, x):
        self.original_x_shape = x.shape
        x = x.reshape(x.shape[0], -1)
        self.x = x
        return np.dot(self.x, self.W) + self.b

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx.reshape(*self.original_x_shape)


@recipe("affine", "object/attributes", Affine)
def affine(rng, Affine, n=4, d=(6,), m=5, dtype=float):
    W = rng.normal(0, 0.5, (int(np.prod(d)), m)).astype(dtype)
    b = rng.normal(size=m).astype(dtype)
    return Affine(W, b), (rng.normal(size=(n, *d)).astype(dtype),)


affine.also("float32", dtype=np.float32)
affine.also("one sample", n=1)
affine.also("images", d=(2, 3, 3))
affine.also("square", n=5, d=(5,), m=5)
affine.also("mnist", n=8, d=(784,), m=300, dtype=np.float32)
affine.also("mnist float64", n=8, d=(784,), m=300)
affine.breaks("sign of W", "self.dW = np.dot", "self.dW = -np.dot", "sign_flipped", "W")
affine.breaks("sign of x", "dx = np.dot(", "dx = -np.dot(", "sign_flipped")
affine.breaks(
    "mean bias", "np.sum(dout, axis=0)", "np.mean(dout, axis=0)", "factor_batch_size", "b"
)
affine.breaks(
    "W over N",
    "np.dot(self.x.T, dout)",
    "np.dot(self.x.T, dout) / self.x.shape[0]",
    "factor_batch_size",
    "W",
)
affine.breaks(
    "W over N big",
    "np.dot(self.x.T, dout)",
    "np.dot(self.x.T, dout) / len(dout)",
    "factor_batch_size",
    "W",
    n=64,
    d=(100,),
    m=30,
)
affine.breaks(
    "bias to scalar", "np.sum(dout, axis=0)", "np.sum(dout)", "wrong_shape summed_to_scalar", "b"
)
affine.breaks(
    "bias to one number",
    "np.sum(dout, axis=0)",
    "np.sum(dout) * np.ones_like(self.b)",
    "summed_to_scalar",
    "b",
)
affine.breaks(
    "bias not reduced", "np.sum(dout, axis=0)", "dout", "broadcast_not_reduced wrong_shape", "b"
)
affine.breaks(
    "bias of first sample",
    "np.sum(dout, axis=0)",
    "dout[0]",
    "last_sample_only few_entries path_missing",
    "b",
    notes="only the first sample counts",
)
affine.breaks(
    "bias of last sample",
    "np.sum(dout, axis=0)",
    "dout[-1]",
    "last_sample_only overwritten_not_accumulated",
    "b",
)
affine.breaks(
    "bias keeps dims",
    "np.sum(dout, axis=0)",
    "np.sum(dout, axis=0, keepdims=True)",
    "wrong_shape",
    "b",
)
affine.breaks(
    "bias over wrong axis",
    "np.sum(dout, axis=0)",
    "np.sum(dout, axis=1)",
    "wrong_axis",
    "b",
    n=5,
    m=5,
)
affine.breaks(
    "bias over wrong axis, shape",
    "np.sum(dout, axis=0)",
    "np.sum(dout, axis=1)",
    "wrong_shape wrong_axis",
    "b",
)
affine.breaks("W not transposed", "self.W.T", "self.W", "transposed", d=(5,), m=5)
affine.breaks(
    "dW transposed",
    "np.dot(self.x.T, dout)",
    "np.dot(dout.T, self.x)",
    "transposed",
    "W",
    d=(5,),
    m=5,
)
affine.breaks(
    "dW transposed shape",
    "np.dot(self.x.T, dout)",
    "np.dot(dout.T, self.x)",
    "wrong_shape transposed",
    "W",
)
affine.breaks(
    "samples reversed",
    "np.dot(self.x.T, dout)",
    "np.dot(self.x[::-1].T, dout)",
    "wrong_index samples_mixed",
    "W",
)
affine.breaks(
    "last sample dropped",
    "np.dot(self.x.T, dout)",
    "np.dot(self.x[:-1].T, dout[:-1])",
    "path_missing samples_mixed few_entries",
    "W",
    notes="range(n - 1): a sample never counts",
)
affine.breaks(
    "weight decay",
    "np.dot(self.x.T, dout)",
    "np.dot(self.x.T, dout) + 0.1 * self.W",
    "additive_term",
    "W",
)
affine.breaks(
    "weights l1",
    "np.dot(self.x.T, dout)",
    "np.dot(self.x.T, dout) + 0.01 * np.sign(self.W)",
    "additive_term",
    "W",
)
affine.breaks(
    "ignores upstream",
    "np.dot(self.x.T, dout)",
    "np.dot(self.x.T, np.ones_like(dout))",
    "upstream_ignored",
    "W",
)
affine.breaks(
    "bias never written", "np.sum(dout, axis=0)", "np.zeros_like(self.b)", "zero_gradient", "b"
)
affine.breaks(
    "clips dW",
    "np.dot(self.x.T, dout)",
    "np.clip(np.dot(self.x.T, dout), -1, 1)",
    "gradient_clipped region_dependent clip_ignored upstream_ignored",
    "W",
    notes="gradient clipping left inside the layer: not linear in the cotangent",
)
affine.breaks(
    "one entry of W",
    "self.db = np",
    "self.dW[-1, -1] *= 1.001\n        self.db = np",
    "few_entries",
    "W",
    n=8,
    d=(784,),
    m=300,
)
affine.breaks(
    "one row of W",
    "self.db = np",
    "self.dW[-1] = 0\n        self.db = np",
    "few_entries zero_gradient",
    "W",
)
affine.breaks(
    "tiny single entry",
    "self.db = np",
    "self.dW[7, 7] *= 1 + 1e-5\n        self.db = np",
    "few_entries",
    "W",
    n=6,
    d=(100,),
    m=40,
)
affine.breaks(
    "mutates dout",
    "dx = np.dot(",
    "dout *= 2\n        dx = 0.5 * np.dot(",
    "cotangent_mutated",
    "W b",
)
affine.breaks(
    "float16 buffer",
    "self.dW = np.dot(self.x.T, dout)",
    "self.dW = np.dot(self.x.T, dout).astype(np.float16).astype(float)",
    "precision_lost uniformly_inaccurate",
    "W",
)
affine.breaks(
    "float32 buffer",
    "np.dot(self.x.T, dout)",
    "np.float32(self.x.T) @ np.float32(dout)",
    "precision_lost wrong_dtype uniformly_inaccurate",
    "W",
    n=16,
    d=(30,),
)
affine.breaks(
    "two bugs",
    "np.dot(self.x.T, dout)",
    "-np.dot(self.x.T, dout) / 4",
    "factor_batch_size constant_factor sign_flipped",
    "W b",
    and_edit={"np.sum(dout, axis=0)": "np.zeros_like(self.b)"},
)
