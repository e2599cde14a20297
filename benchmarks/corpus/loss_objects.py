"""Losses as objects: ``forward(pred, target)`` gives a number, ``backward()`` its gradient."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class MSELoss:
    def forward(self, pred, target):
        self.pred, self.target = pred, target
        return np.mean((pred - target) ** 2)

    def backward(self):
        return 2 * (self.pred - self.target) / self.pred.size


class SoftmaxCrossEntropy:
    """Fused; labels are class indices."""

    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.p, self.labels = np.exp(log_p), labels
        return -log_p[np.arange(len(labels)), labels].mean()

    def backward(self):
        grad = self.p.copy()
        grad[np.arange(len(self.labels)), self.labels] -= 1
        return grad / len(self.labels)


class NLL:
    """Negative log-likelihood of probabilities, one-hot targets."""

    def __call__(self, probs, onehot):
        self.probs, self.onehot = probs, onehot
        return -np.sum(onehot * np.log(probs + 1e-12)) / probs.shape[0]

    def backward(self):
        return -self.onehot / (self.probs + 1e-12) / self.probs.shape[0]


class KLDivergence:
    """KL(target || softmax(logits)), averaged over the batch."""

    def forward(self, logits, target):
        z = logits - logits.max(-1, keepdims=True)
        log_q = z - np.log(np.exp(z).sum(-1, keepdims=True))
        self.q, self.target = np.exp(log_q), target
        terms = np.where(target > 0, target * (np.log(np.maximum(target, 1e-300)) - log_q), 0)
        return terms.sum() / len(target)

    def backward(self):
        return (self.q - self.target) / len(self.target)


@recipe("mse", "loss object/forward", MSELoss)
def mse(rng, MSELoss, n=5, d=3, dtype=float):
    pred, target = rng.normal(size=(2, n, d)).astype(dtype)
    return MSELoss(), (pred, target)


mse.also("float32", dtype=np.float32)
mse.also("perfect", n=1, d=1)
mse.breaks("two forgotten", "2 * (self", "(self", "factor_two")
mse.breaks(
    "divided by batch only",
    "/ self.pred.size",
    "/ self.pred.shape[0]",
    "constant_factor gradient_of_other_loss",
    notes="mean over all entries forward, over the batch backward",
)
mse.breaks("not averaged", " / self.pred.size", "", "constant_factor gradient_of_other_loss")
mse.breaks("reversed", "self.pred - self.target)", "self.target - self.pred)", "sign_flipped")
mse.breaks(
    "absolute error's",
    "2 * (self.pred - self.target)",
    "np.sign(self.pred - self.target)",
    "gradient_of_other_loss",
)
mse.breaks(
    "sum over batch",
    "np.mean((pred - target) ** 2)",
    "np.sum((pred - target) ** 2)",
    "constant_factor gradient_of_other_loss",
    notes="forward sums, backward averages",
)


@recipe("softmax cross-entropy", "loss object/forward", SoftmaxCrossEntropy)
def softmax_ce(rng, SoftmaxCrossEntropy, n=5, classes=4, scale=1.0, dtype=float):
    logits = (scale * rng.normal(size=(n, classes))).astype(dtype)
    return SoftmaxCrossEntropy(), (logits, rng.integers(0, classes, n))


softmax_ce.also("saturated", scale=50.0)
softmax_ce.also("float32", dtype=np.float32)
softmax_ce.also("ten classes", n=64, classes=10)
softmax_ce.also("one sample", n=1)
softmax_ce.breaks(
    "sum for mean", "grad / len(self.labels)", "grad", "factor_batch_size gradient_of_other_loss"
)
softmax_ce.breaks(
    "divided by classes", "grad / len(self.labels)", "grad / grad.shape[1]", "constant_factor"
)
softmax_ce.breaks(
    "label not subtracted",
    "        grad[np.arange(len(self.labels)), self.labels] -= 1\n",
    "",
    "path_missing few_entries additive_term",
    notes="p in place of p - y",
)
softmax_ce.breaks(
    "jacobian twice",
    "return grad / len(self.labels)",
    "grad /= len(self.labels)\n"
    "        return self.p * (grad - (grad * self.p).sum(1, keepdims=True))",
    "softmax_jacobian_twice",
)
softmax_ce.breaks(
    "diagonal jacobian too",
    "return grad / len(self.labels)",
    "return grad * self.p * (1 - self.p) / len(self.labels)",
    "jacobian_diagonal_only softmax_jacobian_twice gradient_of_other_loss",
    notes="sigmoid's derivative on top of p - y",
)
softmax_ce.breaks(
    "squared error's",
    "return grad / len(self.labels)",
    "return 2 * self.p * (grad - (grad * self.p).sum(1, keepdims=True)) / len(self.labels)",
    "gradient_of_other_loss softmax_jacobian_twice",
    notes="gradient of the Brier score",
)
softmax_ce.breaks(
    "softmax over the batch",
    "self.p, self.labels = np.exp(log_p), labels",
    "self.p, self.labels = np.exp(shifted) / np.exp(shifted).sum(axis=0, keepdims=True), labels",
    "wrong_axis samples_mixed",
)
softmax_ce.breaks(
    "flattened labels",
    "grad[np.arange(len(self.labels)), self.labels] -= 1",
    "grad[:, self.labels] -= 1",
    "wrong_index broadcast_not_reduced samples_mixed",
    notes="subtracts one from whole columns",
)
softmax_ce.breaks(
    "log base two",
    "labels].mean()",
    "labels].mean() / np.log(2)",
    "constant_factor",
    notes="loss in bits, gradient in nats",
)
softmax_ce.breaks(
    "regulariser in forward only",
    "labels].mean()",
    "labels].mean() + 0.05 * (logits**2).sum()",
    "additive_term",
)
softmax_ce.breaks(
    "stale labels",
    "self.p, self.labels = np.exp(log_p), labels",
    'self.p = np.exp(log_p)\n        self.labels = getattr(self, "labels", np.zeros_like(labels))',
    "few_entries wrong_index",
    notes="labels never set: class 0 assumed",
)


@recipe("nll of probabilities", "loss object/call", NLL)
def nll(rng, NLL, n=4, classes=3):
    return NLL(), (rng.dirichlet(np.ones(classes), n), np.eye(classes)[rng.integers(0, classes, n)])


nll.breaks(
    "through a softmax",
    "-self.onehot / (self.probs + 1e-12)",
    "(self.probs - self.onehot)",
    "gradient_of_other_loss softmax_jacobian_twice",
    notes="the fused gradient in the unfused layer",
)
nll.breaks(
    "batch forgotten",
    "(self.probs + 1e-12) / self.probs.shape[0]",
    "(self.probs + 1e-12)",
    "factor_batch_size",
)
nll.breaks(
    "eps too large",
    "return -self.onehot / (self.probs + 1e-12)",
    "return -self.onehot / (self.probs + 1e-2)",
    "region_dependent derivative_at_wrong_point uniformly_inaccurate",
    notes="log(p + 1e-12) forward, 1/(p + 1e-2) backward",
)


@recipe("kl divergence", "loss object/forward", KLDivergence)
def kl(rng, KLDivergence, n=4, classes=5):
    target = rng.dirichlet(np.ones(classes), n)
    target[0] = np.eye(classes)[1]
    return KLDivergence(), (rng.normal(size=(n, classes)), target)


kl.breaks("other direction", "(self.q - self.target)", "(self.target - self.q)", "sign_flipped")
kl.breaks("mean over classes", "/ len(self.target)\n", "/ self.target.size\n", "constant_factor")
