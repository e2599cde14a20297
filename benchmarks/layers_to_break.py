"""Right layers outside the corpus, in other hands' style: `benchmarks.mutants` breaks them."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class GatedUnit:
    """A gated linear unit: two affine maps, one squashed to be the other's gate."""

    def __init__(self, n_in, n_out, rng):
        self.params = {
            "Wa": rng.normal(0, 0.5, (n_in, n_out)),
            "Wg": rng.normal(0, 0.5, (n_in, n_out)),
            "bg": rng.normal(0, 0.1, n_out),
        }
        self.grads = {}

    def forward(self, inputs):
        self.inputs = inputs
        self.lin = inputs @ self.params["Wa"]
        self.gate = 1.0 / (1.0 + np.exp(-(inputs @ self.params["Wg"] + self.params["bg"])))
        return self.lin * self.gate

    def backward(self, d_out):
        d_lin = d_out * self.gate
        d_pre = d_out * self.lin * self.gate * (1.0 - self.gate)
        self.grads["Wa"] = self.inputs.T @ d_lin
        self.grads["Wg"] = self.inputs.T @ d_pre
        self.grads["bg"] = d_pre.sum(axis=0)
        return d_lin @ self.params["Wa"].T + d_pre @ self.params["Wg"].T


@recipe("gated unit", "object/params-grads", GatedUnit)
def gated_unit(rng, GatedUnit):
    return GatedUnit(4, 3, rng), (rng.normal(size=(5, 4)),)


class RootMeanSquare:
    """Rows divided by their root mean square, scaled per feature."""

    def __init__(self, gain, eps=1e-6):
        self.gain, self.eps = gain, eps
        self.d_gain = np.zeros_like(gain)

    def forward(self, x):
        self.x = x
        self.inv = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps)
        return x * self.inv * self.gain

    def backward(self, dy):
        normed = self.x * self.inv
        self.d_gain = np.sum(dy * normed, axis=0)
        dn = dy * self.gain
        inner = np.mean(dn * normed, axis=-1, keepdims=True)
        return self.inv * (dn - normed * inner)


@recipe("root mean square", "object/d_", RootMeanSquare)
def root_mean_square(rng, RootMeanSquare):
    return RootMeanSquare(rng.uniform(0.5, 1.5, 4)), (rng.normal(size=(5, 4)),)


def bilinear_forward(a, W, b):
    score = np.einsum("ni,ij,nj->n", a, W, b)
    return np.tanh(score), (a, W, b, np.tanh(score))


def bilinear_backward(dout, cache):
    a, W, b, out = cache
    ds = dout * (1 - out**2)
    da = ds[:, None] * (b @ W.T)
    dW = np.einsum("n,ni,nj->ij", ds, a, b)
    db = ds[:, None] * (a @ W)
    return da, dW, db


@recipe("bilinear score", "pair", bilinear_forward, bilinear_backward)
def bilinear(rng, forward, backward):
    arrays = rng.normal(size=(5, 3)), rng.normal(size=(3, 4)) / 2, rng.normal(size=(5, 4))
    return (forward, backward), arrays


def cosine_forward(u, v):
    nu = np.sqrt((u * u).sum(axis=1))
    nv = np.sqrt((v * v).sum(axis=1))
    cos = (u * v).sum(axis=1) / (nu * nv)
    return cos, (u, v, nu, nv, cos)


def cosine_backward(dcos, cache):
    u, v, nu, nv, cos = cache
    scaled = (dcos / (nu * nv))[:, None]
    du = scaled * v - (dcos * cos / nu**2)[:, None] * u
    dv = scaled * u - (dcos * cos / nv**2)[:, None] * v
    return du, dv


@recipe("cosine similarity", "pair", cosine_forward, cosine_backward)
def cosine(rng, forward, backward):
    return (forward, backward), (rng.normal(size=(5, 4)), rng.normal(size=(5, 4)))


def poisson_loss_and_grad(w, X=None, counts=None):
    rng = np.random.default_rng(7)
    X = rng.normal(size=(8, 4)) if X is None else X
    counts = np.arange(8) % 3 if counts is None else counts
    eta = X @ w
    rate = np.exp(eta)
    loss = np.mean(rate - counts * eta) + 0.05 * np.sum(w**2)
    grad = X.T @ (rate - counts) / len(X) + 0.1 * w
    return loss, grad


@recipe("poisson regression", "loss and grad", poisson_loss_and_grad)
def poisson(rng, loss_and_grad):
    return loss_and_grad, (rng.normal(0, 0.5, 4),)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_slope(x):
    inner = x[1:] - x[:-1] ** 2
    slope = np.zeros_like(x)
    slope[:-1] += -400.0 * x[:-1] * inner - 2 * (1 - x[:-1])
    slope[1:] += 200.0 * inner
    return slope


@recipe("valley", "scalar pair", rosenbrock, rosenbrock_slope)
def valley(rng, f, slope):
    return (f, slope), (rng.normal(size=6),)


class HuberLoss:
    """Quadratic near the target, linear beyond delta."""

    def __init__(self, target, delta=0.7):
        self.target, self.delta = target, delta

    def forward(self, pred):
        self.r = pred - self.target
        small = np.abs(self.r) <= self.delta
        quadratic = 0.5 * self.r**2
        linear = self.delta * (np.abs(self.r) - 0.5 * self.delta)
        return np.where(small, quadratic, linear).mean()

    def backward(self):
        clipped = np.clip(self.r, -self.delta, self.delta)
        return clipped / self.r.size


