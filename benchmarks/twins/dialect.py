"""NumPy's source in the words of torch and JAX: explicit substitutions, one statement a line."""

from __future__ import annotations

import ast

# functions of NumPy that torch calls otherwise
TORCH_FUNCTIONS = {
    "concatenate": "cat", "clip": "clamp", "expand_dims": "unsqueeze", "power": "pow",
    "repeat": "repeat_interleave",
}  # fmt: skip
TORCH_METHODS = {
    "copy": "clone", "astype": "to", "max": "amax", "min": "amin", "swapaxes": "transpose",
    "transpose": "permute", "repeat": "repeat_interleave",
}  # fmt: skip
TORCH_KEYWORDS = {"axis": "dim", "keepdims": "keepdim"}
# functions of two tensors that take a number as well in NumPy, and what clamps in torch
BOUNDS = {"maximum": "min", "minimum": "max"}
# what JAX's ``x.at[place]`` does for an operator
UPDATES: dict[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "add", ast.Mult: "multiply"}


class InTorch(ast.NodeTransformer):
    """Rewrites NumPy's calls as users of torch write them."""

    def __init__(self, transpose: str) -> None:
        self.transpose = transpose

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("torch", node.ctx) if node.id == "np" else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "size":
            return _expression(f"{ast.unparse(node.value)}.numel()")
        if node.attr == "T" and self.transpose != "T":
            return _expression(f"{ast.unparse(node.value)}.{self.transpose}")
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Call) and _named(node.value) == "torch.add.at":
            array, index, value = map(ast.unparse, node.value.args)
            return _statement(f"{array}.index_add_(0, {index}, {value})")
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = node.func
        if not isinstance(called, ast.Attribute):
            return node
        for keyword in node.keywords:
            keyword.arg = TORCH_KEYWORDS.get(keyword.arg or "", keyword.arg)
        function, name = _named(node), called.attr
        if not function.startswith("torch."):
            called.attr = TORCH_METHODS.get(name, name)
        elif name == "flip":
            axis = ast.unparse(node.keywords[0].value)
            return _expression(f"torch.flip({ast.unparse(node.args[0])}, dims=({axis},))")
        elif name in BOUNDS and isinstance(node.args[1], ast.Constant):
            bound = f"{BOUNDS[name]}={node.args[1].value}"
            return _expression(f"torch.clamp({ast.unparse(node.args[0])}, {bound})")
        else:
            called.attr = TORCH_FUNCTIONS.get(name, name)
        return node


class InJax(ast.NodeTransformer):
    """Rewrites what changes an array in place, which JAX's arrays do not allow."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("jnp", node.ctx) if node.id == "np" else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Call) and _named(node.value) == "jnp.add.at":
            array, index, value = node.value.args
            return _updated(ast.Subscript(array, index), "add", value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        to = node.targets[0]
        return _updated(to, "set", node.value) if isinstance(to, ast.Subscript) else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Subscript):
            return node
        value = ast.UnaryOp(ast.USub(), node.value) if isinstance(node.op, ast.Sub) else node.value
        return _updated(node.target, UPDATES[type(node.op)], value)


def _updated(to: ast.Subscript, how: str, value: ast.expr) -> ast.stmt:
    array, place = ast.unparse(to.value), ast.unparse(to)
    return _statement(
        f"{array} = {array}.at{place.removeprefix(array)}.{how}({ast.unparse(value)})"
    )


def _named(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]
