"""JSON that is damaged, or written by Python's ``print``: read up to the first fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diagnostics.history.table import Problem

# What JSON has, and what Python and NumPy print: 'text', None, True, nan, inf, np.float64(0.5).
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<mark>[][{}():,])
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?))(?=[\s,\]})]|$)
    | (?P<word>[-+]?[A-Za-z_][\w.]*)
    )""",
    re.VERBOSE,
)
_WORDS: dict[str, bool | float | None] = {"none": None, "null": None, "true": True, "false": False}
_WORDS |= {sign + word: float(sign + word) for sign in ("", "+", "-") for word in ("nan", "inf")}
_WORDS |= {sign + "infinity": float(sign + "inf") for sign in ("", "+", "-")}
# A call such as np.float64(0.5) or array([1, 2], dtype=float32) stands for its first argument.
_CALL = re.compile(r"(?:[A-Za-z_][\w.]*)?(?:float|int|array|tensor|History|dict|list)\w*$", re.I)
_OPTION = re.compile(r"\s*,\s*[A-Za-z_]\w*\s*=\s*[\w.']+")


class FaultError(ValueError):
    """Nothing beyond this position can be read."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


@dataclass
class Parser:
    """Reads one value from a text; containers keep what was complete before a fault."""

    text: str
    position: int = 0
    fault: FaultError | None = None
    problems: list[Problem] = field(default_factory=list)

    def value(self) -> Any:
        """Read the value at the current position."""
        match = self._token()
        if match["text"] is not None:
            return re.sub(r"\\(.)", r"\1", match["text"][1:-1])
        if match["number"] is not None:
            # At the end of the text the number may be half of one.
            if match.end() == len(self.text):
                raise FaultError(match.start("number"), "the text ends within a number")
            return float(match["number"])
        if match["word"] is not None:
            return self._word(match)
        if match["mark"] == "{":
            return self._dictionary()
        if match["mark"] in ("[", "("):
            return self._list("]" if match["mark"] == "[" else ")")
        raise FaultError(match.start("mark"), f"{match['mark']!r} where a value should stand")

    def at_dictionary(self) -> bool:
        """Whether a dictionary comes next."""
        return self._peek() == "{"

    def all_problems(self) -> list[Problem]:
        """Return what could not be read, with what ended the reading."""
        if self.fault is None:
            return self.problems
        message = f"{self.fault}; what stands before was read"
        return [*self.problems, _problem(self.text, self.fault.position, message)]

    def _word(self, match: re.Match[str]) -> Any:
        word = match["word"]
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        if _CALL.match(word) and self._peek() == "(":
            self._token()
            value = self.value()
            option = _OPTION.match(self.text, self.position)
            self.position = option.end() if option else self.position
            self._expect(")")
            return value
        self.problems.append(_problem(self.text, match.start("word"), f"{word[:40]!r} is no value"))
        return None

    def _list(self, end: str) -> list[Any]:
        items: list[Any] = []

        def read_item() -> None:
            item = self.value()
            if not self.fault or item:
                items.append(item)

        self._read_until(end, read_item)
        return items

    def _dictionary(self) -> dict[str, Any]:
        items: dict[str, Any] = {}

        def read_item() -> None:
            key = str(self.value())
            self._expect(":")
            items[key] = self.value()

        self._read_until("}", read_item)
        return items

    def _read_until(self, end: str, read_item: Callable[[], None]) -> None:
        try:
            while self._peek() != end:
                read_item()
                if self.fault or self._peek() != ",":
                    break
                self._expect(",")
            if not self.fault:
                self._expect(end)
        except FaultError as fault:
            self.fault = fault

    def _token(self) -> re.Match[str]:
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            rest = self.text[self.position :].lstrip()
            at = len(self.text) - len(rest)
            shown = rest.split(maxsplit=1)[0][:40] if rest else ""
            raise FaultError(at, f"{shown!r} cannot be read" if rest else "the text ends here")
        self.position = match.end()
        return match

    def _peek(self) -> str | None:
        match = _TOKEN.match(self.text, self.position)
        return None if match is None else match["mark"]

    def _expect(self, mark: str) -> None:
        match = self._token()
        if match["mark"] != mark:
            found = match.group().strip()[:40]
            at = match.end() - len(match.group().lstrip())
            raise FaultError(at, f"{found!r} where {mark!r} should stand")


def read_damaged(text: str, start: int = 0) -> tuple[Any, list[Problem]]:
    """Return the value that begins at ``start``, as far as it can be read, and what could not.

    Of several dictionaries one after the other, a list is made.
    """
    parser, values = Parser(text, start), [None]
    try:
        values = [parser.value()]
        while isinstance(values[-1], dict) and not parser.fault and parser.at_dictionary():
            values.append(parser.value())
    except FaultError as fault:
        parser.fault = fault
    problems = parser.all_problems()
    rest = text[parser.position :].lstrip()
    if not parser.fault and rest:
        problems.append(_problem(text, len(text) - len(rest), "the text from here on left out"))
    return values if len(values) > 1 else values[0], problems


def read_first(text: str, start: int) -> tuple[Any, list[Problem]]:
    """Return the one value that begins at ``start``, whatever follows it."""
    parser, value = Parser(text, start), None
    try:
        value = parser.value()
    except FaultError as fault:
        parser.fault = fault
    return value, parser.all_problems()


def _problem(text: str, at: int, message: str) -> Problem:
    """What is wrong at a place, in lines and characters counted from one."""
    line = text.count("\n", 0, at) + 1
    return Problem(message, line, position=at - text.rfind("\n", 0, at))
