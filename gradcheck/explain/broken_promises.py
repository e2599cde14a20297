"""Breaches of required promises, as explanations beside those of wrong numbers."""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.explain.catalogue import Bug
from gradcheck.report.data import Explanation, PromiseReport, Support, Verdict

NONDETERMINISTIC = (
    Bug.NONDETERMINISTIC_FORWARD,
    "the forward gives another output each time it is called at the same point",
    "draw random numbers from a generator that is kept, by the module or the layer, and not made "
    "anew at each call; or check in evaluation mode",
)

# promise -> code of the bug, what is wrong, what to change
BREACHES = {
    "reproducible": NONDETERMINISTIC,
    "deterministic": NONDETERMINISTIC,
    "input_not_mutated": (
        Bug.INPUT_MUTATED,
        "the layer changes its input in place",
        "work on a copy: x = x.copy(), or out = np.maximum(x, 0) instead of out=x",
    ),
    "cotangent_not_mutated": (
        Bug.COTANGENT_MUTATED,
        "backward changes the cotangent in place, which belongs to the caller",
        "work on a copy: d = d * mask instead of d *= mask",
    ),
    "parameters_not_mutated": (
        Bug.PARAMETERS_MUTATED,
        "forward or backward changes the parameters in place",
        "leave updates to the optimizer: backward only stores gradients",
    ),
    "shapes": (
        Bug.WRONG_SHAPE,
        "a gradient does not have the shape of its tensor",
        "reshape it, or sum over the broadcast axes: d.sum(axis=0), or "
        "d.sum(axis=0, keepdims=True) where the tensor has that axis",
    ),
    "jacobian_shape": (
        Bug.TRANSPOSED,
        "the Jacobian is returned as its transpose: its rows belong to the input",
        "return its transpose: return J.T",
    ),
    "symmetric": (
        Bug.NOT_SYMMETRIC,
        "the Hessian is not symmetric",
        "H[i, j] and H[j, i] are the same second derivative: compute it once, for both",
    ),
    "sparsity": (
        Bug.SPARSITY_TOO_SMALL,
        "the sparsity pattern leaves out entries that are not zero",
        "add these entries to the pattern: what is left out is taken for zero",
    ),
    "finite": (
        Bug.NOT_FINITE,
        "a gradient is NaN or infinite where the outputs are finite",
        "look for 0 * inf, log(0) or a division by zero in the backward",
    ),
    "fresh_cache": (
        Bug.STALE_CACHE,
        "backward uses what an earlier forward left",
        "store the cache anew in every forward: self.x = x",
    ),
    "agrees_with_reference": (
        Bug.OTHER_THAN_REFERENCE,
        "the forward is not that of the reference; the gradients are judged for the forward that "
        "is there",
        "compare the two forwards at the entry named here",
    ),
    "gradient_agrees_with_reference": (
        Bug.OTHER_THAN_REFERENCE,
        "a gradient is not that of the reference, though the forward is",
        "compare the two at the entry named here",
    ),
    "backward_linear": (
        Bug.UPSTREAM_IGNORED,
        "backward is not linear in the cotangent",
        "multiply by the cotangent: dx = local_derivative * grad_output",
    ),
    "linear": (
        Bug.NOT_LINEAR,
        "the operator is not linear",
        "leave constants and nonlinear steps to the function that calls the operator: A x + b is "
        "solved as A x = y - b",
    ),
    "matmat": (
        Bug.MATMAT_DIFFERS,
        "matmat and matvec are different operators",
        "leave matmat out, which then calls matvec for each column, or correct its axes",
    ),
    "vmap_agrees": (
        Bug.MATMAT_DIFFERS,
        "a batch under vmap is another function than its samples",
        "reduce over the axes of one sample, counted from the last, and return the axis that the "
        "batch has in the output; generate_vmap_rule = True makes the rule of the function",
    ),
}


# Promises that no wrong gradient keeps.
CONSEQUENCES = frozenset({"gradient_agrees_with_reference"})


def explain_contract(promises: Mapping[str, PromiseReport]) -> list[Explanation]:
    """Return one explanation for every required promise that is broken."""
    explanations = []
    for name, report in promises.items():
        if report.verdict is not Verdict.FAIL:
            continue
        code, message, fix = BREACHES.get(name) or (
            Bug(name),
            f"the promise {name} is broken",
            "see what was measured",
        )
        support = Support("promise", promise=name)
        explanations.append(Explanation(code, (), 1.0, report.measurement, message, fix, support))
    return explanations
