"""Every argument of every public function refuses what does not fit, at the door and by name.

What is wrong is derived from the annotation: every value of a pool that it does not take. A new
parameter is tried without a line here; one without a default needs a value that fits.
"""

import inspect
import re
import reprlib
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import ArrayLike, DTypeLike

import diagnostics
import gradcheck
import gradcheck.properties
import network
from gradcheck_arguments import ArrayTree
from tests.support.valid_arguments import NEGATIVE, ONLINE, OWNERS, RESULTS, UNCHECKED, VALUES, X


class Thing:
    """Nothing that anybody asks for."""


# What is given in place of an argument, and the kinds of argument that it is.
POOL = {
    "word": ("abc", {str}),
    "yes": ("yes", {str}),
    "fraction": (1.5, {float, ArrayLike, ArrayTree}),
    "not a number": (np.nan, {ArrayLike, ArrayTree}),
    "negative": (-1, {ArrayLike, ArrayTree}),
    "none": (None, {type(None)}),
    "thing": (Thing(), {ArrayTree}),
    "words": (["a", "b"], {list}),
    "words by name": ({"W": "a"}, {Mapping}),
    "things by name": ({"W": Thing()}, {ArrayTree, dict}),
}


def kinds_of(hint):
    """Return the kinds of value that an annotation takes; None where it takes anything."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return {ArrayTree} if hint is ArrayTree else kinds_of(options[0])
    if hint in (typing.Any, object):
        return None
    if hint in (ArrayLike, DTypeLike):
        return {hint}
    if origin in (typing.Union, types.UnionType):
        if set(typing.get_args(ArrayLike)) < set(options):  # ArrayLike | None
            return {ArrayLike, type(None)}
        kinds = [kinds_of(option) for option in options]
        return None if None in kinds else set().union(*kinds)
    if origin is np.ndarray:
        return {ArrayLike}
    if hint in (list, tuple):
        return {list}
    if origin in (Mapping, dict):
        of_words = {Mapping} if options[1] in (str, typing.Any) else set()
        return of_words | ({dict} if options[1] is typing.Any else set())
    if origin in (Iterable, Collection, Sequence, list, tuple):
        items = kinds_of(options[0])
        return {list} if items is None or str in items else set()
    return {hint if origin is None else origin}


def functions():
    """Yield the label, the callable and the class, if any, of all that users give arguments to."""
    seen = set()
    for package in (gradcheck, gradcheck.properties, network, diagnostics):
        for name in package.__all__:
            thing = getattr(package, name)
            if inspect.isfunction(thing):
                yield name, thing, None
            elif inspect.isclass(thing) and not issubclass(thing, BaseException | dict):
                if inspect.isabstract(thing):
                    continue
                if not (name in RESULTS or hasattr(thing, "__members__")):
                    yield name, thing, None
                for method in methods(thing):
                    if method.__qualname__ not in seen and parameters(method):
                        seen.add(method.__qualname__)
                        yield f"{name}.{method.__name__}", method, thing

    for name in gradcheck.properties.SUITES:
        yield f"{name} suite", gradcheck.properties.suite(name)._subject, None


def methods(kind):
    """Yield the public methods of a class, but for those that its base class calls, checked."""
    for name, method in inspect.getmembers(kind, callable):
        made = [vars(base).get(name) for base in kind.mro()]
        hook = any(getattr(each, "__isabstractmethod__", False) for each in made)
        public = not name.startswith("_") and (not hook or name in ("forward", "backward"))
        if public and hasattr(method, "__code__") and "<lambda>" not in method.__qualname__:
            yield method


def parameters(function):
    """Return the annotated parameters by name, each with whether it has to be given."""
    annotated = function.__init__ if inspect.isclass(function) else function
    space = getattr(inspect.unwrap(annotated), "__globals__", {})
    found = {}
    for name, parameter in inspect.signature(annotated).parameters.items():
        if name == "self":
            continue
        stars = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if not stars and parameter.annotation is not parameter.empty:
            hint = parameter.annotation
            try:
                hint = eval(hint, space) if isinstance(hint, str) else hint
            except NameError:  # known to type checkers alone
                hint = typing.Any
            found[name] = hint, parameter.default is parameter.empty
    return found


def named(label, name, kind):
    """Yield the names by which a table may have a parameter, the most particular first."""
    yield f"{label.rpartition('.')[2]}.{name}"
    yield from (f"{base.__name__}.{name}" for base in (() if kind is None else kind.mro()))
    yield name


def call(label, function, kind, changed):
    """Call a function or a method with arguments that fit, but for what is changed."""
    given = {}
    for name, (_, needed) in parameters(function).items():
        tables = [each for each in named(label, name, kind) if each in VALUES]
        if needed or (tables and tables[0] != name):
            given[name] = VALUES[tables[0]]()
    given |= changed
    if kind is not None and not inspect.ismethod(function):
        make = OWNERS.get(kind.__name__) or (lambda: call(kind.__name__, kind, None, {}))
        owner = make()
        if function.__name__.startswith("backward"):
            owner.forward(X)
        function = getattr(owner, function.__name__)
    stars = VALUES.get(f"{function.__name__}.*")
    if stars is None:
        return function(**given)
    return function(given.pop(next(iter(given))), *stars(), **given)


def wrong_arguments():
    for label, function, kind in functions():
        if label in UNCHECKED:
            continue
        for name, (hint, _) in parameters(function).items():
            kinds = kinds_of(hint)
            for what, (value, fitting) in POOL.items() if kinds is not None else ():
                signed = any(each in NEGATIVE for each in named(label, name, kind))
                if not fitting & kinds and not (what == "negative" and signed):
                    yield pytest.param(
                        label, function, kind, {name: value}, id=f"{label}-{name}-{what}"
                    )


@pytest.mark.parametrize(("label", "function", "kind", "wrong"), list(wrong_arguments()))
def test_what_does_not_fit_is_refused_by_name(label, function, kind, wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ((name, value),) = wrong.items()

    with pytest.raises((TypeError, ValueError)) as refused:
        call(label, function, kind, wrong)

    text = str(refused.value)
    assert re.search(rf"\b{name}\b", text), text
    given = repr(value), reprlib.repr(value), "dtype"
    assert any(part in text for part in given), text
    assert re.search(r"expected|give |must be|use one of", text), text


@pytest.mark.parametrize(("label", "function", "kind"), list(functions()))
def test_what_fits_is_taken(label, function, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if label not in ONLINE:
        call(label, function, kind, {})
