"""The source of a layer in a dialect, and the lines that a slip changed in it."""

from __future__ import annotations

import ast
import difflib
import inspect
import textwrap
from collections.abc import Callable, Sequence
from types import FunctionType

import numpy as np

from benchmarks.twins.dialect import InJax, InTorch
from benchmarks.twins.layer import Layer, Slip

Render = Callable[[Layer, "Slip | None"], str]


def in_numpy(layer: Layer, slip: Slip | None = None) -> str:
    """Return the module of a pair of functions, forward and backward."""
    forward, backward = layer.source(slip)
    parts = ["import numpy as np", *_beside(layer, None), forward.strip(), backward.strip()]
    return "\n\n\n".join(parts) + "\n"


def in_torch(layer: Layer, slip: Slip | None = None) -> str:
    """Return the module of an autograd function.

    It has a setup_context wherever inputs and output are all that is saved.
    """
    forward, backward = (_function(text) for text in layer.source(slip))
    output, saved = _returned(forward)
    inputs, kept = _arguments(forward), [_text(name) for name in saved.elts]
    apart = set(kept) <= {*inputs, _text(output)}
    dialect = InTorch("T" if apart else "t()")
    body = [dialect.visit(statement) for statement in forward.body[:-1]]
    saving = f"ctx.save_for_backward({', '.join(kept)})"
    lines = [*map(_text, body), f"return {_text(dialect.visit(output))}"]
    if apart:
        setup = [f"{_tuple(inputs)} = inputs", f"{_text(output)} = output", saving]
        setup = setup if _text(output) in kept else [setup[0], saving]
        methods = [
            _method(f"forward({', '.join(inputs)})", lines),
            _method("setup_context(ctx, inputs, output)", setup),
        ]
    else:
        lines.insert(len(lines) - 1, saving)
        methods = [_method(f"forward(ctx, {', '.join(inputs)})", lines)]
    backward = dialect.visit(_with_none(layer, backward))
    cotangent = _arguments(backward)[0]
    methods.append(
        _method(f"backward(ctx, {cotangent})", [f"{_apart(backward)} = ctx.saved_tensors"])
        + "\n"
        + textwrap.indent("\n".join(map(_text, backward.body[1:])), " " * 4)
    )
    whole = f"class {class_name(layer)}(torch.autograd.Function):\n" + textwrap.indent(
        "\n\n".join(methods), " " * 4
    )
    return "\n\n\n".join(["import torch", *_beside(layer, dialect), whole]) + "\n"


def in_jax(layer: Layer, slip: Slip | None = None) -> str:
    """Return the module of a function with a custom vjp."""
    forward, backward = (_function(text) for text in layer.source(slip))
    backward = _with_none(layer, backward, always_tuple=True)
    backward.args.args.reverse()  # what was saved comes first
    given, name = ", ".join(_arguments(forward)), layer.name
    primal = (
        f"@jax.custom_vjp\ndef {name}({given}):\n    return {forward.name}({given})[0]\n\n\n"
        f"{{}}\n\n\n{name}.defvjp({forward.name}, {backward.name})"
    )
    rules = "\n\n\n".join(_text(InJax().visit(part)) for part in (forward, backward))
    parts = ["import jax\nimport jax.numpy as jnp", *_beside(layer, InJax())]
    return "\n\n\n".join([*parts, primal.format(rules)]) + "\n"


RENDERS: dict[str, Render] = {"numpy": in_numpy, "torch": in_torch, "jax": in_jax}


def class_name(layer: Layer) -> str:
    """Return the name of a layer as classes are called."""
    return layer.name.title().replace("_", "")


def changed_lines(right: str, wrong: str) -> set[int]:
    """Return the lines of the wrong source that differ; of what is left out, those around it."""
    old, new = (text.splitlines() for text in (right, wrong))
    lines: set[int] = set()
    for kind, _, _, begin, end in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
        if kind == "delete":
            lines |= {begin, begin + 1}
        elif kind != "equal":
            lines |= set(range(begin + 1, end + 1))
    return lines


def _beside(layer: Layer, dialect: ast.NodeTransformer | None) -> list[str]:
    """Return the numbers and the functions of its module that the layer uses, as one text each."""
    texts = []
    for name, value in layer.names_used():
        if not isinstance(value, FunctionType):
            texts.append(f"{name} = {value!r}")
            continue
        source = textwrap.dedent(inspect.getsource(value)).strip()
        texts.append(_text(dialect.visit(_function(source))) if dialect is not None else source)
    return texts


def _function(text: str) -> ast.FunctionDef:
    """Return a function's tree without its docstring."""
    function = ast.parse(text).body[0]
    if not isinstance(function, ast.FunctionDef):
        raise TypeError(f"a function is needed, not {text!r}")
    if ast.get_docstring(function) is not None:
        del function.body[0]
    return function


def _arguments(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args]


def _returned(forward: ast.FunctionDef) -> tuple[ast.expr, ast.Tuple]:
    """Return the output and what is saved: the two that forward returns."""
    end = forward.body[-1]
    if isinstance(end, ast.Return) and isinstance(end.value, ast.Tuple):
        output, saved = end.value.elts
        if isinstance(saved, ast.Tuple):
            return output, saved
    raise TypeError(f"{forward.name} must end with: return output, (saved, ...)")


def _apart(backward: ast.FunctionDef) -> str:
    """Return the names that what was saved is taken apart into, by the first statement."""
    first = backward.body[0]
    if not (isinstance(first, ast.Assign) and _text(first.value) == _arguments(backward)[-1]):
        raise TypeError(f"{backward.name} must begin with: ... = saved")
    names = [_text(name) for name in first.targets[0].elts]
    return _tuple(names)


def _with_none(
    layer: Layer, backward: ast.FunctionDef, *, always_tuple: bool = False
) -> ast.FunctionDef:
    """Return the backward with None for inputs that have no gradient, being no real numbers."""
    end = backward.body[-1]
    if not (isinstance(end, ast.Return) and end.value is not None):
        raise TypeError(f"{backward.name} must end with: return gradients")
    value = end.value
    gradients = iter(value.elts if isinstance(value, ast.Tuple) else [value])
    are_real = [np.asarray(array).dtype.kind == "f" for array in layer.arrays()]
    every = [next(gradients) if real else ast.Constant(None) for real in are_real]
    if always_tuple or len(every) > 1:
        end.value = ast.Tuple(every, ast.Load())
    return backward


def _method(head: str, lines: Sequence[str]) -> str:
    body = textwrap.indent("\n".join(lines), " " * 4)
    return f"@staticmethod\ndef {head}:\n{body}"


def _tuple(names: Sequence[str]) -> str:
    return f"({names[0]},)" if len(names) == 1 else ", ".join(names)


def _text(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))
