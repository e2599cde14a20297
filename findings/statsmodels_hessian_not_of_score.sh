#!/usr/bin/env bash
# Three Hessians of statsmodels are not the derivatives of the scores beside them.
#
# Guess written down first: "model.hessian(params) is the derivative of model.score(params), as the
# documentation of every likelihood model has it; for OLS, with its closed form, above all".
#
# Seen with statsmodels 0.15.0:
# - OLS.hessian lacks a factor 2 at the first of its two terms, those of the likelihood in which the
#   variance is profiled out; OLS.score is the gradient of that likelihood. Away from the optimum
#   diagonal entries differ by half and by sign.
# - ZeroInflatedPoisson.hessian has zeros between the parameters of the inflation and those of the
#   count; the derivative of the score has none. Standard errors are made of this matrix.
# - NegativeBinomial.hessian of a model that was not fitted has other entries in the row of the
#   dispersion: what is off is exp(-alpha), as if alpha were given as a logarithm, which score and
#   loglike take as it is.
#
# Who meets it: whoever hands score and hessian of a model to an optimizer or makes errors of them.
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
from statsmodels.discrete.count_model import ZeroInflatedPoisson

print("python", sys.version.split()[0], "statsmodels", statsmodels.__version__)
rng = np.random.default_rng(3)
X = sm.add_constant(rng.normal(size=(40, 2)))
y = rng.poisson(2, size=40).astype(float)
params = np.array([0.1, -0.2, 0.1])


def numerical(f, p, h=1e-5):
    """Return the derivatives of f by central differences, good to 1e-8 here."""
    return np.array([(f(p + h * e) - f(p - h * e)) / (2 * h) for e in np.eye(len(p))])


def compared(name, model, p):
    slope, claimed, right = model.score(p), model.hessian(p), numerical(model.score, p)
    gap = np.abs(slope - numerical(model.loglike, p)).max() / np.abs(slope).max()
    print(f"{name}: the score is the gradient to {gap:.0e}; hessian, derivative of the score:")
    print(np.round(claimed, 4), np.round(right, 4), sep="\n")
    return gap < 1e-6, claimed, right


ols, of_ols, right = compared("OLS", sm.OLS(y, X), params)
ssr = float(np.sum((y - X @ params) ** 2))
mended = of_ols - len(y) / 2 * (X.T @ X) / ssr
print("with the first term doubled it is off by", np.abs(mended - right).max())

inflated = ZeroInflatedPoisson(y, X)
zip_, of_zip, right_zip = compared("ZeroInflatedPoisson", inflated, np.r_[0.3, params])
nb, of_nb, right_nb = compared("NegativeBinomial", sm.NegativeBinomial(y, X), np.r_[params, 0.5])
ratio = of_nb[-1, :-1] / right_nb[-1, :-1]
print("row of the dispersion over the right one:", ratio, "exp(-alpha):", np.exp(-0.5))

same = ols and zip_ and nb
same &= np.abs(of_ols - right).max() > 1 and np.abs(mended - right).max() < 1e-4
same &= not np.any(of_zip[0, 1:]) and np.abs(right_zip[0, 1:]).max() > 0.1
same &= np.allclose(ratio, np.exp(-0.5), rtol=1e-4)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
