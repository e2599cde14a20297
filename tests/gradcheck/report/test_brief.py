"""The report as it is printed: a screen, for any number of tensors and causes."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.explain.catalogue import Bug
from gradcheck.report.brief import MOST_LINES
from gradcheck.report.causes import causes
from gradcheck.report.data import Entry, Explanation, Support, Unchecked, Verdict
from gradcheck.report.report import Report
from gradcheck.report.tables import WORDS, entry_table
from gradcheck.report.wording import joined, printable, signature
from tests.support import reports as r

LETTERS = st.characters(codec="utf-8", categories=["L", "N", "Cc"], include_characters="_.[]")
NAMES = st.text(LETTERS, min_size=1, max_size=70)
WORD = st.text("abcxyz_=*/.()", min_size=1, max_size=14)
SENTENCES = st.lists(WORD, min_size=1, max_size=14).map(" ".join)
NOTES = st.lists(SENTENCES, max_size=3).map(tuple)


@st.composite
def judged(draw, name):
    verdict = draw(st.sampled_from(Verdict))
    shape = draw(st.sampled_from([(), (3,), (20, 3), (2, 3, 4, 5, 6)]))
    if verdict is Verdict.FAIL and draw(st.booleans()):
        return r.wrong_tensor(name, np.ones(shape), np.zeros(shape), notes=draw(NOTES))
    reason, notes = draw(SENTENCES), draw(NOTES)
    return r.right_tensor(name, shape, verdict=verdict, reason=reason, notes=notes)


def explanations(wrong):
    tensors = st.lists(st.sampled_from(wrong), unique=True) if wrong else st.just([])
    return st.builds(
        Explanation,
        st.sampled_from(Bug).map(str),
        tensors.map(tuple),
        st.floats(0, 1),
        *(SENTENCES, SENTENCES, SENTENCES),
        st.builds(Support, promise=st.sampled_from(["", "finite"])),
    )


@st.composite
def layers(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=60, unique=True))
    tensors = {name: draw(judged(name)) for name in names}
    wrong = [name for name, tensor in tensors.items() if tensor.verdict is Verdict.FAIL]
    promise = st.builds(r.promise, NAMES, st.sampled_from([True, False, None]), st.booleans())
    contract = [r.promise("finite", not wrong, measurement="nan"), *draw(st.lists(promise))]
    contract[0] = replace(contract[0], holds=False if not wrong else draw(st.booleans()))
    shapes = ", ".join(f"{name}{list(tensor.shape)}" for name, tensor in tensors.items())
    return Report(
        draw(st.sampled_from([f"Layer({shapes})", "loss of x", "Residual" * 8])),
        tensors,
        {promise.name: promise for promise in contract},
        tuple(draw(st.lists(explanations(wrong), min_size=1, max_size=10))),
        notes=draw(NOTES),
        unchecked=tuple(Unchecked(name, "input", "no gradient") for name in draw(st.lists(NAMES))),
    )


# Networks of one layer used several times, and single layers.
FAILURES = st.builds(
    lambda layer, count: replace(layer, parts={f"layers[{n}]": layer for n in range(count)}),
    layers(),
    st.integers(0, 5),
)


def all_tensors(report):
    parts = [("", report), *report.parts.items()]
    return {joined(path, name): t for path, part in parts for name, t in part.tensors.items()}


def shown_and_counted(lines):
    """How many tensors of each verdict the table shows, and the line below it counts."""
    counts = Counter()
    for line in lines:
        for verdict, word in WORDS.items():
            counts[word] += bool(re.search(rf"  (float64  )?{verdict}  ", line))
        if re.match(r"and \d+ more[,:] ", line):
            found = re.findall(r"(\d+)(?: more,)? (wrong|undecided|right)", line)
            counts.update({word: int(count) for count, word in found})
    return counts


def words(text):
    return " ".join(text.split())


@given(FAILURES)
def test_any_failure_fits_a_screen_and_says_what_matters_most(report):
    lines = report.text().splitlines()
    first = causes(report)[0].explanation

    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("FAIL  ")
    assert f": {first.code}" in lines[0]
    assert words(first.fix) in words("\n".join(lines))
    verdicts = Counter(WORDS[tensor.verdict] for tensor in all_tensors(report).values())
    assert shown_and_counted(lines[1:]) == verdicts


@given(FAILURES, st.integers(60, 150))
def test_any_failure_keeps_to_the_width(report, width):
    lines = report.text(width=width).splitlines()

    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= width


@given(FAILURES)
def test_details_lose_nothing(report):
    text = words(report.text(details=True, width=1000))

    for _, part in [("", report), *report.parts.items()]:
        for tensor in part.tensors.values():
            assert printable(tensor.name) in text
            assert all(note in text for note in tensor.notes)
        assert all(p.measurement in text for p in part.contract.values() if p.holds is False)
        assert all(note in text for note in part.notes)
        assert all(printable(array.name) in text for array in part.unchecked)
    for name, tensor in all_tensors(report).items():
        assert not tensor.worst or f"worst entries of {name}" in text
    for cause in causes(report):
        for said in (cause.explanation.message, cause.explanation.fix, cause.explanation.evidence):
            assert words(said) in text


def test_wrong_tensors_come_first_and_the_others_are_counted():
    wrong = r.wrong_tensor("last", [1.0, 2.0], [1.0, 3.0])
    right = [r.right_tensor(f"W{n}") for n in range(42)]

    lines = r.failing_with(*right, wrong).text().splitlines()

    table = lines[lines.index("gradients") :]
    assert [row.split()[0] for row in table[2:5]] == ["last", "W0", "W1"]
    assert any(re.fullmatch(r"and \d+ more, right", line) for line in table)


def test_one_bug_in_several_layers_is_one_cause():
    parts = {f"layers[{n}]": r.failing() for n in range(3)}
    lines = Report("MLP", {}, {}, (), parts=parts).text().splitlines()

    places = "layers[0].b, layers[1].b and layers[2].b"
    assert lines[0] == f"FAIL  MLP: summed_to_scalar in {places}  (98 % sure)"
    assert not any(line.startswith(("also", "or  ")) for line in lines)
    assert "the same in layers[1].b and layers[2].b" in words("\n".join(lines))


def test_other_causes_take_a_line_each_and_are_counted():
    others = [
        Explanation(f"bug_{n}", ("W",), 0.5, "why", "what " * 40, f"fix {n}") for n in range(5)
    ]
    lines = replace(r.failing(), explanations=(r.SUMMED, *others)).text().splitlines()

    also = [line for line in lines if line.startswith("also")]
    assert also == [f"also    bug_{n} in W (50 % sure): fix {n}" for n in range(3)]
    assert "more    2 more causes" in lines


@pytest.mark.parametrize(("sure", "first"), [(0.9, "summed_to_scalar"), (0.5, "input_mutated")])
def test_a_wrong_gradient_comes_before_a_broken_promise_that_is_no_surer(sure, first):
    support = Support("promise", promise="input_not_mutated")
    breach = Explanation("input_mutated", (), 0.8, "3 of 15", "in place", "copy", support)
    summed = replace(r.SUMMED, confidence=sure)

    title = replace(r.failing(), explanations=(breach, summed)).text().splitlines()[0]

    assert f": {first}" in title


def test_worst_entries_are_those_of_the_first_cause():
    gamma = r.wrong_tensor("gamma", [1.0, 2.0], [1.0, 3.0])
    report = replace(r.failing(), tensors={"gamma": gamma, **r.failing().tensors})

    text = report.text()

    assert "worst entries of b" in text
    assert "worst entries of gamma" not in text
    assert "worst entries of gamma" in report.text(details=True)


@pytest.mark.parametrize(
    ("analytic", "numerical", "bound", "cells"),
    [
        (6.7e-17, 0.3, 1e-12, ("0", "0.3", "0")),  # rounding
        (3e-13, 0.3, 1e-12, ("0", "0.3", "0")),  # of many operations
        (0.3, 5.2e-17, 1e-12, ("0.3", "0", "-")),  # nothing is 5.7e+15 times anything
        (0.05, 0.3, 0.1, ("0.05", "0.3", "0.167")),  # a coarse bound says nothing of what is exact
        (3e-300, 1e-300, 1e-312, ("3e-300", "1e-300", "3")),  # small, and no rounding of anything
    ],
)
def test_zero_up_to_rounding_is_shown_as_zero(analytic, numerical, bound, cells):
    entry = Entry((0,), analytic, numerical, bound)
    tensor = r.right_tensor("W", (1,), verdict=Verdict.FAIL, worst=(entry,))

    _, shown_analytic, shown_numerical, _, ratio = entry_table(tensor, "W").rows[0]

    assert (shown_analytic, shown_numerical, ratio) == cells


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (40, "Gated(x[2, 3], W[3, 4], b[4], c[4])"),
        (32, "Gated(x[2, 3], W[3, 4], b[4], …)"),
        (20, "Gated(x[2, 3], …)"),
        (12, "Gated(…)"),
    ],
)
def test_signature_is_shortened_between_its_arguments(room, shown):
    assert signature("Gated(x[2, 3], W[3, 4], b[4], c[4])", room) == shown


def test_width_is_that_of_the_terminal_and_never_below_sixty():
    code = "from gradcheck.report.wording import text_width; print(text_width())"
    spawn = "import pty, sys; pty.spawn([sys.executable, '-c', sys.argv[1]])"
    shown = {
        columns: subprocess.check_output(
            [sys.executable, "-c", spawn, code], text=True, env=os.environ | {"COLUMNS": columns}
        )
        for columns in ("132", "40")
    }
    elsewhere = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert {columns: int(width) for columns, width in shown.items()} == {"132": 132, "40": 60}
    assert int(elsewhere) == 100
