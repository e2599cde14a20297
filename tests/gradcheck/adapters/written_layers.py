"""Layers as people write them; ``k`` is 1 where they are right, 2 in one gradient."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from written_functions import LABELS, B, W, X


class Base:
    """Weights and biases under the names most people use."""

    def __init__(self, k):
        self.k = k
        self.W = W.copy()
        self.b = B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b


class ReturnsPairOfList(Base):
    def backward(self, d):
        return d @ self.W.T, [self.x.T @ d, self.k * d.sum(0)]


class ReturnsPairOfDict(Base):
    def backward(self, d):
        return d @ self.W.T, {"dW": self.x.T @ d, "db": self.k * d.sum(0)}


class ReturnsPairOfTuple(Base):
    def backward(self, d):
        return d @ self.W.T, (self.k * self.x.T @ d, d.sum(0))


class ReturnsDict(Base):
    def backward(self, d):
        return {"dx": d @ self.W.T, "dW": self.k * self.x.T @ d, "db": d.sum(0)}


class ReturnsThree(Base):
    def backward(self, d):
        return d @ self.W.T, self.k * self.x.T @ d, d.sum(0)


class GradsAttribute(Base):
    def backward(self, d):
        self.grads = {"W": self.x.T @ d, "b": self.k * d.sum(0)}
        return d @ self.W.T


class DParams(Base):
    def __init__(self, k):
        self.k = k
        self.params = {"W": W.copy(), "b": B.copy()}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, d):
        self.dparams = {"W": self.x.T @ d, "b": self.k * d.sum(0)}
        return d @ self.params["W"].T


class ParamGrads(DParams):
    def backward(self, d):
        self.param_grads = {"dW": self.x.T @ d, "db": self.k * d.sum(0)}
        return d @ self.params["W"].T


class CacheOfGradients(Base):
    def __init__(self, k):
        super().__init__(k)
        self.cache = {}

    def forward(self, x):
        self.cache["x"] = x
        return x @ self.W + self.b

    def backward(self, d):
        self.cache["dW"] = self.cache["x"].T @ d
        self.cache["db"] = self.k * d.sum(0)
        return d @ self.W.T


class SuffixGrad(Base):
    def backward(self, d):
        self.W_grad = self.k * self.x.T @ d
        self.b_grad = d.sum(0)
        return d @ self.W.T


class PrefixUnderscore(Base):
    def backward(self, d):
        self.d_W = self.k * self.x.T @ d
        self.d_b = d.sum(0)
        return d @ self.W.T


class CamelCase(Base):
    def __init__(self, k):
        self.k = k
        self.weights = W.copy()
        self.biases = B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.biases

    def backward(self, gradOutput):
        self.weightsGrad = self.k * self.x.T @ gradOutput
        self.biasesGrad = gradOutput.sum(0)
        return gradOutput @ self.weights.T


class Numbered:
    def __init__(self, k):
        self.k = k
        self.W1, self.b1 = W.copy(), B.copy()
        self.W2 = np.random.default_rng(8).normal(size=(3, 2))

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W1 + self.b1)
        return self.h @ self.W2

    def backward(self, d):
        dh = d @ self.W2.T * (1 - self.h**2)
        self.dW2 = self.k * self.h.T @ d
        self.dW1 = self.x.T @ dh
        self.db1 = dh.sum(0)
        return dh @ self.W1.T


class Tensor:
    def __init__(self, value):
        self.value = value
        self.grad = None


class TensorAttributes(Base):
    def __init__(self, k):
        self.k = k
        self.W, self.b = Tensor(W.copy()), Tensor(B.copy())

    def forward(self, x):
        self.x = x
        return x @ self.W.value + self.b.value

    def backward(self, d):
        self.W.grad = self.x.T @ d
        self.b.grad = self.k * d.sum(0)
        return d @ self.W.value.T


class DictOfWeights:
    def __init__(self, k):
        self.k = k
        self.weights = {"W": W.copy(), "b": B.copy()}

    def forward(self, x):
        self.x = x
        return x @ self.weights["W"] + self.weights["b"]

    def backward(self, d):
        self.weights_gradient = {"W": self.x.T @ d, "b": self.k * d.sum(0)}
        return d @ self.weights["W"].T


class Updating:
    """Column vectors, and a backward that updates at once."""

    def __init__(self, k):
        self.k = k
        self.weights = W.T.copy()
        self.bias = B[:, None].copy()

    def forward(self, input):
        self.input = input
        return np.dot(self.weights, self.input) + self.bias

    def backward(self, output_gradient, learning_rate):
        weights_gradient = np.dot(output_gradient, self.input.T)
        input_gradient = np.dot(self.weights.T, output_gradient)
        self.weights -= learning_rate * self.k * weights_gradient
        self.bias -= learning_rate * output_gradient.sum(axis=1, keepdims=True)
        return input_gradient


class UpdatingByAnotherName(Updating):
    forward_propagation = Updating.forward
    forward = None
    backward = None

    def backward_propagation(self, output_error, learning_rate=0.1):
        input_error = self.weights.T @ output_error
        self.weights = self.weights - learning_rate * self.k * (output_error @ self.input.T)
        self.bias = self.bias - learning_rate * output_error.sum(axis=1, keepdims=True)
        return input_error


class UpdatingWithItsOwnRate(Updating):
    lr = 0.05

    def backward(self, grad):
        dx = self.weights.T @ grad
        self.weights -= self.lr * self.k * (grad @ self.input.T)
        self.bias -= self.lr * grad.sum(axis=1, keepdims=True)
        return dx


class InputAndGradOutput:
    """backward(self, input, grad_output), as in a well-known course."""

    def __init__(self, k):
        self.k = k
        self.weights, self.biases = W.copy(), B.copy()
        self.learning_rate = 0.1

    def forward(self, input):
        return input @ self.weights + self.biases

    def backward(self, input, grad_output):
        grad_input = grad_output @ self.weights.T
        self.weights = self.weights - self.learning_rate * self.k * (input.T @ grad_output)
        self.biases = self.biases - self.learning_rate * grad_output.sum(axis=0)
        return grad_input


class GradOutputAndInput(Base):
    def backward(self, grad_output, input):
        self.dW = self.k * input.T @ grad_output
        self.db = grad_output.sum(0)
        return grad_output @ self.W.T


class CachedMethods(Base):
    def forward(self, x):
        return x @ self.W + self.b, (x,)

    def backward(self, dout, cache):
        (x,) = cache
        self.dW, self.db = x.T @ dout, self.k * dout.sum(0)
        return dout @ self.W.T


class TrainingFlag(Base):
    def forward(self, x, training):
        self.x = x
        return (x @ self.W + self.b) * (1.0 if training else 0.5)

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, self.k * d.sum(0)
        return d @ self.W.T


class Mode(TrainingFlag):
    def forward(self, x, mode):
        self.x = x
        return (x @ self.W + self.b) * (1.0 if mode == "train" else 0.5)


class ListOfInputs:
    def __init__(self, k):
        self.k = k

    def forward(self, inputs):
        self.a, self.b = inputs
        return self.a * self.b

    def backward(self, d):
        return [d * self.b, self.k * d * self.a]


class Renamed(Base):
    def __init__(self, k, forward_name, backward_name):
        super().__init__(k)
        setattr(self, forward_name, self._run)
        setattr(self, backward_name, self._back)
        self.forward = None

    def _run(self, x):
        self.x = x
        return x @ self.W + self.b

    def _back(self, d):
        self.dW, self.db = self.x.T @ d, self.k * d.sum(0)
        return d @ self.W.T


class MeanSquares:
    """A loss that keeps nothing."""

    def __init__(self, k):
        self.k = k

    def loss(self, y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)

    def gradient(self, y_true, y_pred):
        return self.k * 2 * (y_pred - y_true) / y_pred.size


class QuadraticCost(MeanSquares):
    gradient = None

    def loss_derivative(self, y_true, y_pred):
        return self.k * 2 * (y_pred - y_true) / y_pred.size


class Sigmoid:
    """An activation: the function and its derivative."""

    def __init__(self, k):
        self.k = k

    def __call__(self, x):
        return 1 / (1 + np.exp(-x))

    def gradient(self, x):
        return self.k * self(x) * (1 - self(x))


class Prime(Sigmoid):
    __call__ = None
    gradient = None

    def activation(self, z):
        return np.tanh(z)

    def activation_prime(self, z):
        return self.k * (1 - np.tanh(z) ** 2)


class Slotted:
    __slots__ = ("W", "b", "dW", "db", "k", "x")

    def __init__(self, k):
        self.k, self.W, self.b = k, W.copy(), B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, self.k * d.sum(0)
        return d @ self.W.T


@dataclass
class DataClass:
    k: float
    weight: np.ndarray = field(default_factory=W.copy)
    weight_grad: np.ndarray = field(default_factory=lambda: np.zeros_like(W))

    def forward(self, x):
        self.x = x
        return x @ self.weight

    def backward(self, d):
        self.weight_grad += self.k * self.x.T @ d
        return d @ self.weight.T


class Properties:
    def __init__(self, k):
        self.k = k
        self._weights = W.copy()
        self._gradient = None

    @property
    def weights(self):
        return self._weights

    @property
    def weights_gradient(self):
        return self._gradient

    def forward(self, x):
        self.x = x
        return x @ self._weights

    def backward(self, d):
        self._gradient = self.k * self.x.T @ d
        return d @ self._weights.T


class HeldReference(Base):
    """The backward knows the array itself, so that only writing into it changes the layer."""

    def __init__(self, k):
        super().__init__(k)
        held = self.W

        def forward(x):
            self.x = x
            return x @ held + self.b

        def backward(d):
            self.dW, self.db = k * self.x.T @ d, d.sum(0)
            return d @ held.T

        self.forward, self.backward = forward, backward


LAYERS = {
    "(dx, [dW, db])": (ReturnsPairOfList, (X,), "b"),
    "(dx, {dW, db})": (ReturnsPairOfDict, (X,), "b"),
    "(dx, (dW, db))": (ReturnsPairOfTuple, (X,), "W"),
    "{dx, dW, db}": (ReturnsDict, (X,), "W"),
    "(dx, dW, db)": (ReturnsThree, (X,), "W"),
    "grads attribute": (GradsAttribute, (X,), "b"),
    "dparams": (DParams, (X,), "b"),
    "param_grads": (ParamGrads, (X,), "b"),
    "cache of gradients": (CacheOfGradients, (X,), "b"),
    "W_grad": (SuffixGrad, (X,), "W"),
    "d_W": (PrefixUnderscore, (X,), "W"),
    "weightsGrad": (CamelCase, (X,), "weights"),
    "numbered": (Numbered, (X,), "W2"),
    "W.value and W.grad": (TensorAttributes, (X,), "b"),
    "weights_gradient dict": (DictOfWeights, (X,), "b"),
    "updating": (Updating, (X.T.copy(),), "weights"),
    "updating, rebound": (UpdatingByAnotherName, (X.T.copy(),), "weights"),
    "updating by its own rate": (UpdatingWithItsOwnRate, (X.T.copy(),), "weights"),
    "backward(input, grad_output)": (InputAndGradOutput, (X,), "weights"),
    "backward(grad_output, input)": (GradOutputAndInput, (X,), "W"),
    "methods with a cache": (CachedMethods, (X,), "b"),
    "training flag": (TrainingFlag, (X, True), "b"),
    "training flag left out": (TrainingFlag, (X,), "b"),
    "mode": (Mode, (X,), "b"),
    "list of inputs": (ListOfInputs, ([X, X[::-1].copy()],), "inputs[1]"),
    "fprop": (lambda k: Renamed(k, "fprop", "bprop"), (X,), "b"),
    "forward_pass": (lambda k: Renamed(k, "forward_pass", "backward_pass"), (X,), "b"),
    "feedforward": (lambda k: Renamed(k, "feedforward", "backpropagate"), (X,), "b"),
    "loss and gradient": (MeanSquares, (np.eye(3)[LABELS], X[:, :3]), "y_pred"),
    "loss and loss_derivative": (QuadraticCost, (np.eye(3)[LABELS], X[:, :3]), "y_pred"),
    "activation": (Sigmoid, (X,), "x"),
    "activation_prime": (Prime, (X,), "z"),
    "slots": (Slotted, (X,), "b"),
    "dataclass": (DataClass, (X,), "weight"),
    "properties": (Properties, (X,), "weights"),
    "held by reference": (HeldReference, (X,), "W"),
}
