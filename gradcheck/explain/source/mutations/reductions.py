"""Sums and means: missing, too many, along no axis, or one for the other."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from gradcheck.explain.source.mutations.codes import factor_code
from gradcheck.explain.source.mutations.mutation import (
    Mutation,
    Role,
    Scope,
    Site,
    expression,
    kind,
    text,
)

REDUCTIONS = ("sum", "mean", "max", "min", "prod", "argmax", "argmin", "std", "var")

# Functions that are taken for one another, and the bug that it is.
CONFUSED = {
    "sum": (("mean", "constant_factor"),),
    "mean": (("sum", "constant_factor"),),
    "max": (("min", "wrong_mask"), ("sum", "derivative_at_wrong_point")),
    "min": (("max", "wrong_mask"),),
    "argmax": (("argmin", "wrong_index"),),
    "argmin": (("argmax", "wrong_index"),),
    "std": (("var", "derivative_at_wrong_point"),),
    "var": (("std", "derivative_at_wrong_point"),),
    "maximum": (("minimum", "wrong_mask"),),
    "minimum": (("maximum", "wrong_mask"),),
    "sin": (("cos", "derivative_at_wrong_point"),),
    "cos": (("sin", "derivative_at_wrong_point"),),
    "sinh": (("cosh", "derivative_at_wrong_point"),),
    "cosh": (("sinh", "derivative_at_wrong_point"),),
    "exp": (("log", "derivative_at_wrong_point"), ("tanh", "derivative_at_wrong_point")),
    "log": (("exp", "derivative_at_wrong_point"),),
    "tanh": (("cosh", "derivative_at_wrong_point"),),
    "sign": (("abs", "derivative_at_wrong_point"),),
    "abs": (("sign", "derivative_at_wrong_point"),),
    "sqrt": (("square", "derivative_at_wrong_point"),),
    "square": (("sqrt", "derivative_at_wrong_point"),),
    "ones_like": (("zeros_like", "additive_term"),),
    "zeros_like": (("ones_like", "path_missing"),),
    "triu": (("tril", "wrong_mask"),),
    "tril": (("triu", "wrong_mask"),),
}

# How a sum over one axis is asked for, and what was wrong without it.
ALONG = ("axis=0", "axis=-1", "axis=1", "axis=0, keepdims=True", "axis=-1, keepdims=True",
         "axis=1, keepdims=True", "axis=(0, 2, 3)", "axis=(0, 1)")  # fmt: skip


@kind
def functions(site: Site, scope: Scope) -> Iterator[Mutation]:
    """One function for another."""
    node = site.node
    if not isinstance(node, ast.Call):
        return
    name = _called(node)
    for other, code in CONFUSED.get(name, ()):
        func: ast.expr = ast.Name(other, ast.Load())
        if isinstance(node.func, ast.Attribute):
            func = ast.Attribute(node.func.value, other, ast.Load())
        changed = ast.Call(func, node.args, node.keywords)
        if name in ("sum", "mean"):
            code = factor_code(_count(node, scope), scope)
        yield Mutation(site, changed, code, f"`{name}` should be `{other}`", 0.7)
    if name in ("maximum", "fmax") and len(node.args) == 2:
        for a, b in (node.args, node.args[::-1]):
            mask = ast.Compare(a, [ast.Gt()], [b])
            message = f"`{text(node)}` stands where its derivative, `{text(mask)}`, belongs"
            yield Mutation(site, mask, "derivative_at_wrong_point", message, 0.7)


def _count(node: ast.Call, scope: Scope) -> float:
    """Return how many numbers go into each sum; NaN where that is not known."""
    whole = node.args[0] if node.args else None
    if isinstance(node.func, ast.Attribute) and text(node.func.value) not in ("np", "numpy"):
        whole = node.func.value
    before = None if whole is None else scope.shape(whole)
    after = scope.shape(node)
    if before is None or after is None or not math.prod(after):
        return math.nan
    return math.prod(before) / math.prod(after)


# Functions around a value, and the bug that it is to call them where the value itself is meant.
AROUND = {"abs": "sign_dependent", "absolute": "sign_dependent", "clip": "clip_ignored",
          "astype": "precision_lost", "float16": "precision_lost", "float32": "precision_lost",
          "round": "precision_lost", "around": "precision_lost"}  # fmt: skip


@kind
def dtypes(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A dtype that is asked for, where that of the values is meant."""
    node = site.node
    if isinstance(node, ast.Call) and any(k.arg == "dtype" for k in node.keywords):
        others = [k for k in node.keywords if k.arg != "dtype"]
        message = f"`{text(node)}` asks for a dtype of its own"
        changed = ast.Call(node.func, node.args, others)
        yield Mutation(site, changed, "precision_lost", message, 0.6)


@kind
def wrappers(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A function of a value, where the value itself is meant."""
    node = site.node
    if not isinstance(node, ast.Call) or _called(node) in REDUCTIONS:
        return
    inner = node.args[:1]
    if isinstance(node.func, ast.Attribute) and text(node.func.value) not in ("np", "numpy"):
        inner = [node.func.value]
    for value in inner:
        code = AROUND.get(_called(node), "derivative_at_wrong_point")
        message = f"`{text(value)}` itself is meant, not `{text(node)}`"
        yield Mutation(site, value, code, message, 0.7)


@kind
def reductions(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A sum over everything, a sum too many, a sum that is missing."""
    node = site.node
    if isinstance(node, ast.Call) and _called(node) in REDUCTIONS:
        yield from _of_reduction(site, node)
    if isinstance(node, ast.expr) and site.is_whole and site.role is Role.VALUE:
        for along in ALONG:
            summed = expression(f"({text(node)}).sum({along})")
            message = f"`{text(node)}` is not summed over the axes it was broadcast along"
            yield Mutation(site, summed, "broadcast_not_reduced", message, 0.75)


def _of_reduction(site: Site, node: ast.Call) -> Iterator[Mutation]:
    method = _called(node)
    bare = [argument for argument in node.args if not isinstance(argument, ast.Constant)]
    summand = bare[0] if bare else getattr(node.func, "value", None)
    if summand is None:
        return
    others = [k for k in node.keywords if k.arg not in ("axis", "keepdims")]
    parent = site.place.parent
    scaled = isinstance(parent, ast.BinOp) and (
        isinstance(parent.op, ast.Mult)
        or (isinstance(parent.op, ast.Div) and site.place.label == "left")
    )
    code = "summed_to_scalar" if site.is_whole or scaled else "wrong_axis"
    for along in ALONG:
        asked = ast.parse(f"f({along})", mode="eval").body.keywords  # type: ignore[attr-defined]
        changed = ast.Call(node.func, bare, [*others, *asked])
        if text(changed) != text(node):
            message = f"`{text(node)}` runs over other axes than {along.split(', k')[0]}"
            whole = not any(k.arg == "axis" for k in node.keywords) and len(bare) == len(node.args)
            yield Mutation(site, changed, code if whole else "wrong_axis", message, 0.7)
    message = f"`{text(node)}` takes a {method} too many"
    code = "wrong_axis" if len(node.args) + len(node.keywords) > len(bare) else "summed_to_scalar"
    yield Mutation(site, summand, code, message, 0.75)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
