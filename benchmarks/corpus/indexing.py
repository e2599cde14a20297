"""Gather, scatter, sort, cumulate: layers that move numbers about."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Gather:
    """Rows of x by index, repeats allowed."""

    def __init__(self, index):
        self.index = np.asarray(index)

    def forward(self, x):
        self.rows = x.shape[0]
        return x[self.index]

    def backward(self, grad):
        dx = np.zeros((self.rows, *grad.shape[1:]))
        np.add.at(dx, self.index, grad)
        return dx


class CumSum:
    def forward(self, x):
        return np.cumsum(x, axis=1)

    def backward(self, grad):
        return np.flip(np.cumsum(np.flip(grad, 1), 1), 1)


class Sort:
    def forward(self, x):
        self.order = np.argsort(x, axis=1)
        return np.take_along_axis(x, self.order, 1)

    def backward(self, grad):
        dx = np.empty_like(grad)
        np.put_along_axis(dx, self.order, grad, 1)
        return dx


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(x.shape[0], -1)

    def backward(self, grad):
        return grad.reshape(self.shape)


class Transpose:
    """Channels first to channels last."""

    def forward(self, x):
        return x.transpose(0, 2, 3, 1)

    def backward(self, grad):
        return grad.transpose(0, 3, 1, 2)


class Concat:
    def forward(self, a, b):
        self.cut = a.shape[1]
        return np.concatenate([a, b], axis=1)

    def backward(self, grad):
        return grad[:, : self.cut], grad[:, self.cut :]


class Upsample:
    """Nearest neighbour, each pixel k x k times."""

    def __init__(self, k=2):
        self.k = k

    def forward(self, x):
        return x.repeat(self.k, axis=2).repeat(self.k, axis=3)

    def backward(self, grad):
        n, c, h, w = grad.shape
        k = self.k
        return grad.reshape(n, c, h // k, k, w // k, k).sum(axis=(3, 5))


class MovingAverage:
    """Exponential, along time."""

    def __init__(self, decay=0.8):
        self.decay = decay

    def forward(self, x):
        y = np.empty_like(x)
        state = np.zeros_like(x[0])
        for t in range(len(x)):
            state = self.decay * state + (1 - self.decay) * x[t]
            y[t] = state
        return y

    def backward(self, grad):
        dx = np.empty_like(grad)
        carry = np.zeros_like(grad[0])
        for t in range(len(grad) - 1, -1, -1):
            carry = grad[t] + self.decay * carry
            dx[t] = (1 - self.decay) * carry
        return dx


class PairwiseDistances:
    def forward(self, x):
        self.x = x
        diff = x[:, None] - x[None]
        return (diff**2).sum(-1)

    def backward(self, grad):
        both = grad + grad.T
        return 2 * (both.sum(1, keepdims=True) * self.x - both @ self.x)


@recipe("gather", "object/none", Gather)
def gather(rng, Gather, index=(0, 2, 2, 4, 2), rows=6, d=3):
    return Gather(index), (rng.normal(size=(rows, d)),)


gather.also("permutation", index=(3, 1, 0, 2, 5, 4))
gather.breaks(
    "fancy +=",
    "np.add.at(dx, self.index, grad)",
    "dx[self.index] += grad",
    "overwritten_not_accumulated",
)
gather.breaks(
    "positions", "np.add.at(dx, self.index, grad)", "dx[: len(self.index)] = grad", "wrong_index"
)
gather.breaks(
    "gathers again",
    "np.add.at(dx, self.index, grad)",
    "dx[: len(self.index)] = grad[self.index]",
    "wrong_index transposed",
    index=(1, 2, 3, 4, 5, 0),
    notes="the inverse permutation is needed",
)

cumsum = recipe("cumsum", "object/none", CumSum)(
    lambda rng, CumSum, n=3, d=6: (CumSum(), (rng.normal(size=(n, d)),))
)
cumsum.breaks(
    "not reversed",
    "np.flip(np.cumsum(np.flip(grad, 1), 1), 1)",
    "np.cumsum(grad, 1)",
    "transposed wrong_index derivative_at_wrong_point",
    notes="the forward map for its transpose",
)
cumsum.breaks(
    "other axis",
    "np.flip(np.cumsum(np.flip(grad, 1), 1), 1)",
    "np.flip(np.cumsum(np.flip(grad, 0), 0), 0)",
    "wrong_axis samples_mixed",
)
cumsum.breaks(
    "identity",
    "np.flip(np.cumsum(np.flip(grad, 1), 1), 1)",
    "grad.copy()",
    "path_missing activation_derivative_missing jacobian_diagonal_only",
)
cumsum.breaks(
    "strict",
    "np.flip(np.cumsum(np.flip(grad, 1), 1), 1)",
    "np.flip(np.cumsum(np.flip(grad, 1), 1), 1) - grad",
    "path_missing wrong_index",
    notes="the entry itself is not counted",
)

sort = recipe("sort", "object/none", Sort)(
    lambda rng, Sort, n=3, d=6: (Sort(), (rng.normal(size=(n, d)),))
)
sort.breaks(
    "inverse permutation",
    "np.put_along_axis(dx, self.order, grad, 1)",
    "dx = np.take_along_axis(grad, self.order, 1)",
    "wrong_index transposed",
)
sort.breaks(
    "unsorted",
    "np.put_along_axis(dx, self.order, grad, 1)",
    "dx[...] = grad",
    "wrong_index activation_derivative_missing",
)

flatten = recipe("flatten", "object/none", Flatten)(
    lambda rng, Flatten, shape=(2, 3, 4, 4): (Flatten(), (rng.normal(size=shape),))
)
flatten.breaks(
    "column order",
    "grad.reshape(self.shape)",
    'grad.reshape(self.shape, order="F")',
    "wrong_index samples_mixed transposed",
)
flatten.breaks("not restored", "grad.reshape(self.shape)", "grad", "wrong_shape")
flatten.breaks(
    "channels last",
    "grad.reshape(self.shape)",
    "grad.reshape(self.shape[0], 4, 4, 3).transpose(0, 3, 1, 2)",
    "wrong_index transposed",
)

transpose = recipe("channels last", "object/none", Transpose)(
    lambda rng, Transpose, shape=(2, 3, 4, 5): (Transpose(), (rng.normal(size=shape),))
)
transpose.breaks(
    "same permutation",
    "grad.transpose(0, 3, 1, 2)",
    "grad.transpose(0, 2, 3, 1)",
    "transposed wrong_index wrong_shape",
    shape=(2, 4, 4, 4),
)
transpose.breaks(
    "height and width",
    "grad.transpose(0, 3, 1, 2)",
    "grad.transpose(0, 3, 2, 1)",
    "transposed wrong_index",
    shape=(2, 3, 4, 4),
)
transpose.breaks(
    "reshaped",
    "grad.transpose(0, 3, 1, 2)",
    "grad.reshape(grad.shape[0], grad.shape[3], *grad.shape[1:3])",
    "wrong_index transposed",
)

concat = recipe("concat", "object/none", Concat)(
    lambda rng, Concat, n=3, a=2, b=4: (
        Concat(),
        (rng.normal(size=(n, a)), rng.normal(size=(n, b))),
    )
)
concat.breaks(
    "exchanged",
    "grad[:, : self.cut], grad[:, self.cut :]",
    "grad[:, self.cut :], grad[:, : self.cut]",
    "swapped",
    "x b",
    a=3,
    b=3,
)
concat.breaks(
    "second forgotten",
    "grad[:, self.cut :]",
    "np.zeros((len(grad), grad.shape[1] - self.cut))",
    "zero_gradient",
    "b",
)
concat.breaks("wrong end", "grad[:, self.cut :]", "grad[:, self.cut - 1 : -1]", "wrong_index", "b")

upsample = recipe("upsample", "object/none", Upsample)(
    lambda rng, Upsample, k=2, shape=(2, 2, 3, 4): (Upsample(k), (rng.normal(size=shape),))
)
upsample.also("thrice", k=3)
upsample.breaks("mean for sum", ".sum(axis=(3, 5))", ".mean(axis=(3, 5))", "constant_factor")
upsample.breaks(
    "one of four",
    "grad.reshape(n, c, h // k, k, w // k, k).sum(axis=(3, 5))",
    "grad[:, :, ::k, ::k]",
    "path_missing overwritten_not_accumulated",
)

average = recipe("moving average", "object/none", MovingAverage)(
    lambda rng, MovingAverage, t=7, d=3: (MovingAverage(), (rng.normal(size=(t, d)),))
)
average.also("hundred steps", t=100, d=2)
average.breaks("no carry", "grad[t] + self.decay * carry", "grad[t]", "path_missing")
average.breaks("decay forgotten", "self.decay * carry", "carry", "path_missing constant_factor")
average.breaks("gain forgotten", "(1 - self.decay) * carry", "carry", "constant_factor")
average.breaks(
    "last step outside",
    "range(len(grad) - 1, -1, -1)",
    "range(len(grad) - 2, -1, -1)",
    "path_missing few_entries",
    and_edit={"dx = np.empty_like(grad)": "dx = np.zeros_like(grad)"},
)

distances = recipe("pairwise distances", "object/none", PairwiseDistances)(
    lambda rng, PairwiseDistances, n=4, d=3: (PairwiseDistances(), (rng.normal(size=(n, d)),))
)
distances.breaks("one side", "both = grad + grad.T", "both = grad", "path_missing")
distances.breaks("factor", "2 * (both", "(both", "factor_two")
distances.breaks("other point constant", " - both @ self.x)", ")", "path_missing")
