#!/usr/bin/env bash
# The score of statsmodels' GLM is not the gradient of its log-likelihood, each called by default.
#
# Guess written down first: "GLM.score(params) is the gradient of GLM.loglike(params), as for every
# other likelihood model; for the Gaussian family, which is least squares, in any case".
#
# Seen with statsmodels 0.15.0: without scale=, loglike estimates the scale anew from the residuals
# at params, and score holds that estimate, so that it lacks the derivative through it. For Gamma with
# a log link the gradient of loglike is 7 to 10 times the score here, and points elsewhere; for the
# Gaussian family it is n / (n - k) of it. With the same scale= given to both they agree, and so do
# families without a scale (Poisson).
#
# Who meets it: whoever maximises GLM.loglike with GLM.score, or checks one by the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "statsmodels==0.15.0" "numpy==2.4.6" "scipy==1.17.1"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
import statsmodels
import statsmodels.api as sm

print("python", sys.version.split()[0], "statsmodels", statsmodels.__version__)
rng = np.random.default_rng(3)
X = sm.add_constant(rng.normal(size=(40, 2)))
y = rng.poisson(2, size=40) + 1.0
p, h = np.array([0.1, -0.2, 0.1]), 1e-5
log = sm.families.links.Log()


def ratio(family, **options):
    """Return the gradient of the log-likelihood, by central differences, over the score."""
    model = sm.GLM(y, X, family=family)
    values = [[model.loglike(p + t * e, **options) for t in (h, -h)] for e in np.eye(3)]
    return np.array([above - below for above, below in values]) / (2 * h) / model.score(p, **options)


of_gamma, of_given = ratio(sm.families.Gamma(log)), ratio(sm.families.Gamma(log), scale=2.0)
of_gauss, of_poisson = ratio(sm.families.Gaussian()), ratio(sm.families.Poisson())
print("gradient of loglike over score, Gamma", of_gamma, "with scale=2.0", of_given)
print("Gaussian", of_gauss, "n / (n - k)", 40 / 37, "Poisson", of_poisson)
same = np.abs(of_gamma - 1).min() > 1 and np.allclose(of_given, 1, rtol=1e-6)
same &= np.allclose(of_gauss, 40 / 37, rtol=1e-6) and np.allclose(of_poisson, 1, rtol=1e-6)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
