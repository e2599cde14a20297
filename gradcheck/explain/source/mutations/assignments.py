"""Statements that overwrite, accumulate or come too often, and parts that change places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from gradcheck.explain.source.mutations.mutation import (
    Block,
    Mutation,
    Role,
    Scope,
    Site,
    TreePosition,
    expression,
    kind,
    text,
)

OTHERS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


@kind
def accumulated(site: Site, scope: Scope) -> Iterator[Mutation]:
    """`=` for `+=`, and the other way round."""
    node = site.node
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(
            node.value, ast.Constant
        ):
            yield Mutation(
                site,
                ast.AugAssign(target, ast.Add(), node.value),
                "overwritten_not_accumulated",
                f"`{text(target)}` is assigned, where it has to accumulate",
                0.5,
            )
            # where the array is another's, as a cotangent, to add in place would change it
            total = ast.BinOp(expression(text(target)), ast.Add(), node.value)
            yield Mutation(
                site,
                ast.Assign([target], total),
                "overwritten_not_accumulated",
                f"`{text(target)}` is assigned, where it has to accumulate",
                0.52,
            )
    if isinstance(node, ast.Assign | ast.AugAssign):
        yield from _at_repeated_indices(site, node, scope)
    if isinstance(node, ast.AugAssign):
        message = f"`{text(node.target)}` accumulates, where it has to be assigned"
        yield Mutation(site, ast.Assign([node.target], node.value), "additive_term", message, 0.6)
        other = OTHERS.get(type(node.op))
        if other is not None:
            sign = isinstance(node.op, ast.Add | ast.Sub)
            yield Mutation(
                site,
                ast.AugAssign(node.target, other(), node.value),
                "sign_flipped" if sign else "derivative_at_wrong_point",
                f"`{text(node.value)}` has the wrong {'sign' if sign else 'operator'}",
                0.5,
            )


@kind
def all_accumulated(site: Site, scope: Scope) -> Iterator[Mutation]:
    """`=` for `+=` in several lines at once, as in each closure of an autodiff of one's own."""
    place = site.place
    if not isinstance(place.parent, ast.FunctionDef) or place.position != 0:
        return
    block = place.parent.body
    added = {id(s): a for s in block if (a := _added_to_a_gradient(s)) is not None}
    if len(added) > 1:
        names = " and ".join(f"`{text(statement.target)}`" for statement in added.values())
        yield Mutation(
            Site(TreePosition(place.parent, place.label), site.node, site.role, site.statement),
            Block(
                [added.get(id(s), s) for s in block], f"write += for = where {names} get a value"
            ),
            "overwritten_not_accumulated",
            f"{names} are assigned, where they have to accumulate",
            0.55,
        )


def _added_to_a_gradient(statement: ast.stmt) -> ast.AugAssign | None:
    """Return what adds to a gradient in the place of what assigns it."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    if not isinstance(target, ast.Attribute) or "grad" not in target.attr:
        return None
    return ast.copy_location(ast.AugAssign(target, ast.Add(), statement.value), statement)


def _at_repeated_indices(
    site: Site, node: ast.Assign | ast.AugAssign, scope: Scope
) -> Iterator[Mutation]:
    """With an index array `d[index] += g` counts an index that comes twice only once."""
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    adds = isinstance(node, ast.Assign) or isinstance(node.op, ast.Add)
    if not isinstance(target, ast.Subscript):
        return
    index = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
    sliced = any(isinstance(part, ast.Slice) for part in index)
    if adds and not sliced and any(scope.shape(part) for part in index):
        parts = (text(target.value), text(target.slice), text(node.value))
        added = ast.parse(f"np.add.at({parts[0]}, ({parts[1]}), {parts[2]})").body[0]
        message = f"an index that comes more than once in `{parts[1]}` counts once"
        yield Mutation(site, added, "overwritten_not_accumulated", message, 0.6)


@kind
def superfluous(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A statement or a condition too many."""
    node = site.node
    if not isinstance(node, ast.stmt) or isinstance(node, ast.Return):
        return
    line = text(node).splitlines()[0]
    code = "derivative_at_wrong_point"
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        code = "additive_term"
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        index = node.targets[0].slice
        fixed = not any(isinstance(part, ast.Name | ast.Slice) for part in ast.walk(index))
        code = "few_entries" if fixed else "wrong_mask"
    yield Mutation(site, ast.Pass(), code, f"`{line}` should not be there", 0.75)
    if isinstance(node, ast.If):
        always = ast.If(ast.Constant(True), node.body, node.orelse)
        never = ast.If(ast.Constant(False), node.body, node.orelse)
        for changed in (always, never):
            message = f"the condition `{text(node.test)}` is wrong"
            yield Mutation(site, changed, "slope_wrong", message, 0.75)


@kind
def swapped(site: Site, scope: Scope) -> Iterator[Mutation]:
    """Two parts of a list, of arguments, or of a dict that have each other's place."""
    node = site.node
    label = {ast.Tuple: "elts", ast.List: "elts", ast.Call: "args", ast.Dict: "values"}.get(
        type(node)
    )
    if label is None or site.role is Role.RANGE:
        return
    parts = getattr(node, label)
    for i, j in combinations(range(len(parts)), 2):
        if isinstance(parts[i], ast.Compare) != isinstance(parts[j], ast.Compare):
            continue  # a condition is not taken for a value
        order = list(parts)
        order[i], order[j] = order[j], order[i]
        fields = {name: getattr(node, name) for name in node._fields}
        changed = type(node)(**{**fields, label: order})
        code = "wrong_index" if site.role is Role.INDEX else "swapped"
        if label == "args":
            code = "transposed"
        message = f"`{text(parts[i])}` and `{text(parts[j])}` have each other's place"
        yield Mutation(site, changed, code, message, 0.55 if code == "wrong_index" else 0.65)


@kind
def ranges(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A loop that begins late, ends early, or runs the other way."""
    node = site.node
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return
    if node.func.id == "reversed" and len(node.args) == 1:
        yield Mutation(site, node.args[0], "wrong_index", "the loop runs the wrong way", 0.7)
    elif node.func.id == "range":
        turned = ast.Call(ast.Name("reversed", ast.Load()), [node], [])
        yield Mutation(site, turned, "wrong_index", "the loop runs the wrong way", 0.7)
        for position, bound in enumerate(node.args[:2]):
            for op in (ast.Add(), ast.Sub()):
                near = list(node.args)
                near[position] = ast.BinOp(bound, op, ast.Constant(1))
                yield Mutation(
                    site,
                    ast.Call(node.func, near, []),
                    "path_missing",
                    f"the loop over `{text(node)}` leaves out a turn, or takes one too many",
                    0.7,
                )
