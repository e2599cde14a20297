"""MyGrad: operations with ``backward_var``, in functions that return value and gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, load, normal, uniform
from benchmarks.field.readings import value_and_gradient


def _function(name: str, f: Callable[[Any, Any], Any], x: Any, *functions: str) -> Item:
    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        mygrad = load("mygrad")
        load("mygrad.nnet.losses"), load("mygrad.nnet.activations"), load("mygrad.nnet.layers")
        tensor = mygrad.tensor(x)
        out = f(mygrad, tensor)
        out.backward()
        return out.item(), np.array(tensor.grad)

    return Item(name, lambda: (value, *drawn((x,))), value_and_gradient, functions)


LABELS = np.array([0, 2, 1, 3, 1])

PACKAGE = Package(
    "mygrad==2.5.0",
    (
        _function("softmax_crossentropy",
                  lambda mg, x: mg.nnet.losses.softmax_crossentropy(x, LABELS), normal(5, 4),
                  "mygrad.nnet.losses.softmax_crossentropy:SoftmaxCrossEntropy.__call__"),
        _function("multiclass_hinge",
                  lambda mg, x: mg.nnet.losses.multiclass_hinge(x, LABELS), normal(5, 4),
                  "mygrad.nnet.losses.multiclass_hinge:MulticlassHinge.__call__"),
        _function("focal_loss", lambda mg, x: mg.nnet.losses.focal_loss(
                      mg.nnet.activations.softmax(x), LABELS).sum(), normal(5, 4),
                  "mygrad.nnet.losses.focal_loss:FocalLoss.__call__"),
        _function("softmax", lambda mg, x: (mg.nnet.activations.softmax(x) ** 2).sum(),
                  normal(5, 4), "mygrad.nnet.activations.softmax:Softmax.backward_var"),
        _function("logsoftmax", lambda mg, x: (mg.nnet.activations.logsoftmax(x) ** 2).sum(),
                  normal(5, 4), "mygrad.nnet.activations.softmax:LogSoftmax.backward_var"),
        _function("selu", lambda mg, x: mg.nnet.activations.selu(x).sum(), normal(5, 4),
                  "mygrad.nnet.activations.selu:SELU.backward_var"),
        _function("elu", lambda mg, x: mg.nnet.activations.elu(x, 0.7).sum(), normal(5, 4),
                  "mygrad.nnet.activations.elu:ELU.backward_var"),
        _function("sigmoid", lambda mg, x: mg.nnet.activations.sigmoid(x).sum(), normal(5, 4),
                  "mygrad.nnet.activations.sigmoid:Sigmoid.backward_var"),
        _function("batchnorm", lambda mg, x: (mg.nnet.layers.batchnorm(
                      x, gamma=np.ones(4), beta=np.zeros(4), eps=1e-5) ** 3).sum(), normal(6, 4),
                  "mygrad.nnet.layers.batchnorm:BatchNorm.backward_var"),
        _function("max_pool", lambda mg, x: (mg.nnet.layers.max_pool(x, (2, 2), 2) ** 2).sum(),
                  normal(2, 2, 4, 4), "mygrad.nnet.layers.pooling:MaxPoolND.backward_var"),
        _function("conv_nd", lambda mg, x: (mg.nnet.layers.conv_nd(
                      x, np.arange(36.0).reshape(2, 2, 3, 3) / 9, stride=1) ** 2).sum(),
                  normal(2, 2, 5, 5), "mygrad.nnet.layers.conv:ConvND.backward_var"),
        _function("variance", lambda mg, x: mg.var(x, axis=0).sum(), normal(5, 4),
                  "mygrad.math.sequential.ops:Variance.backward_var"),
        _function("product", lambda mg, x: mg.prod(x, axis=1).sum(), normal(4, 3),
                  "mygrad.math.sequential.ops:Prod.backward_var"),
        _function("cumprod", lambda mg, x: mg.cumprod(x, axis=0).sum(), normal(4, 3),
                  "mygrad.math.sequential.ops:CumProd.backward_var"),
        _function("arctan2", lambda mg, x: mg.arctan2(x[0], x[1]).sum(), uniform(2, 5)),
        _function("norm", lambda mg, x: mg.linalg.norm(x, axis=1).sum(), normal(4, 3)),
        _function("einsum", lambda mg, x: (mg.einsum("ij,jk->ik", x, x) ** 2).sum(), normal(3, 3),
                  "mygrad.linalg.ops:EinSum.backward_var"),
    ),
    needs=("typing_extensions==4.16.0",),
)  # fmt: skip
