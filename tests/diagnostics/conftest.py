"""Runs and data sets that several tests share."""

import pytest

from tests.support import training_runs as runs


@pytest.fixture(scope="session")
def training_set():
    return runs.blobs(400, seed=1)


@pytest.fixture(scope="session")
def validation_set():
    return runs.blobs(500, seed=2)


@pytest.fixture(scope="session")
def healthy(training_set, validation_set):
    return runs.train(training_set, validation_set, epochs=15, learning_rate=0.005)


@pytest.fixture(scope="session")
def flagship(training_set, validation_set):
    """The run of the question: right in training, softmax over the whole batch in evaluation."""
    return runs.train(
        training_set,
        validation_set,
        epochs=40,
        learning_rate=0.02,
        evaluate=runs.whole_batch_softmax,
    )
