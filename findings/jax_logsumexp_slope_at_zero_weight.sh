#!/usr/bin/env bash
# jax.scipy.special.logsumexp: no gradient arrives at a weight that is zero.
#
# Guess written down first: "logsumexp(a, b=b) is log(sum(b * exp(a))), smooth in b as long as the
# sum is positive, so that its gradient in b is exp(a) / sum, whatever the weights are".
#
# Seen with jax 0.10.2 and optax 0.2.8: where an entry of b is exactly 0 its gradient is 0, and
# beside that point it is exp(a) / sum, on both sides, though the function has no kink. Terms with
# weight zero are replaced before they are exponentiated. What is built on it inherits it:
# optax.losses.sigmoid_focal_loss passes labels as weights, so that its gradient in the labels is
# wrong at labels 0 and 1, which labels are: -1.938 in place of -1.422 for logit 1, label 0.
#
# Who meets it: whoever differentiates by weights or labels: learned or smoothed labels, importance
# weights, mixtures with a component switched off, which then never comes back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "jax==0.10.2" "optax==0.2.8" "numpy==2.4.6"
JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.scipy.special import logsumexp

jax.config.update("jax_enable_x64", True)
print("python", sys.version.split()[0], "jax", jax.__version__, "optax", optax.__version__)
a = jnp.array([0.5, 1.0])


def of_weight(w):
    return logsumexp(a, b=jnp.array([1.0, 0.0]) + w * jnp.array([0.0, 1.0]))


def of_label(y):
    return optax.losses.sigmoid_focal_loss(jnp.array(1.0), y)


h, same = 1e-6, True
for name, f in (("logsumexp, weight", of_weight), ("focal loss, label", of_label)):
    at, beside = float(jax.grad(f)(0.0)), float(jax.grad(f)(1e-9))
    numerical = float((f(h) - f(-h)) / (2 * h))
    print(f"{name} 0: gradient {at:.6f}, at 1e-9 {beside:.6f}, central difference {numerical:.6f}")
    same &= np.isclose(beside, numerical, rtol=1e-6) and abs(at / numerical - 1) > 0.1
sys.exit(0 if same else "the behaviour has changed")
PYTHON
