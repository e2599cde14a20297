"""Options of a suite as they are typed in a shell."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradcheck.cli.loading import LoadingError, load, parse_input


def parse_options(texts: Iterable[str]) -> dict[str, Any]:
    """Return the options of a suite that were typed as ``name=value``.

    A value is a Python literal (``axis=0``), a reference (``backward=mymodule:vjp``), the shape of
    an example input (``x=4,3``) or a word (``kind=binary``).

    Raises
    ------
    LoadingError
        If it is none of these.
    """
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise LoadingError(f"--option {text}: expected name=value, as in axis=0")
        if name == "x":
            options[name] = parse_input(value, np.random.default_rng(0))
        elif ":" in value:
            options[name] = load(value)
        else:
            try:
                options[name] = ast.literal_eval(value)
            except (ValueError, SyntaxError):
                options[name] = value
    return options
