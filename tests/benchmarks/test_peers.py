"""The inputs of the comparison with peers are what they are said to be, and the table counts."""

import numpy as np
import pytest

from benchmarks.peers.__main__ import PEERS, Answer, answer, main
from benchmarks.peers.cases import CASES
from benchmarks.peers.claim import Claim, Counted, NotExpressibleError

# Away from what tempts a false alarm, their truth shows in plain differences.
TEMPTING = {
    "kink 1e-7 away", "float32", "scales over 12 orders", "saturation", "iterations to 1e-9",
    "stale cache", "second backward", "partial of a component", "symmetric point", "conjugate",
    "operator, not linear", "removable singularity",
}  # fmt: skip
PLAIN = [case for case in CASES if case.name not in TEMPTING]


def differences(claim, step=1e-5):
    f, x = claim.f.function, claim.x
    moves = step * np.eye(x.size)
    return np.stack([(f(x + d) - f(x - d)) / (2 * step) for d in moves], axis=-1).reshape(
        -1, x.size
    )


def test_there_are_twenty_inputs():
    assert len({case.name for case in CASES}) == len(CASES) == 20


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.name)
def test_right_claim_is_the_numerical_one_and_the_wrong_one_is_not(case):
    right, wrong = case.make(False), case.make(True)

    assert np.allclose(right.matrix(right.x), differences(right), rtol=1e-6, atol=1e-8)
    assert not np.allclose(wrong.matrix(wrong.x), differences(wrong), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_right_and_wrong_differ_in_the_claim_or_in_the_function(case):
    pytest.importorskip("torch") if case.name == "second backward" else None
    right, wrong = case.make(False), case.make(True)

    assert right.x.shape == wrong.x.shape
    assert np.array_equal(right.x, wrong.x)


def made(wrong):
    factor = 2 if wrong else 1
    return Claim(
        Counted(lambda x: float(x @ x)), np.arange(1.0, 4.0), gradient=lambda x: factor * 2 * x
    )


class Made:
    name = "made"
    make = staticmethod(made)


def test_gradcheck_is_asked_and_its_calls_are_counted():
    right, wrong = (answer("gradcheck", PEERS["gradcheck"][1], Made, w) for w in (False, True))

    assert (right.said, wrong.said) == ("accepted", "refused")
    assert right.is_true
    assert wrong.is_true
    assert right.evaluations > 0


def test_peer_without_words_and_peer_that_breaks_are_told_apart():
    def silent(_):
        raise NotExpressibleError

    def broken(_):
        raise TypeError("complex")

    assert answer("silent", silent, Made, wrong=True).said == "not expressible"
    assert answer("broken", broken, Made, wrong=True).error == "TypeError: complex"


def test_accepting_what_is_wrong_is_not_true():
    assert not Answer("peer", "case", True, "accepted").is_true
    assert not Answer("peer", "case", True, "error").is_true


def test_scipy_is_right_where_its_tolerance_allows():
    peer = PEERS["scipy check_grad"][1]

    assert [answer("scipy", peer, Made, wrong).said for wrong in (False, True)] == [
        "accepted",
        "refused",
    ]


def test_table_has_a_row_for_each_peer(capsys):
    main(["--only", "rmatvec", "--peer", "gradcheck"])

    lines = capsys.readouterr().out.splitlines()
    header, row = lines[0].split(), lines[1].split()
    counts = dict(zip(header[1:7], row[1:7], strict=True))
    assert row[0] == "gradcheck"
    assert counts["caught"] == counts["passed"] == "1"
    assert counts["missed"] == counts["alarms"] == "0"
