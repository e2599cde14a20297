"""From what is typed in a shell to Python objects: ``module:attribute`` and inputs."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.signatures.methods import has_static_methods
from gradcheck.numerics.manifolds import MANIFOLDS


class LoadingError(ValueError):
    """What was typed names nothing that can be loaded; the message says what would."""


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

# What an input may be drawn as.
KINDS = ("float64", "float32", "float16", "complex128", "complex64", "int10", *MANIFOLDS)

# Files loaded so far by their names: they may take one another's place, but no library's.
_loaded: dict[str, ModuleType] = {}


def load(reference: str) -> Any:
    """Return the object that ``reference`` names.

    Parameters
    ----------
    reference
        ``package.module:attribute`` or ``path/to/file.py:attribute``; the attribute may be dotted.

    Raises
    ------
    LoadingError
        If there is no such module or attribute; near misses are listed.
    """
    module_name, _, attribute = reference.rpartition(":")
    if not module_name or not attribute:
        raise LoadingError(
            f"{reference!r}: expected module:attribute, as in mypackage.layers:dense or "
            "layers.py:dense"
        )
    found: Any = _module(module_name)
    for name in attribute.split("."):
        if not hasattr(found, name):
            public = [known for known in vars(found) if not known.startswith("_")]
            raise LoadingError(
                f"{reference!r}: {module_name} has no {name!r}; it has {', '.join(sorted(public))}"
            )
        found = getattr(found, name)
    return found


def made(thing: Any, reference: str) -> Any:
    """Return an instance where ``thing`` is a class that needs nothing to be made, else itself.

    Raises
    ------
    LoadingError
        If the class does need something, which a shell cannot give it.
    """
    if not isinstance(thing, type) or has_static_methods(thing):
        return thing
    parameters = inspect.signature(thing).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in VARIADIC]
    if needed:
        module = reference.rpartition(":")[0]
        raise LoadingError(
            f"{thing.__name__} is a class that needs {', '.join(needed)}: put an instance, such as "
            f"net = {thing.__name__}(...), beside it and name that, {module}:net"
        )
    return thing()


def _module(name: str) -> Any:
    path = Path(name)
    if path.suffix == ".py":
        if not path.is_file():
            raise LoadingError(f"there is no file {name!r}")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise LoadingError(f"{name!r} cannot be loaded as a Python module")
        module = importlib.util.module_from_spec(spec)
        if sys.modules.get(path.stem) in (None, _loaded.get(path.stem)):
            sys.modules[path.stem] = _loaded[path.stem] = module  # other processes look there
        sys.path.insert(0, str(path.parent.resolve()))
        spec.loader.exec_module(module)
        return module
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name != missing and not name.startswith(f"{missing}."):
            raise
        raise LoadingError(
            f"there is no module {missing!r} here or installed; run from the folder that holds it"
        ) from error


def draws(texts: Sequence[str], seed: int, count: int = 1) -> list[tuple[Array, ...]]:
    """Return so many draws of the inputs that every ``--input`` describes."""
    rng = np.random.default_rng(seed)
    return [tuple(parse_input(text, rng) for text in texts) for _ in range(count)]


def parse_input(text: str, rng: np.random.Generator) -> Array:
    """Return the array that an ``--input`` describes.

    Parameters
    ----------
    text
        ``32,784``: standard normal numbers of that shape. ``32,784:float32``: in that dtype.
        ``32:int10``: integers 0 to 9. ``8,8:symmetric``: a point that keeps to a constraint of
        `gradcheck.check`. A file name ending in ``.npy``: that array.
    rng
        Source of the numbers.

    Raises
    ------
    LoadingError
        If it is none of these.
    """
    if text.endswith(".npy"):
        if not Path(text).is_file():
            raise LoadingError(f"--input {text}: there is no such file")
        return np.asarray(np.load(text, allow_pickle=False))
    sizes, _, kind = text.partition(":")
    try:
        shape = tuple(int(size) for size in sizes.split(",") if size)
        if kind.startswith("int"):
            return rng.integers(0, int(kind.removeprefix("int")), shape)
        if kind in MANIFOLDS:
            return _point(kind, rng.standard_normal(shape))
        dtype = np.dtype(kind or "float64")
        if dtype.kind not in "fc":
            raise TypeError(f"{dtype} is no floating-point type")
        drawn = rng.standard_normal(shape)
        if dtype.kind == "c":
            drawn = drawn + 1j * rng.standard_normal(shape)
        return drawn.astype(dtype)
    except (TypeError, ValueError) as error:
        raise LoadingError(
            f"--input {text}: {error}. Expected a shape such as 32,784, one with a kind such as "
            f"32,784:float32, a .npy file. The kinds are {', '.join(KINDS)}"
        ) from error


def _point(kind: str, numbers: Array) -> Array:
    """Return a point on a manifold.

    Raises
    ------
    ValueError
        If it has none of this shape.
    """
    its = MANIFOLDS[kind]
    try:
        return its.draw(numbers)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise ValueError(f"{numbers.shape} is no shape of {its.rule}") from error


def parse_constraint(texts: Sequence[str]) -> str | dict[str, str] | None:
    """Return what ``--constraint`` says: one for the first input, or those by tensor.

    Raises
    ------
    LoadingError
        If several are given of which one has no tensor's name.
    """
    pairs = [text.rpartition("=") for text in texts]
    unnamed = [kind for name, _, kind in pairs if not name]
    if unnamed and len(pairs) > 1:
        raise LoadingError(
            f"--constraint {unnamed[0]}: several were given, say tensor={unnamed[0]}"
        )
    return unnamed[0] if unnamed else {name: kind for name, _, kind in pairs} or None
