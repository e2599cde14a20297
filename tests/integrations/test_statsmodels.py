"""statsmodels' likelihoods with their scores, by observations or summed, and Hessians."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check

api = pytest.importorskip("statsmodels.api", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

GENERATOR = np.random.default_rng(0)
X = api.add_constant(GENERATOR.standard_normal((40, 2)))
CHANCES = 1 / (1 + np.exp(-X @ [0.2, 1.0, -1.0]))
CHOSEN = (GENERATOR.random(40) < CHANCES).astype(float)
COUNTS = GENERATOR.poisson(np.exp(X @ [0.3, 0.4, -0.2])).astype(float)
AT = np.array([0.1, 0.5, -0.3])

MODELS = {
    "Logit": lambda: api.Logit(CHOSEN, X),
    "Probit": lambda: api.Probit(CHOSEN, X),
    "Poisson": lambda: api.Poisson(COUNTS, X),
}


@pytest.mark.parametrize("name", MODELS)
def test_scores_of_observations_beside_their_likelihoods(name):
    model = MODELS[name]()

    report = check((model.loglikeobs, model.score_obs), AT)

    assert report.ok, str(report)


@pytest.mark.parametrize("name", MODELS)
def test_scores_of_observations_beside_the_summed_likelihood(name):
    model = MODELS[name]()

    report = check((model.loglike, model.score_obs), AT)

    assert report.ok, str(report)


@pytest.mark.parametrize("name", [*MODELS, "GLM"])
def test_likelihood_with_score_and_hessian(name):
    model = MODELS.get(name, lambda: api.GLM(CHOSEN, X, family=api.families.Binomial()))()

    report = check((model.loglike, model.score, model.hessian), AT)

    assert report.ok, str(report)
    assert report.parts["hessian"].contract["symmetric"].holds


@pytest.mark.parametrize("name", MODELS)
def test_the_score_of_one_observation_that_is_wrong_is_its_row(name):
    model = MODELS[name]()

    def scores(params):
        found = model.score_obs(params)
        found[17] *= 2
        return found

    report = check((model.loglikeobs, scores), AT, explain=False)

    assert report.tensors["params"].jacobian.region == "row 17 of 40 of the Jacobian (40, 3)"


def test_the_expected_information_is_no_hessian_of_a_probit():
    model = api.Probit(CHOSEN, X)

    def information(params):
        score = model.score_obs(params)
        return -score.T @ score

    report = check((model.loglike, model.score, information), AT, explain=False)

    assert report.parts["gradient"].ok
    assert not report.parts["hessian"].ok
