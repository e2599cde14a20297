"""Functions: one for another, one too many, and sums along other axes."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.mutation import Change
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.explain.source.mutations.sites import AXES, AXIS_WORDS, REDUCTIONS, Site
from gradcheck.explain.source.mutations.syntax import called, expression, text

# Functions that are taken for one another, and the bug that it is; of sums and means the factor is.
CONFUSED = {
    Bug.CONSTANT_FACTOR: "sum mean, mean sum",
    Bug.WRONG_MASK: "max min, min max, maximum minimum, minimum maximum, amax amin, "
    "amin amax, triu tril, tril triu",
    Bug.WRONG_INDEX: "argmax argmin, argmin argmax",
    Bug.ADDITIVE_TERM: "ones_like zeros_like",
    Bug.PATH_MISSING: "zeros_like ones_like",
    Bug.DERIVATIVE_AT_WRONG_POINT: "max sum, std var, var std, sin cos, cos sin, sinh cosh, "
    "cosh sinh, exp log, exp tanh, log exp, tanh cosh, sign abs, abs sign, sqrt square, "
    "square sqrt",
}

# How a sum over one axis is asked for, and what was wrong without it.
ALONG = ("axis=0", "axis=-1", "axis=1", "axis=0, keepdims=True", "axis=-1, keepdims=True",
         "axis=1, keepdims=True", "axis=(0, 2, 3)", "axis=(0, 1)")  # fmt: skip

# Functions around a value, and the bug that it is to call them where the value itself is meant.
AROUND = {
    "abs": Bug.SIGN_DEPENDENT,
    "absolute": Bug.SIGN_DEPENDENT,
    "clip": Bug.CLIP_IGNORED,
    "clamp": Bug.CLIP_IGNORED,
    **dict.fromkeys(("astype", "float16", "float32", "round", "around"), Bug.PRECISION_LOST),
}


def functions(site: Site, scope: Scope) -> Iterator[Change]:
    """One function for another, for none, or with a dtype that was not asked for."""
    node, name = site.node, called(site.node)
    if not isinstance(node, ast.Call):
        return
    for code, pairs in CONFUSED.items():
        for one, other in map(str.split, pairs.split(", ")):
            if one == name:
                func: ast.expr = ast.Name(other, ast.Load())
                if isinstance(node.func, ast.Attribute):
                    func = ast.Attribute(node.func.value, other, ast.Load())
                if name in ("sum", "mean"):
                    code = scope.factor_code(_count(node, scope))
                changed = ast.Call(func, node.args, node.keywords)
                yield changed, code, f"`{name}` should be `{other}`", 0.7
    others = [k for k in node.keywords if k.arg != "dtype"]
    if len(others) < len(node.keywords):
        message = f"`{site.text}` asks for a dtype of its own"
        yield ast.Call(node.func, node.args, others), Bug.PRECISION_LOST, message, 0.6
    value = _argument(node, scope)
    if value is not None and name not in REDUCTIONS:
        message = f"`{text(value)}` itself is meant, not `{site.text}`"
        yield value, AROUND.get(name, Bug.DERIVATIVE_AT_WRONG_POINT), message, 0.7


# What has no axes.
SEVERAL = (ast.Tuple, ast.List, ast.Dict)


def reductions(site: Site, scope: Scope) -> Iterator[Change]:
    """A sum over everything, a sum too many, a sum that is missing."""
    if called(site.node) in REDUCTIONS:
        yield from _of_reduction(site, site.node)
    summed = site.is_whole and site.is_value and not isinstance(site.node, SEVERAL)
    for along in ALONG if summed else ():
        message = f"`{site.text}` is not summed over the axes it was broadcast along"
        yield f"({site.text}).sum({along})", Bug.BROADCAST_NOT_REDUCED, message, 0.75


def _of_reduction(site: Site, node: ast.Call) -> Iterator[Change]:
    bare = [argument for argument in node.args if not isinstance(argument, ast.Constant)]
    summand = bare[0] if bare else getattr(node.func, "value", None)
    if summand is None:
        return
    others = [k for k in node.keywords if k.arg not in AXES]
    parent = site.parent
    scaled = isinstance(parent, ast.BinOp) and (
        isinstance(parent.op, ast.Mult)
        or (isinstance(parent.op, ast.Div) and site.position.field == "left")
    )
    axes = {axis for axis, _ in AXIS_WORDS}
    whole = not any(k.arg in axes for k in node.keywords) and len(bare) == len(node.args)
    code = Bug.SUMMED_TO_SCALAR if whole and (site.is_whole or scaled) else Bug.WRONG_AXIS
    for along in (_in_words_of(node, along) for along in ALONG):
        changed = ast.Call(node.func, bare, [*others, *expression(f"f({along})").keywords])
        if text(changed) != site.text:
            message = f"`{site.text}` runs over other axes than {along.split(', k')[0]}"
            yield changed, code, message, 0.7
    code = (
        Bug.WRONG_AXIS if len(node.args) + len(node.keywords) > len(bare) else Bug.SUMMED_TO_SCALAR
    )
    yield summand, code, f"`{site.text}` takes a {called(node)} too many", 0.75


def _in_words_of(node: ast.Call, along: str) -> str:
    """Return what names the axes of a sum in the words that a call has for them, or NumPy's."""
    given = {k.arg for k in node.keywords}
    usual = AXIS_WORDS[0]
    words = next((words for words in AXIS_WORDS if given & set(words)), usual)
    for word, other in zip(usual, words, strict=True):
        along = along.replace(f"{word}=", f"{other}=")
    return along


def _argument(node: ast.Call, scope: Scope) -> ast.expr | None:
    """Return what a function is called with, or the object of a method."""
    if isinstance(node.func, ast.Attribute) and not scope.is_module(node.func.value):
        return node.func.value
    return node.args[0] if node.args else None


def _count(node: ast.Call, scope: Scope) -> float:
    """Return how many numbers go into each sum; NaN where that is not known."""
    whole = _argument(node, scope)
    before, after = None if whole is None else scope.shape(whole), scope.shape(node)
    if before is None or after is None or not math.prod(after):
        return math.nan
    return math.prod(before) / math.prod(after)
