"""The report as text: the first lines say it all, the tables are aligned, details hide nothing."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from gradcheck.report.data import Explanation, Verdict
from gradcheck.report.report import Report
from gradcheck.report.text import print_report, to_text
from tests.support import reports as r


def lines_of(report, **options):
    return to_text(report, **options).splitlines()


def section(report, start, **options):
    """The lines of the section of all details that begins with ``start``."""
    sections = to_text(report, **{"details": True} | options).split("\n\n")
    return next(lines for s in sections if (lines := s.splitlines())[0].startswith(start))


def test_first_five_lines_say_what_where_how_sure_and_what_to_change():
    head = "\n".join(lines_of(r.failing())[:5])

    assert head.startswith("FAIL  Dense(3 -> 4): summed_to_scalar in b  (98 % sure)")
    for words in (r.SUMMED.message, r.SUMMED.fix, "b, all 4 entries; x and W are right"):
        assert words in head


def test_evidence_stands_in_the_summary():
    assert r.SUMMED.evidence in to_text(r.failing())


def test_text_of_the_report_is_its_plain_text():
    assert str(r.failing()) == to_text(r.failing())


def test_passing_report_says_what_would_have_been_seen():
    first, *rest = lines_of(r.passing())

    assert first == (
        "PASS  Dense(3 -> 4): right; a relative error above 3e-11 would have been detected"
    )
    assert len(rest) < 12


def test_passing_report_notes_promises_that_do_not_hold_and_no_others():
    text = to_text(r.passing())

    assert "noted   batch_independent: sample 2 alone differs" in text
    assert "(noted: a fault only if the layer is meant to do otherwise)" in text
    assert "deterministic" not in text


def test_undecided_report_gives_the_reason_and_the_way_out():
    head = lines_of(r.undecided())[:3]

    assert head[0] == "UNDECIDED  Dense(3 -> 4): W could not be judged"
    assert head[1] == "why     W: the forward is noisy"
    assert head[2] == "change  rerun with x.astype(np.float64)"


def test_undecided_report_without_a_way_out_is_given_one():
    assert lines_of(r.undecided("too noisy"))[2].startswith("change  check at another input")


def test_tensors_undecided_for_one_reason_share_a_line():
    tensors = {n: replace(r.undecided().tensors["W"], name=n) for n in ("W", "b")}
    part = r.empty()

    head = lines_of(Report("Net", tensors, {}, (), parts={"flatten": part}))[:3]

    assert head[0] == "UNDECIDED  Net: W and b could not be judged"
    assert head[1:] == [
        "why     W and b: the forward is noisy",
        "change  rerun with x.astype(np.float64)",
    ]


def test_promise_that_could_not_be_measured_is_undecided():
    shapes = r.promise("shapes", None, measurement="the layer raised ValueError: no")
    text = to_text(replace(r.passing(), contract={"shapes": shapes}))

    assert "the promise shapes could not be judged" in text
    assert "not measured  shapes: the layer raised ValueError: no" in text


def test_check_of_nothing_is_undecided():
    assert lines_of(r.empty())[0] == "UNDECIDED  Flatten(): nothing was checked"


def test_broken_promise_is_the_headline_where_no_gradient_is_wrong():
    text = to_text(r.breach(), details=True)

    assert text.startswith("FAIL  Dense(3 -> 4): breaks the promise input_not_mutated")
    assert "FAILED  input_not_mutated: 3 of 15 entries of x changed" in text


def test_wrong_layer_of_a_network_is_named():
    text = to_text(r.network())

    assert text.startswith("FAIL  MLP(3, 4, 4): summed_to_scalar in layers[1].b")
    assert "layers[1], Dense(3 -> 4): b, all 4 entries" in text
    assert [row.split()[0] for row in section(r.network(), "parts")[2:]] == [
        "layers[0]",
        "layers[1]",
        "layers[2]",
    ]


def test_unexplained_failure_names_tensor_and_error():
    report = replace(r.failing_with(r.wrong_tensor("W", [1.0, 2.0], [1.0, 3.0])))
    head = "\n".join(lines_of(report)[:5])

    assert head.startswith("FAIL  Layer: wrong gradient of W")
    assert "W, 1 of 2 entries, at [1]" in head
    assert "the relative error of W is 0.5" in head


def test_wrong_tensor_beside_an_explained_one_is_named():
    gamma = r.wrong_tensor("gamma", [1.0, 2.0], [1.0, 3.0])
    report = r.failing()
    report = replace(report, tensors={**report.tensors, "gamma": gamma})

    text = to_text(report, details=True)

    assert lines_of(report)[0].endswith("and 1 more")
    assert "wrong and unexplained: gamma, 1 of 2 entries, at [1]" in text


def test_rival_explanations_are_all_shown():
    rival = Explanation("constant_factor", ("b",), 0.4, "", "all is tripled", "db /= 3")
    other = Explanation("sign_flipped", ("W",), 0.9, "", "the sign is flipped", "dW = -dW")
    lines = lines_of(replace(r.failing(), explanations=(r.SUMMED, rival, other)), details=True)

    assert "or      constant_factor (40 % sure): all is tripled" in lines
    assert "also    sign_flipped in W (90 % sure): the sign is flipped" in lines
    assert "        change: dW = -dW" in lines


def test_tensor_table_holds_every_tensor_and_its_numbers():
    _, headings, *rows = section(r.failing(), "gradients")

    assert re.split(r"  +", headings) == [
        *("tensor", "role", "shape", "dtype", "verdict"),
        *("relative error", "error bound", "resolution"),
    ]
    assert rows[0].split() == [
        "x",
        "input",
        "5x3",
        "float64",
        "PASS",
        "1e-13",
        "2e-11",
        "3e-11",
    ]
    assert [row.split()[0] for row in rows] == ["x", "W", "b"]


@pytest.mark.parametrize("start", ["gradients", "worst entries"])
def test_columns_are_aligned(start):
    _, *rows = section(r.failing(), start)

    assert len({len(row) for row in rows}) == 1


def test_worst_entries_show_both_sides_bound_and_ratio():
    _, _, first, *_ = section(r.failing(), "worst entries of b")

    assert first.split() == ["[1]", "6.22", "-2.2", "1e-10", "-2.83"]


def test_numbers_have_the_digits_in_which_they_differ():
    report = r.failing_with(r.wrong_tensor("W", [1.0, 1.00000012], [1.0, 1.0]))

    analytic, numerical = section(report, "worst entries")[2].split()[1:3]

    assert (float(analytic), float(numerical)) == (1.00000012, 1.0)


def test_wrong_entries_left_out_are_counted():
    report = r.failing_with(r.wrong_tensor("W", np.ones((3, 7)), np.zeros((3, 7))))

    caption, _, *rows = section(report, "worst entries of W")

    assert len(rows) == 8
    assert caption == "worst entries of W, 13 more not shown"


def test_entries_of_a_tensor_not_measured_whole_may_not_be_all():
    tensor = replace(r.wrong_tensor("W", np.ones(20), np.zeros(20)), numerical=None)

    assert section(r.failing_with(tensor), "worst entries")[0].endswith("there may be more")


def test_entry_of_a_scalar_and_one_that_is_not_finite_are_shown():
    scalar = section(r.every()["scalar"], "worst entries")[2].split()
    entry = section(r.every()["not finite"], "worst entries")[2].split()

    assert scalar[:3] == ["[()]", "2", "1"]
    assert entry[:3] == ["[0,", "1]", "nan"]


def test_what_was_not_measured_is_a_dash():
    fails = {"verdict": Verdict.FAIL, "resolution": float("inf")}
    nothing = r.right_tensor("b", **fails, relative_error=0.0, error_bound=0.0)
    blurred = r.right_tensor("b", **fails, relative_error=1.0, error_bound=0.5)

    for tensor, shown in ((nothing, ["-", "-", "-"]), (blurred, ["1", "0.5", "-"])):
        assert section(r.failing_with(tensor), "gradients")[2].split()[-3:] == shown


@pytest.mark.parametrize("width", [60, 88, 120])
@pytest.mark.parametrize("name", r.every())
def test_sentences_keep_to_the_width(name, width):
    summary, *_ = to_text(r.every()[name], width, details=True).split("\n\n")

    assert max(map(len, summary.splitlines())) <= width


def test_long_names_are_shortened_in_their_middle():
    name = "encoder.layers[11].self_attention.out_projection.weight"
    lines = section(r.failing_with(r.right_tensor(name)), "gradients", width=88)

    assert max(map(len, lines)) <= 88
    assert re.fullmatch(r"enc\S*…\S*weight", lines[2].split()[0])


def test_control_characters_of_names_stay_out_of_the_terminal():
    text = to_text(r.failing_with(r.right_tensor("W\x1b[31m\nPASS", verdict=Verdict.FAIL)))

    assert "\x1b" not in text
    assert "W\\x1b[31m\\nPASS" in text


def test_notes_are_shown_once_for_all_tensors():
    tensors = {n: r.right_tensor(n, notes=("kink at the point",)) for n in ("x", "W")}
    report = replace(r.passing(), tensors=tensors, notes=("computed in float64",), seed=7)

    notes = section(report, "note")

    assert "note    computed in float64" in notes
    assert "note    x and W: kink at the point" in notes
    assert notes[-1].startswith(
        "rerun   seed=7 gives the same report; the gradients took 16 forward calls"
    )


def test_colour_changes_nothing_but_the_colour():
    coloured = to_text(r.failing(), color=True)

    assert "\x1b[1;31mFAIL\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == to_text(r.failing())


@pytest.mark.parametrize("terminal", [True, False])
def test_console_gets_colour_only_where_it_can_show_it(terminal):
    console = Console(
        file=io.StringIO(),
        force_terminal=terminal,
        width=88,
        color_system="standard",
        no_color=None,
    )
    console.no_color = False

    print_report(r.failing(), console)

    output = console.file.getvalue()
    assert ("\x1b[" in output) is terminal
    shown = r.failing().text(width=88 if terminal else 100)
    assert re.sub(r"\x1b\[[0-9;]*m", "", output) == f"{shown}\n"
