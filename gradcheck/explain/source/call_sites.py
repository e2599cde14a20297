"""The calls of the user's own functions that a forward or backward makes, traced."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import scipy

from gradcheck._package import FOLDER, OWN_PACKAGES
from gradcheck.state import OPAQUE_MODULES

# Larger dicts are tables, and not variables by their names.
MOST_ITEMS = 32

# Folders of what is installed.
INSTALLED = ("site-packages", "dist-packages")

# Code that is none of the user's: Python's own, NumPy and SciPy, and this package.
LIBRARIES = tuple(
    str(folder) + os.sep
    for folder in (
        *(Path(str(module.__file__)).parent for module in (ast, np, scipy)),
        FOLDER,
    )
)


@dataclass(eq=False)
class CallSite:
    """What was seen of a function's last call.

    Attributes
    ----------
    code
        Of the function.
    module
        The globals of the function and of all others of its module, the dict itself.
    values
        Its variables, and the attributes of its first argument, when it returned.
    namespace
        All names that it knew.
    lines
        How often a line of it was begun: what it costs to run it again.
    is_glue
        Whether it is a function, not a method, that a library calls and that calls an object's
        methods: what wraps a layer to hand it over is rarely what is wrong.
    """

    code: CodeType
    module: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    namespace: dict[str, Any] = field(default_factory=dict)
    lines: int = 0
    is_glue: bool = False


@contextmanager
def tracing(trace: Callable[[FrameType, str, Any], Any]) -> Iterator[None]:
    """Have a function called with what is run, as `sys.settrace` does."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def calls_of(action: Callable[[], Any]) -> list[CallSite]:
    """Return the calls of the user's functions that ``action`` makes, the last of each."""
    calls: dict[CodeType, CallSite] = {}

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call" and _is_library(frame):
            return None
        call = calls.setdefault(frame.f_code, CallSite(frame.f_code, frame.f_globals))
        call.lines += event == "line"
        if event == "call" and _is_method(frame):
            wrapper = calls.get(frame.f_back.f_code) if frame.f_back is not None else None
            if wrapper is not None and _is_outermost(frame.f_back):
                wrapper.is_glue = True
        if event == "return":
            call.values = _values(frame)
            call.namespace = {**frame.f_globals, **frame.f_locals}
        return trace

    with tracing(trace):
        action()
    return list(calls.values())


def _is_method(frame: FrameType | None) -> bool:
    """Whether the function runs as the method of an instance of the user's."""
    if frame is None or not frame.f_code.co_argcount:
        return False
    owner = type(frame.f_locals.get(frame.f_code.co_varnames[0]))
    return getattr(owner, frame.f_code.co_name, None) is not None and "__dict__" in dir(owner)


def _is_outermost(frame: FrameType | None) -> bool:
    """Whether a function, not a method, was called by no other code of the user's."""
    if frame is None or _is_method(frame) or frame.f_back is None:
        return False
    return _is_library(frame.f_back)


def _values(frame: FrameType) -> dict[str, Any]:
    """Return variables, the attributes of ``self`` and the items of dicts, as they are written."""
    code = frame.f_code
    known = {name: frame.f_globals[name] for name in code.co_names if name in frame.f_globals}
    known |= frame.f_locals
    for name in code.co_varnames[: min(1, code.co_argcount)]:
        of_it = getattr(frame.f_locals.get(name), "__dict__", {})
        known |= {f"{name}.{attribute}": value for attribute, value in of_it.items()}
    items = {
        f"{name}[{key!r}]": item
        for name, value in known.items()
        if type(value) is dict and len(value) <= MOST_ITEMS
        for key, item in value.items()
        if isinstance(key, str)
    }
    return known | items


def _is_library(frame: FrameType) -> bool:
    """Whether code is none of the user's; what is made without a file belongs to its module.

    Of what is installed, the package whose code a check calls is the one that is asked about.
    """
    file = frame.f_code.co_filename
    if any(f"{os.sep}{folder}{os.sep}" in file for folder in INSTALLED):
        package = _package(frame)
        return package in OPAQUE_MODULES or package != _package(_entry(frame))
    return file.startswith((*LIBRARIES, "<frozen ", "<__array_function__")) or _is_own(frame)


def _is_own(frame: FrameType) -> bool:
    return _package(frame) in OWN_PACKAGES


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def _entry(frame: FrameType) -> FrameType:
    """Return the outermost frame that a check called."""
    while frame.f_back is not None and not _is_own(frame.f_back):
        frame = frame.f_back
    return frame


def lines_run(
    file: str, action: Callable[[], Any], shifts: Mapping[CodeType, int] | None = None
) -> set[int]:
    """Return the lines of a file that ``action`` runs.

    Parameters
    ----------
    file
        As code objects name it.
    action
        Called once; what it raises goes through.
    shifts
        By code object, what its line numbers are short of those in the file.
    """
    found: set[int] = set()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != file:
            return None
        if event == "line":
            found.add(frame.f_lineno + (shifts or {}).get(frame.f_code, 0))
        return trace

    with tracing(trace):
        action()
    return found
