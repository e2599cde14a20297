"""The names people give to methods, arguments and attributes: a new habit is one word here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

FORWARD_NAMES = (
    "forward",
    "__call__",
    "loss",
    "call",
    "apply",
    "forward_pass",
    "forward_propagation",
    "forward_prop",
    "forwardprop",
    "fprop",
    "feedforward",
    "feed_forward",
    "propagate",
    "compute_loss",
    "calculate_loss",
    "loss_function",
    "cost",
    "compute_cost",
    "cost_function",
    "objective",
    "activation",
    "activate",
    "function",
    "fn",
    "f",
    "calculate",
    "compute",
    "run",
    "fwd",
    "predict",
)
BACKWARD_NAMES = (
    "backward",
    "backprop",
    "gradient",
    "grad",
    "backward_pass",
    "bprop",
    "vjp",
    "backpropagate",
    "backpropagation",
    "backward_propagation",
    "backward_prop",
    "back_propagation",
    "back_prop",
    "backwardprop",
    "compute_gradients",
    "compute_gradient",
    "gradients",
    "loss_gradient",
    "loss_grad",
    "loss_derivative",
    "loss_prime",
    "loss_backward",
    "dloss",
    "cost_gradient",
    "cost_derivative",
    "cost_prime",
    "activation_prime",
    "activation_derivative",
    "activation_gradient",
    "derivative",
    "derivate",
    "prime",
    "deriv",
    "df",
    "dfn",
    "f_prime",
    "calculate_gradient",
    "jacobian_vector_product",
    "bwd",
)
DERIVATIVE_NAMES = frozenset(
    {"gradient", "grad", "derivative", "derivate", "prime", "deriv", "df", "dfn", "f_prime"}
    | {"activation_prime", "activation_derivative", "activation_gradient"}
)
PRIME_NAMES = ("_prime", "_derivative", "_gradient", "_grad", "_backward", "_deriv", "Prime")
TRAIN_NAMES = ("train", "train_step", "fit", "partial_fit", "train_on_batch", "step", "update")
# Methods that train on (X, y): one step first, then an epoch, then all of it.
STEP_METHODS = (
    *("train_step", "training_step", "train_on_batch", "train_batch", "fit_partial", "partial_fit"),
    *("update_mini_batch", "step", "update", "learn", "train_epoch", "train_one_epoch", "train"),
    *("fit", "SGD", "sgd", "gradient_descent", "optimize"),
)
PREDICT_NAMES = (
    *("forward", "feedforward", "feed_forward", "forward_pass", "forward_propagation"),
    *("forward_prop", "forwardprop", "propagate", "predict_proba", "query", "think", "run"),
    *("compute", "activate", "__call__", "predict", "output", "decision_function", "net_input"),
)
SIZE_NAMES = frozenset({"m", "n", "batch_size", "n_samples", "num_samples", "mini_batch_size"})
LOSS_METHODS = (
    *("loss", "compute_loss", "calculate_loss", "loss_function", "cost", "compute_cost"),
    *("cost_function", "objective", "get_loss", "calc_loss", "J"),
)
# Words of which other names of such methods are made: `forward_propagate`, `calcGrads`, `diff`.
FORWARD_WORDS = frozenset(
    {"forward", "forwards", "fwd", "feed", "feedforward", "prop", "propagate", "propagation"}
    | {"call", "apply", "compute", "evaluate", "eval", "predict", "activate", "activation", "run"}
    | {"loss", "cost", "error", "objective", "function", "func", "fn", "calc", "calculate"}
    | {"output", "value", "transform", "process", "step"}
)
BACKWARD_WORDS = frozenset(
    {"back", "backward", "backwards", "bwd", "backprop", "backpropagate", "backpropagation"}
    | {"bprop", "grad", "grads", "gradient", "gradients", "deriv", "derivative", "derivatives"}
    | {"derive", "prime", "diff", "differential", "vjp", "pullback", "dx", "jacobian"}
)
# Methods of which neither says by itself what it is: likelihoods of statistical models.
PAIRED_NAMES = (
    ("loglike", "score"),
    ("loglikeobs", "score_obs"),
    ("log_likelihood", "score"),
    ("logp", "dlogp"),
)
LOSS_WORDS = frozenset({"loss", "losses", "cost", "objective", "error", "criterion", "entropy"})
# Words of methods that do something with gradients instead of giving them.
SERVICE_WORDS = frozenset(
    {"zero", "clip", "apply", "update", "set", "reset", "clear", "check", "numerical", "numeric"}
    | {"approx", "approximate", "test", "plot", "print", "show", "save", "load", "descent", "norm"}
    | {"init", "initialize", "sync", "optimize", "train", "fit"}
)
LOSS_NAMES = ("loss", "loss_fn", "loss_function", "criterion", "cost", "loss_func", "objective")

CACHE_NAMES = frozenset({"cache", "caches", "ctx", "context", "saved", "tape", "memory", "state"})
OUTPUT_NAMES = frozenset(
    {"out", "output", "outputs", "y_hat", "yhat", "activation", "y_pred", "pred", "preds"}
    | {"prediction", "predictions", "probs", "a2", "al", "o"}
)
TARGET_NAMES = frozenset(
    {"y", "t", "target", "targets", "label", "labels", "y_true", "ytrue", "truth", "true", "actual"}
    | {"y_train", "ground_truth", "desired", "expected"}
)
COTANGENT_NAMES = frozenset({"grad", "gradient", "delta", "upstream", "error", "d", "g", "v"})
COTANGENT_PREFIXES = ("d", "grad", "output_grad", "output_err", "upstream", "accum_grad", "delta")
TANGENT_NAMES = frozenset({"tangent", "tangents", "direction", "xdot", "dot"})
FORWARD_MODE_WORDS = frozenset({"jvp", "pushforward", "tangent", "directional"})
RATE_ATTRIBUTES = frozenset({"learning_rate", "lr", "learningrate", "learn_rate", "eta", "lrate"})
RATE_NAMES = RATE_ATTRIBUTES | {"alpha", "step_size", "rate", "l_rate", "step"}
TRAINING_FLAGS: dict[str, Any] = {
    "training": True,
    "train": True,
    "is_training": True,
    "is_train": True,
    "train_flg": True,
    "train_flag": True,
    "train_mode": True,
    "mode": "train",
}

# Pairs of attributes (or methods) under which parameters and gradients are declared.
CONTAINERS = (
    ("params", "grads"),
    ("parameters", "gradients"),
    ("parameters", "grads"),
    ("params", "gradients"),
    ("_params", "_grads"),
    ("weights", "gradients"),
    ("weights", "grads"),
)
ABBREVIATIONS = {"weight": "w", "weights": "w", "bias": "b", "biases": "b"}
PREFIXES = ("d", "grad", "g", "gradient", "dl", "dld", "delta", "del", "nabla")
SUFFIXES = ("grad", "gradient", "gradients", "grads", "derivative", "delta")
GRADIENT_WORDS = ("grad", "nabla", "delta", "deriv", "dparam", "dweight")

# Names that say of an array that the output depends on: it is trained.
TRAINED_NAMES = frozenset(
    {"w", "b", "u", "v", "gamma", "beta", "kernel", "kernels", "filter", "filters", "theta"}
    | {"coef", "intercept", "slope", "embedding", "embeddings", "params", "parameters"}
)
TRAINED_WORDS = frozenset(
    {"weight", "weights", "bias", "biases", "kernel", "kernels", "gamma", "beta", "theta"}
    | {"embedding", "embeddings", "param", "params", "parameter", "parameters"}
)
# Words by which something called weights or bias is none that is trained.
UNTRAINED_WORDS = frozenset(
    {"class", "classes", "sample", "samples", "loss", "mask", "running", "moving", "mean", "var"}
    | {"std", "decay", "init", "initial", "old", "prev", "previous", "best", "target", "targets"}
    | {"fixed", "frozen", "const", "constant", "ema", "true", "quadrature", "importance", "size"}
)
SYMBOLS = str.maketrans({"δ": "d", "∂": "d", "∆": "d", "∇": "grad", "θ": "theta", "σ": "s"})
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
GATE = re.compile(r"[wbu][ifgoxhyzruckqv]{1,2}")  # W_xh, b_f, Uz


def words_of(name: str) -> list[str]:
    """Return the words a name is made of, in lower case."""
    return [word.lower() for word in WORD.findall(name)]


def plain(name: str) -> str:
    """Return a name in Latin letters without its case and underscores."""
    return name.lower().translate(SYMBOLS).replace("_", "")


def stem(name: str) -> str:
    """Return the plain name of a parameter, short where there is a short one."""
    word = plain(name)
    return ABBREVIATIONS.get(word, word)


def gradient_stems(name: str) -> Iterator[str]:
    """Yield the parameters whose gradient an array of this name may be."""
    word = plain(name)
    for prefix in PREFIXES:
        if word.startswith(prefix) and len(word) > len(prefix):
            yield stem(word.removeprefix(prefix))
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) > len(suffix):
            yield stem(word.removesuffix(suffix))


def is_gradient_word(name: str) -> bool:
    """Whether a container of this name holds gradients."""
    return any(word in plain(name) for word in GRADIENT_WORDS)


def is_trained(name: str) -> bool:
    """Whether an array of this name, on which the output depends, is surely a parameter."""
    word = stem(name).strip("0123456789")
    return stem(word) in TRAINED_NAMES or GATE.fullmatch(word) is not None


def is_like_trained(name: str) -> bool:
    """Whether an array of this name is likely a parameter: ``hidden_weights``, no ``class_weight``.

    Wider than `is_trained`, for what is at stake is a doubt and no fault.
    """
    words = words_of(name)
    if any(word in UNTRAINED_WORDS for word in words):
        return False
    ends = {words[0], words[-1]} if words else set()
    return (
        is_trained(name) or any(word in TRAINED_WORDS for word in words) or bool(ends & {"w", "b"})
    )


def is_target(name: str) -> bool:
    """Whether an argument of this name holds the targets of a loss."""
    return name.lower() in TARGET_NAMES


def target_likeness(name: str) -> int:
    """Return how surely a name is that of targets: ``y`` may be a prediction beside ``y_true``."""
    return 0 if not is_target(name) else 2 if len(name) > 1 else 1


def is_cache(name: str) -> bool:
    """Whether an argument of this name asks for what the forward remembered."""
    word = name.lower().strip("_0123456789")
    return word in CACHE_NAMES or word.endswith(("cache", "caches"))


def is_cotangent(name: str) -> bool:
    """Whether an argument of this name asks for the gradient with respect to the output."""
    word = name.lower().translate(SYMBOLS)
    short = word.startswith("g") and len(word) <= 3  # gy, g_h
    return word in COTANGENT_NAMES or word.startswith(COTANGENT_PREFIXES) or short or "grad" in word


def is_tangent(name: str) -> bool:
    """Whether an argument of this name asks for the direction of a derivative in forward mode."""
    return plain(name) in TANGENT_NAMES


def is_forward_mode(name: str) -> bool:
    """Whether a function of this name is a derivative in forward mode."""
    return bool(FORWARD_MODE_WORDS.intersection(words_of(name)))


def is_epochs(name: str) -> bool:
    """Whether an argument or attribute of this name says how often the data are gone through."""
    word = plain(name)
    return "epoch" in word or "iter" in word


def is_rate(name: str) -> bool:
    """Whether an argument or attribute of this name is a learning rate."""
    return name.lower().strip("_") in RATE_NAMES


INPUT_GRADIENTS = frozenset(
    {"dx", "dinput", "dinputs", "gradinput", "gradinputs", "gradx", "inputgrad", "inputgradient"}
)


def gradient_keys(name: str) -> list[str]:
    """Return the keys under which people keep the gradient of ``name``, likeliest first."""
    return [
        name,
        *(f"{prefix}{name}" for prefix in ("d", "d_", "grad_", "grad", "g", "delta_", "nabla_")),
        *(f"{name}{suffix}" for suffix in ("_grad", "_gradient", ".grad", "grad")),
    ]
