"""From what is typed in a shell to Python objects: ``module:attribute`` and inputs."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.signatures.methods import has_static_methods


class LoadingError(ValueError):
    """What was typed names nothing that can be loaded; the message says what would."""


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

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


def parse_input(text: str, rng: np.random.Generator) -> Array:
    """Return the array that an ``--input`` describes.

    Parameters
    ----------
    text
        ``32,784``: standard normal numbers of that shape. ``32,784:float32``: in that dtype.
        ``32:int10``: integers 0 to 9. A file name ending in ``.npy``: that array.
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
        dtype = np.dtype(kind or "float64")
        if dtype.kind != "f":
            raise TypeError(f"{dtype} is no floating-point type")
        return rng.standard_normal(shape).astype(dtype)
    except (TypeError, ValueError) as error:
        raise LoadingError(
            f"--input {text}: {error}. Expected a shape such as 32,784, a shape and a kind such as "
            "32,784:float32 or 32:int10, or a .npy file"
        ) from error
