"""No PASS over an array that nobody looked at: it is judged, or named, wherever it is kept."""

from hypothesis import example, given, note
from hypothesis import strategies as st

import gradcheck
from gradcheck import Verdict
from tests.support.generated_functions import CONTAINERS, closures_of, pair_of
from tests.support.generated_layers import HOMES, IN_FUNCTIONS, LATE, Leaf, Plan, layer_of, plans

OBJECTS = tuple(home for home in HOMES if home not in (*IN_FUNCTIONS, LATE))
AT_ONCE = (*OBJECTS, *IN_FUNCTIONS)


def beside_a_list(wrong=None):
    """A list's gradients, `dweights`, may be those of W, which a closure keeps, by their name."""
    leaves = (Leaf("alpha", "bias", (2,), "list"), Leaf("W", "bias", (2,), "closure"))
    return Plan(leaves, wrong, "zero", 0, False)


def checked(plan, **options):
    """Check a layer without looking for causes."""
    layer, homes = layer_of(plan)
    note(f"{plan}")
    if options.pop("asked", False):
        options["params"] = {home.name: home.get(layer) for home in homes}
    report = gradcheck.check(layer, plan.x(), explain=False, **options)
    note(str(report))
    return report


def named(report, name):
    return any(name in array.name for array in report.unchecked)


@given(plans())
def test_a_wrong_gradient_does_not_pass_wherever_its_parameter_is_kept(plan):
    report = checked(plan)

    assert not report.ok or named(report, plan.wrong_name)
    if plan.fault != "missing" and (plan.wrong == -1 or plan.leaves[plan.wrong].home in OBJECTS):
        assert report.verdict is Verdict.FAIL


@example(beside_a_list(wrong=1))
@given(plans(AT_ONCE))
def test_a_wrong_gradient_fails_where_the_parameters_are_named(plan):
    report = checked(plan, asked=True)

    assert report.verdict is Verdict.FAIL


@given(plans(OBJECTS, right=True))
def test_a_right_layer_passes_wherever_its_parameters_are_kept(plan):
    report = checked(plan)

    assert report.ok
    assert not report.unchecked
    assert len(report.tensors) == 1 + len(plan.leaves)


@example(beside_a_list())
@given(plans(AT_ONCE, right=True))
def test_a_right_layer_passes_where_its_parameters_are_named(plan):
    report = checked(plan, asked=True)

    assert report.ok
    assert not report.unchecked
    assert len(report.tensors) == 1 + len(plan.leaves)


@given(plans(), st.sampled_from(CONTAINERS))
def test_a_wrong_gradient_of_a_leaf_of_an_argument_does_not_pass(plan, kind):
    pair, p, x = pair_of(plan, kind)
    report = gradcheck.check(pair, p, x, explain=False)
    note(str(report))

    if plan.fault == "missing" and len(plan.leaves) == 1:
        # no gradient of anything in the container is claimed: it may be data
        assert len(report.unchecked) == 1
        assert set(report.tensors) == {"x"}
    else:
        assert report.verdict is Verdict.FAIL


@given(plans(right=True), st.sampled_from(CONTAINERS))
def test_right_gradients_of_the_leaves_of_an_argument_pass(plan, kind):
    pair, p, x = pair_of(plan, kind)
    report = gradcheck.check(pair, p, x, explain=False)
    note(str(report))

    assert report.ok
    assert not report.unchecked
    assert len(report.tensors) == 1 + len(plan.leaves)


@given(plans())
def test_what_functions_read_from_outside_is_judged_where_it_is_named(plan):
    pair, params = closures_of(plan)
    alone = gradcheck.check(pair, plan.x(), explain=False)
    asked = gradcheck.check(pair, plan.x(), params=params, explain=False)
    note(f"{alone}\n{asked}")

    assert asked.verdict is Verdict.FAIL
    assert not alone.ok or named(alone, plan.wrong_name)


@given(plans(right=True))
def test_right_gradients_of_what_functions_read_from_outside_pass(plan):
    pair, params = closures_of(plan)
    alone = gradcheck.check(pair, plan.x(), explain=False)
    asked = gradcheck.check(pair, plan.x(), params=params, explain=False)
    note(f"{alone}\n{asked}")

    assert asked.ok
    assert not asked.unchecked
    # gradients of these names are returned, and nobody said whose they are
    assert alone.verdict is Verdict.UNDECIDED
    assert {array.name for array in alone.unchecked} == {leaf.name for leaf in plan.leaves}
