"""Function pairs with a cache that also take a dictionary of settings; normalisation."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


def layernorm_forward(x, gamma, beta):
    mu = np.mean(x, axis=1, keepdims=True)
    var = np.var(x, axis=1, keepdims=True)
    std = np.sqrt(var + 1e-5)
    xhat = (x - mu) / std
    return gamma * xhat + beta, (xhat, gamma, std)


def layernorm_backward(dout, cache):
    xhat, gamma, std = cache
    D = dout.shape[1]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dx = (
        D * dxhat
        - dxhat.sum(axis=1, keepdims=True)
        - xhat * (dxhat * xhat).sum(axis=1, keepdims=True)
    ) / (D * std)
    return dx, dgamma, dbeta


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    D = x.shape[1]
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))
    if mode == "train":
        mean, var = x.mean(axis=0), x.var(axis=0)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
    else:
        mean, var = running_mean, running_var
    xhat = (x - mean) / np.sqrt(var + eps)
    out = gamma * xhat + beta
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, (mode, xhat, gamma, np.sqrt(var + eps))


def batchnorm_backward(dout, cache):
    mode, xhat, gamma, std = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    if mode == "test":
        return dout * gamma / std, dgamma, dbeta
    dx = gamma / (N * std) * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta


def dropout_forward(x, dropout_param):
    p = dropout_param["p"]
    rng = np.random.default_rng(dropout_param.get("seed"))
    mask = (rng.random(x.shape) < p) / p
    return x * mask, mask


def dropout_backward(dout, cache):
    mask = cache
    return dout * mask


@recipe("layernorm pair", "pair", layernorm_forward, layernorm_backward)
def layernorm_pair(rng, forward, backward, n=4, d=6):
    return (forward, backward), (rng.normal(3, 2, (n, d)), rng.uniform(1, 2, d), rng.normal(size=d))


layernorm_pair.breaks(
    "batch for features",
    "D = dout.shape[1]",
    "D = dout.shape[0]",
    "path_missing constant_factor wrong_axis",
)
layernorm_pair.breaks(
    "means summed over the batch",
    "- dxhat.sum(axis=1, keepdims=True)",
    "- dxhat.sum(axis=0)",
    "wrong_axis path_missing samples_mixed",
)
layernorm_pair.breaks(
    "gamma twice",
    "dxhat = dout * gamma",
    "dxhat = dout * gamma * gamma",
    "unexplained constant_factor",
)
layernorm_pair.breaks(
    "beta and gamma exchanged",
    "return dx, dgamma, dbeta",
    "return dx, dbeta, dgamma",
    "swapped",
    "gamma beta",
)
layernorm_pair.breaks(
    "sign of the mean path",
    "- dxhat.sum(",
    "+ dxhat.sum(",
    "path_missing sign_flipped",
    notes="one term has the wrong sign",
)


@recipe("batchnorm pair", "pair", batchnorm_forward, batchnorm_backward)
def batchnorm_pair(rng, forward, backward, n=6, d=4, mode="train"):
    x, gamma, beta = rng.normal(5, 3, (n, d)), rng.normal(size=d), rng.normal(size=d)
    bn_param = {"mode": mode}
    if mode == "test":
        bn_param |= {"running_mean": rng.normal(size=d), "running_var": rng.uniform(1, 2, d)}
    return (forward, backward), (x, gamma, beta, bn_param)


batchnorm_pair.also("test mode", mode="test")
batchnorm_pair.breaks(
    "mean path missing",
    "(N * dout - dbeta - xhat * dgamma)",
    "(N * dout - xhat * dgamma)",
    "path_missing",
)
batchnorm_pair.breaks(
    "variance path missing",
    "(N * dout - dbeta - xhat * dgamma)",
    "(N * dout - dbeta)",
    "path_missing",
)
batchnorm_pair.breaks(
    "backward of test mode", 'if mode == "test"', 'if mode != "test"', "path_missing"
)
batchnorm_pair.breaks(
    "backward of train mode",
    'if mode == "test"',
    'if mode == "eval"',
    "samples_mixed slope_wrong path_missing additive_term",
    mode="test",
    notes="subtracts mean and variance paths that do not exist",
)
batchnorm_pair.breaks("N dropped", "gamma / (N * std) *", "gamma / std *", "factor_batch_size")


@recipe("dropout pair", "pair", dropout_forward, dropout_backward)
def dropout_pair(rng, forward, backward, shape=(5, 6), seed=3):
    return (forward, backward), (rng.normal(size=shape), {"p": 0.6, "seed": seed})


dropout_pair.breaks(
    "unseeded",
    'np.random.default_rng(dropout_param.get("seed"))',
    "np.random.default_rng()",
    "nondeterministic_forward",
    notes="a fresh mask in each forward: nothing to differentiate",
)
dropout_pair.breaks("mask not applied", "return dout * mask", "return dout", "mask_not_applied")
dropout_pair.breaks(
    "mask without scale", "return dout * mask", "return dout * (mask > 0)", "constant_factor"
)
dropout_pair.breaks(
    "mask drawn anew",
    "return dout * mask",
    "return dout * (np.random.default_rng(1).random(dout.shape) < 0.6) / 0.6",
    "wrong_mask",
)
dropout_pair.breaks(
    "complement", "return dout * mask", "return dout * (mask == 0) / 0.6", "wrong_mask"
)
