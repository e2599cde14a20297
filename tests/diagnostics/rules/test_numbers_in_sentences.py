"""Numbers in a sentence are numbers of the file: where it starts, ends, lies lowest."""

import math
import re

import pytest

from diagnostics import History, diagnose
from diagnostics.history.history import CURVES
from tests.support.judged_runs import judged_runs

# A value of a curve: smoothed levels are "about" so much, factors so many "times".
VALUE = re.compile(
    r"(?:starts at|ends at|(?<!down )(?:from|to)|reaches|(?<!cannot )(?:fall|falls) below) "
    r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(%?)(?! times)(?=\W|$)"
)
KEY = re.compile(r"^(first|last|lowest|highest|best)( \w+)* (loss|accuracy|value)$")
# Of the last digit; losses are printed with three digits at least.
HALF = 0.5001


@pytest.fixture(scope="module")
def judged():
    """Every second run with its findings."""
    return [(History.from_dict(run["curves"]), report) for run, report in judged_runs()[::2]]


def logged(history):
    return [v for role in CURVES if role in history.mapping for v in history.curve(role)]


def printed(text, percent):
    """The number of a sentence, and half a unit of its last digit."""
    number = float(text)
    if percent:
        return number / 100, HALF * 10.0 ** -(2 + len(text.partition(".")[2]))
    return number, HALF * 10.0 ** (math.floor(math.log10(abs(number))) - 2) if number else 0.0


def test_a_level_in_a_sentence_is_a_value_of_the_file(judged):
    found = set()
    for history, report in judged:
        values = logged(history)
        for finding in report.findings:
            for text, percent in VALUE.findall(finding.message):
                number, half = printed(text, percent)
                assert any(abs(v - number) <= half for v in values), finding.message
                found.add(finding.code)

    assert {"overfitting", "evaluation_bug", "exploding_or_nan", "label_noise"} <= found


def test_first_and_last_among_the_evidence_are_values_of_the_file(judged):
    found = set()
    for history, report in judged:
        values = set(logged(history))
        for finding in report.findings:
            for name, value in finding.evidence.items():
                if KEY.match(name):
                    assert value in values, f"{finding.code}: {name} = {value}"
                    found.add(finding.code)

    assert len(found) > 9


def test_a_loss_that_ends_on_its_last_value_is_said_to():
    loss = [2.3, 2.5, 9.0, 27.0, 81.5, 230.0, 700.0, 2100.0, 6300.0, 18903.0]
    finding = diagnose({"loss": loss, "accuracy": [0.3, 0.2] + [0.1] * 8}).primary

    assert "ends at 1.89e+04" in finding.message
    assert finding.evidence["last loss"] == 18903.0
