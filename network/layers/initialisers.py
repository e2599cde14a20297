"""Initial weights: random numbers of the variance that keeps signals from growing or fading.

An initialiser is called with the generator and the units below and above, and returns weights of
shape (inputs, outputs), float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from network.functional import Array

Initialiser = Callable[[np.random.Generator, int, int], Array]


def he(rng: np.random.Generator, inputs: int, outputs: int) -> Array:
    """Return normal weights of variance 2 / inputs, for ReLU.

    Notes
    -----
    K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", ICCV 2015, equation 10: half
    of the rectified units are silent, and twice the variance makes up for them.
    """
    return rng.normal(0.0, np.sqrt(2 / inputs), (inputs, outputs))


def lecun(rng: np.random.Generator, inputs: int, outputs: int) -> Array:
    """Return normal weights of variance 1 / inputs, for linear outputs and SELU.

    Notes
    -----
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, "Efficient BackProp", in "Neural Networks:
    Tricks of the Trade", 1998, equation 16.
    """
    return rng.normal(0.0, np.sqrt(1 / inputs), (inputs, outputs))


def glorot(rng: np.random.Generator, inputs: int, outputs: int) -> Array:
    """Return uniform weights of variance 2 / (inputs + outputs), for tanh.

    Notes
    -----
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16: a compromise between the way forward and the way back.
    """
    limit = np.sqrt(6 / (inputs + outputs))  # a uniform number in [-a, a] has variance a^2 / 3
    return rng.uniform(-limit, limit, (inputs, outputs))