@recipe("huber", "loss object", HuberLoss)
def huber(rng, HuberLoss):
    return HuberLoss(rng.normal(size=(4, 3))), (rng.normal(size=(4, 3)) * 2,)


class Recurrence:
    """A plain recurrent network over a batch of short sequences, the last state returned."""

    def __init__(self, W, U, b):
        self.W, self.U, self.b = W, U, b
        self.dW = self.dU = self.db = None

    def forward(self, seq):
        self.seq = seq
        self.states = [np.zeros((seq.shape[0], self.U.shape[0]))]
        for t in range(seq.shape[1]):
            pre = seq[:, t] @ self.W + self.states[-1] @ self.U + self.b
            self.states.append(np.tanh(pre))
        return self.states[-1]

    def backward(self, dh):
        self.dW, self.dU = np.zeros_like(self.W), np.zeros_like(self.U)
        self.db = np.zeros_like(self.b)
        dseq = np.zeros_like(self.seq)
        for t in range(self.seq.shape[1] - 1, -1, -1):
            dpre = dh * (1 - self.states[t + 1] ** 2)
            self.dW += self.seq[:, t].T @ dpre
            self.dU += self.states[t].T @ dpre
            self.db += dpre.sum(axis=0)
            dseq[:, t] = dpre @ self.W.T
            dh = dpre @ self.U.T
        return dseq


@recipe("recurrence", "object/d", Recurrence)
def recurrence(rng, Recurrence):
    W, U = rng.normal(0, 0.6, (3, 4)), rng.normal(0, 0.6, (4, 4))
    return Recurrence(W, U, rng.normal(0, 0.2, 4)), (rng.normal(size=(2, 3, 3)),)


class Mixture:
    """A convex mixture of rows, weights by a softmax, as a pooling layer has it."""

    def __init__(self, query):
        self.query = query
        self.grad_query = np.zeros_like(query)

    def forward(self, rows):
        self.rows = rows
        s = rows @ self.query
        e = np.exp(s - s.max(axis=1, keepdims=True))
        self.w = e / e.sum(axis=1, keepdims=True)
        return np.einsum("bt,btd->bd", self.w, rows)

    def backward(self, g):
        dw = np.einsum("bd,btd->bt", g, self.rows)
        ds = self.w * (dw - (dw * self.w).sum(axis=1, keepdims=True))
        self.grad_query = np.einsum("bt,btd->d", ds, self.rows)
        return self.w[:, :, None] * g[:, None, :] + ds[:, :, None] * self.query


@recipe("mixture pooling", "object/grad_", Mixture)
def mixture(rng, Mixture):
    return Mixture(rng.normal(size=4)), (rng.normal(size=(3, 5, 4)),)


def swish(x, beta):
    s = 1 / (1 + np.exp(-beta * x))
    y = x * s

    def back(dy):
        ds = s * (1 - s)
        dx = dy * (s + x * beta * ds)
        dbeta = np.sum(dy * x * x * ds)
        return dx, dbeta

    return y, back


@recipe("swish with a slope", "callback", swish)
def swish_with_slope(rng, swish):
    return swish, (rng.normal(size=(4, 3)), np.array(1.3))


class TwoLayers:
    """A small network written out, with leaky units and a mean squared error on top."""

    def __init__(self, rng):
        self.W1, self.b1 = rng.normal(0, 0.5, (3, 5)), rng.normal(0, 0.2, 5)
        self.W2, self.b2 = rng.normal(0, 0.5, (5, 2)), rng.normal(0, 0.2, 2)
        self.dW1 = self.db1 = self.dW2 = self.db2 = None

    def forward(self, X):
        self.X = X
        self.z1 = X @ self.W1 + self.b1
        self.a1 = np.where(self.z1 > 0, self.z1, 0.1 * self.z1)
        return self.a1 @ self.W2 + self.b2

    def backward(self, dz2):
        self.dW2 = self.a1.T @ dz2
        self.db2 = dz2.sum(axis=0)
        da1 = dz2 @ self.W2.T
        dz1 = da1 * np.where(self.z1 > 0, 1.0, 0.1)
        self.dW1 = self.X.T @ dz1
        self.db1 = dz1.sum(axis=0)
        return dz1 @ self.W1.T


@recipe("two layers", "object/d", TwoLayers)
def two_layers(rng, TwoLayers):
    return TwoLayers(rng), (rng.normal(size=(6, 3)),)


class Standardise:
    """Columns brought to mean 0 and variance 1 over the batch."""

    def __init__(self, gamma, beta, eps=1e-5):
        self.gamma, self.beta, self.eps = gamma, beta, eps
        self.dgamma = self.dbeta = None

    def forward(self, x):
        mu, var = x.mean(axis=0), x.var(axis=0)
        self.istd = 1 / np.sqrt(var + self.eps)
        self.xhat = (x - mu) * self.istd
        return self.gamma * self.xhat + self.beta

    def backward(self, dy):
        n = len(dy)
        self.dbeta = dy.sum(axis=0)
        self.dgamma = (dy * self.xhat).sum(axis=0)
        dxhat = dy * self.gamma
        total = n * dxhat - dxhat.sum(axis=0) - self.xhat * (dxhat * self.xhat).sum(axis=0)
        return self.istd * total / n


@recipe("standardise", "object/d", Standardise)
def standardise(rng, Standardise):
    gamma, beta = rng.uniform(0.5, 1.5, 3), rng.normal(size=3)
    return Standardise(gamma, beta), (rng.normal(size=(6, 3)),)
