"""One entry for every layer, loss, penalty and optimizer: what the tests of all of them run on.

A class without an entry fails ``test_every_part_has_its_entry``.
"""

import numpy as np

import network as n


def batch(dtype, rows=4, columns=3):
    """Numbers of both signs, none at zero, all differences away from it."""
    return np.random.default_rng(7).normal(size=(rows, columns)).astype(dtype)


def probabilities(dtype):
    return n.softmax(batch(dtype))


def labels(dtype):
    return np.array([0, 2, 1, 1])


def one_hot(dtype):
    return np.eye(3, dtype=dtype)[labels(dtype)]


def soft(dtype):
    return n.softmax(batch(dtype)[::-1])


def numbers(dtype):
    return batch(dtype)[::-1] * 2


def trained_norm(dtype):
    """Batch normalisation in use, with running statistics that are not those of the start."""
    layer = n.BatchNorm(3, dtype=dtype)
    layer.state["mean"][:] = 0.5, -1.0, 0.0
    layer.state["variance"][:] = 2.0, 0.3, 1.0
    layer.training = False
    return layer


def dropout_in_use(dtype):
    layer = n.Dropout(0.4)
    layer.training = False
    return layer


def dense(dtype, inputs=3, outputs=3):
    return n.Dense(inputs, outputs, rng=np.random.default_rng(1), dtype=dtype)


def perceptron(dtype):
    """Biases off zero: where several kinks meet, as at x = 0, no subgradients add up to one."""
    model = n.mlp([3, 6, 3], dtype=dtype)
    model.params["0.b"][:] = np.linspace(-0.6, 0.7, 6)
    return model


LAYERS = {
    n.Dense: {"dense": dense},
    n.ReLU: {"relu": lambda dtype: n.ReLU()},
    n.LeakyReLU: {"leaky_relu": lambda dtype: n.LeakyReLU(0.2)},
    n.ELU: {"elu": lambda dtype: n.ELU(1.5)},
    n.GELU: {
        "gelu": lambda dtype: n.GELU(),
        "gelu_tanh": lambda dtype: n.GELU(approximate=True),
    },
    n.SiLU: {"silu": lambda dtype: n.SiLU()},
    n.Sigmoid: {"sigmoid": lambda dtype: n.Sigmoid()},
    n.Tanh: {"tanh": lambda dtype: n.Tanh()},
    n.Softplus: {"softplus": lambda dtype: n.Softplus()},
    n.Softmax: {"softmax": lambda dtype: n.Softmax()},
    n.LogSoftmax: {"log_softmax": lambda dtype: n.LogSoftmax()},
    n.Dropout: {"dropout": lambda dtype: n.Dropout(0.4), "dropout_in_use": dropout_in_use},
    n.BatchNorm: {
        "batch_norm": lambda dtype: n.BatchNorm(3, dtype=dtype),
        "batch_norm_in_use": trained_norm,
    },
    n.LayerNorm: {"layer_norm": lambda dtype: n.LayerNorm(3, dtype=dtype)},
    n.Residual: {"residual": lambda dtype: n.Residual([dense(dtype), n.Tanh()])},
    n.Chain: {"chain": lambda dtype: n.Chain([dense(dtype, 3, 5), n.Tanh(), dense(dtype, 5, 3)])},
    n.Sequential: {"sequential": perceptron},
}

WEIGHTS = np.array([0.5, 2.0, 1.0])
LOSSES = {
    n.SoftmaxCrossEntropy: {
        "softmax_ce_labels": (n.SoftmaxCrossEntropy, batch, labels),
        "softmax_ce_one_hot": (n.SoftmaxCrossEntropy, batch, one_hot),
        "softmax_ce_soft": (n.SoftmaxCrossEntropy, batch, soft),
        "softmax_ce_smoothed": (
            lambda: n.SoftmaxCrossEntropy(label_smoothing=0.1),
            batch,
            labels,
        ),
        "softmax_ce_weighted": (
            lambda: n.SoftmaxCrossEntropy(class_weights=WEIGHTS),
            batch,
            labels,
        ),
    },
    n.CategoricalCrossEntropy: {
        "ce_labels": (n.CategoricalCrossEntropy, probabilities, labels),
        "ce_soft": (n.CategoricalCrossEntropy, probabilities, soft),
    },
    n.BinaryCrossEntropy: {"binary_ce": (n.BinaryCrossEntropy, batch, one_hot)},
    n.MeanSquaredError: {"squared_error": (n.MeanSquaredError, batch, numbers)},
    n.HuberLoss: {"huber": (lambda: n.HuberLoss(0.7), batch, numbers)},
    n.HingeLoss: {"hinge": (n.HingeLoss, batch, labels)},
}

PENALTIES = {n.L2: n.L2(0.3), n.L1: n.L1(0.3)}

OPTIMIZERS = {
    n.SGD: {
        "sgd": lambda: n.SGD(0.05),
        "momentum": lambda: n.SGD(0.05, momentum=0.5),
        "nesterov": lambda: n.SGD(0.05, momentum=0.5, nesterov=True),
    },
    n.RMSProp: {"rmsprop": lambda: n.RMSProp(0.05)},
    n.Adam: {"adam": lambda: n.Adam(0.05)},
    n.AdamW: {"adamw": lambda: n.AdamW(0.05, weight_decay=0.0)},
}


def named(table):
    """Return all entries of a table, and their names for pytest."""
    entries = {name: entry for group in table.values() for name, entry in group.items()}
    return {"argvalues": list(entries.values()), "ids": list(entries)}
