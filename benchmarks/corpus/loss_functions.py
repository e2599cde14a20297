"""Functions that return the loss and one or several gradients at once."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


def softmax_loss(x, y):
    """Loss and gradient for softmax classification."""
    probs = np.exp(x - np.max(x, axis=1, keepdims=True))
    probs /= np.sum(probs, axis=1, keepdims=True)
    N = x.shape[0]
    loss = -np.sum(np.log(probs[np.arange(N), y])) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


def svm_loss_naive(W, X, y, reg):
    dW = np.zeros(W.shape)
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = X[i].dot(W)
        correct = scores[y[i]]
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - correct + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / num_train + reg * np.sum(W * W)
    dW = dW / num_train + 2 * reg * W
    return loss, dW


def ridge(w, b, X, t, alpha=0.1):
    r = X @ w + b - t
    loss = 0.5 * r @ r / len(t) + 0.5 * alpha * w @ w
    dw = X.T @ r / len(t) + alpha * w
    db = np.asarray(r.mean())
    return loss, dw, db


def two_layer(w1, b1, w2, b2):
    """A whole small network in one function; data are fixed inside."""
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    z = X @ w1 + b1
    h = np.tanh(z)
    s = h @ w2 + b2
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    loss = -np.log(p[range(6), y]).mean()
    ds = p.copy()
    ds[range(6), y] -= 1
    ds /= 6
    dh = ds @ w2.T
    dz = dh * (1 - h**2)
    grads = (X.T @ dz, dz.sum(0), h.T @ ds, ds.sum(0))
    return loss, grads


def triplet_loss(anchor, positive, negative, margin=0.5):
    d_pos = ((anchor - positive) ** 2).sum(1)
    d_neg = ((anchor - negative) ** 2).sum(1)
    violation = np.maximum(d_pos - d_neg + margin, 0)
    active = (violation > 0)[:, None] / len(anchor)
    return violation.mean(), [
        2 * active * (negative - positive),
        2 * active * (positive - anchor),
        2 * active * (anchor - negative),
    ]


def cosine_loss(u, v):
    nu, nv = np.linalg.norm(u), np.linalg.norm(v)
    c = u @ v / (nu * nv)
    du = v / (nu * nv) - c * u / nu**2
    dv = u / (nu * nv) - c * v / nv**2
    return 1 - c, (-du, -dv)


@recipe("softmax loss", "loss and grad", softmax_loss)
def softmax(rng, softmax_loss, n=6, c=4, scale=1.0, dtype=float):
    return softmax_loss, ((scale * rng.normal(size=(n, c))).astype(dtype), rng.integers(0, c, n))


softmax.also("float32", dtype=np.float32)
softmax.also("mean of fifty", n=50, c=10, scale=0.001)
softmax.breaks("not divided", "    dx /= N\n", "", "factor_batch_size gradient_of_other_loss")
softmax.breaks("divided twice", "    dx /= N\n", "    dx /= N * N\n", "factor_batch_size")
softmax.breaks("sum in forward", "y])) / N", "y]))", "factor_batch_size gradient_of_other_loss")
softmax.breaks(
    "label missed", "    dx[np.arange(N), y] -= 1\n", "", "path_missing additive_term few_entries"
)
softmax.breaks(
    "off by one label",
    "    dx[np.arange(N), y] -= 1\n",
    "    dx[np.arange(N), y - 1] -= 1\n",
    "wrong_index",
)
softmax.breaks(
    "first sample skipped",
    "    dx /= N\n",
    "    dx /= N\n    dx[0] = 0\n",
    "few_entries zero_gradient",
    n=9,
)
softmax.breaks(
    "maximum over everything",
    "dx = probs.copy()",
    "dx = np.exp(x) / np.exp(x).sum()",
    "wrong_axis samples_mixed",
)


@recipe("svm loss loops", "loss and grad", svm_loss_naive)
def svm(rng, svm_loss_naive, n=7, d=5, c=4, reg=0.05):
    return svm_loss_naive, (
        rng.normal(size=(d, c)),
        rng.normal(size=(n, d)),
        rng.integers(0, c, n),
        reg,
    )


svm.also("unregularised", reg=0.0)
svm.breaks("regulariser once", "+ 2 * reg * W", "+ reg * W", "additive_term")
svm.breaks(
    "regulariser missing",
    "    dW = dW / num_train + 2 * reg * W\n",
    "    dW = dW / num_train\n",
    "additive_term",
)
svm.breaks("correct class", "                dW[:, y[i]] -= X[i]\n", "", "path_missing")
svm.breaks("overwritten", "dW[:, j] += X[i]", "dW[:, j] = X[i]", "overwritten_not_accumulated")
svm.breaks("not averaged", "dW = dW / num_train +", "dW = dW +", "factor_batch_size", reg=0.0)
svm.breaks(
    "not averaged, regularised",
    "dW = dW / num_train +",
    "dW = dW +",
    "factor_batch_size additive_term",
)


@recipe("ridge", "loss and grad", ridge)
def ridge_problem(rng, ridge, n=9, d=4):
    return ridge, (rng.normal(size=d), np.array(0.3), rng.normal(size=(n, d)), rng.normal(size=n))


ridge_problem.breaks(
    "bias summed", "np.asarray(r.mean())", "np.asarray(r.sum())", "factor_batch_size", "b"
)
ridge_problem.breaks(
    "bias penalised",
    "np.asarray(r.mean())",
    "np.asarray(r.mean() + alpha * b)",
    "additive_term",
    "b",
)
ridge_problem.breaks(
    "doubled",
    "dw = X.T @ r / len(t)",
    "dw = 2 * X.T @ r / len(t)",
    "factor_two additive_term",
    notes="2n - alpha w",
)
ridge_problem.breaks(
    "target not subtracted",
    "dw = X.T @ r / len(t)",
    "dw = X.T @ (X @ w + b) / len(t)",
    "path_missing gradient_of_other_loss additive_term",
)


@recipe("two layers in a function", "loss and grad", two_layer)
def network_function(rng, two_layer, h=5):
    return two_layer, (
        rng.normal(size=(4, h)),
        rng.normal(size=h),
        rng.normal(size=(h, 3)),
        rng.normal(size=3),
    )


network_function.breaks(
    "tanh' of z", "(1 - h**2)", "(1 - z**2)", "derivative_at_wrong_point", "x b1"
)
network_function.breaks(
    "tanh' missing", "dh * (1 - h**2)", "dh", "activation_derivative_missing", "x b1"
)
network_function.breaks(
    "tanh' twice", "dh * (1 - h**2)", "dh * (1 - h**2) ** 2", "derivative_at_wrong_point", "x b1"
)
network_function.breaks("z for h", "h.T @ ds", "z.T @ ds", "derivative_at_wrong_point", "w2")
network_function.breaks(
    "softmax twice",
    "    ds /= 6\n",
    "    ds /= 6\n    ds = p * (ds - (ds * p).sum(1, keepdims=True))\n",
    "softmax_jacobian_twice",
    "x b1 w2 b2",
)
network_function.breaks(
    "last bias to scalar", "ds.sum(0))", "ds.sum())", "summed_to_scalar wrong_shape", "b2"
)
network_function.breaks(
    "all not averaged", "    ds /= 6\n", "", "factor_batch_size constant_factor", "x b1 w2 b2"
)


@recipe("triplet loss", "loss and grad", triplet_loss)
def triplet(rng, triplet_loss, n=8, d=3):
    return triplet_loss, tuple(rng.normal(size=(3, n, d)))


triplet.breaks(
    "inactive counted",
    "(violation > 0)[:, None] /",
    "np.ones((len(anchor), 1)) /",
    "mask_not_applied",
    "x positive negative",
    n=12,
)
triplet.breaks(
    "anchor's sign",
    "2 * active * (negative - positive)",
    "2 * active * (positive - negative)",
    "sign_flipped",
)
triplet.breaks(
    "exchanged",
    "        2 * active * (positive - anchor),\n        2 * active * (anchor - negative),\n",
    "        2 * active * (anchor - negative),\n        2 * active * (positive - anchor),\n",
    "swapped",
    "positive negative",
)


@recipe("cosine distance", "loss and grad", cosine_loss)
def cosine(rng, cosine_loss, d=6, scale=1.0):
    return cosine_loss, (scale * rng.normal(size=d), rng.normal(size=d))


cosine.also("long vector", scale=1e4)
cosine.breaks("norm constant", " - c * u / nu**2", "", "path_missing")
cosine.breaks("sign", "(-du, -dv)", "(du, dv)", "sign_flipped", "x v")
cosine.breaks("one for the other", "(-du, -dv)", "(-dv, -du)", "swapped", "x v")
cosine.breaks(
    "norm not squared",
    "c * u / nu**2",
    "c * u / nu",
    "path_missing derivative_at_wrong_point additive_term",
)
