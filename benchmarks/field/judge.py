"""From what `check` said of an object, and what is true of it, to what was answered right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.field.item import WRONG

BROKEN = "broken"  # the object could not be made, or not in time: nothing of gradcheck's to judge

# What a wrong branch is called, whichever way round.
BRANCH = ("wrong_mask", "mask_not_applied", "slope_wrong", "sign_dependent", "region_dependent",
          "derivative_at_wrong_point", "activation_derivative_missing", "clip_ignored",
          "wrong_index")  # fmt: skip
TERM = ("path_missing", "additive_term", "sign_flipped", "slope_wrong", "constant_factor",
        "derivative_at_wrong_point", "jacobian_diagonal_only")  # fmt: skip
FACTOR = ("constant_factor", "factor_two", "factor_batch_size", "upstream_ignored", "slope_wrong",
          "activation_derivative_missing", "derivative_at_wrong_point", "path_missing")  # fmt: skip

# What a slip of an operator may be called, where that implies a name: that of a number does not.
NAMES = {
    "core/ReplaceBinaryOperator_Add_Sub": TERM,
    "core/ReplaceBinaryOperator_Sub_Add": TERM,
    "core/ReplaceUnaryOperator_Delete_USub": TERM,
    "core/ReplaceBinaryOperator_Mul_Div": FACTOR,
    "core/ReplaceBinaryOperator_Div_Mul": FACTOR,
    "core/ReplaceComparisonOperator_Gt_Lt": BRANCH,
    "core/ReplaceComparisonOperator_GtE_LtE": BRANCH,
    "core/ReplaceComparisonOperator_Lt_Gt": BRANCH,
    "core/ReplaceComparisonOperator_LtE_GtE": BRANCH,
    "core/ReplaceComparisonOperator_Eq_NotEq": BRANCH,
    "core/ZeroIterationForLoop": ("zero_gradient", "path_missing", "overwritten_not_accumulated"),
}


@dataclass(frozen=True)
class Row:
    """An object, or one with a slip, and what is true of the answer; None where not judged.

    Attributes
    ----------
    recognised
        Whether there is a verdict.
    passed, alarm
        Of right code: whether it passes, whether it is called wrong.
    found
        Of wrong code: whether it is called wrong.
    named
        Of what was found and has a name: whether the first name is one of its.
    told, misled
        Of what was found and is plain Python: whether the line is told, or another one, which may
        make the gradient right as well.
    placed
        Whether the line is told, or is among the few that are told where no change is known.
    """

    package: str
    name: str
    half: str
    kind: str
    slip: str
    recognised: bool | None = None
    raised: bool = False
    passed: bool | None = None
    alarm: bool | None = None
    found: bool | None = None
    named: bool | None = None
    told: bool | None = None
    misled: bool | None = None
    placed: bool | None = None
    seconds: float | None = None
    why: str = ""
    text: str = ""

    @property
    def failures(self) -> list[str]:
        """Return what went wrong, in words."""
        said = {
            "not recognised": self.recognised is False and not self.raised,
            "raw exception": self.raised,
            "false alarm": self.alarm is True,
            "undecided": self.passed is False and not self.alarm,
            "not found": self.found is False,
            "wrong name": self.named is False,
            "another line": self.misled is True,
            "no line": self.placed is False and not self.misled,
        }
        return [words for words, so in said.items() if so]


def judge(about: Mapping[str, Any], answer: Mapping[str, Any]) -> Row:
    """Judge one answer.

    Parameters
    ----------
    about
        ``package``, ``name``, ``half``, ``kind``, ``slip``, and what is true: ``truth``, ``names``,
        and ``lines``, the (file, line) of which one is to be changed, if they are plain Python.
    answer
        What the worker printed.
    """
    row = {key: about[key] for key in ("package", "name", "half", "kind", "slip")}
    text = answer.get("text", "")
    if "broken" in answer:
        return Row(**row, why=f"{BROKEN}: {answer['broken']}", text=text)
    if "refused" in answer:
        return Row(**row, recognised=False, text=answer["refused"])
    if "raised" in answer:
        return Row(**row, recognised=False, raised=True, text=answer["raised"] + "\n" + text)
    row |= {"recognised": True, "seconds": answer["seconds"], "text": text}
    verdict = answer["verdict"]
    if about["truth"] != WRONG:
        judged = about["truth"] == "right"
        passed, alarm = verdict == "PASS", verdict == "FAIL"
        return Row(**row, passed=passed if judged else None, alarm=alarm if judged else None)
    if verdict != "FAIL":
        return Row(**row, found=False)
    names, lines = about["names"], about["lines"]
    told = [(edit["file"].rpartition("/")[2], edit["line"]) for edit in answer["edits"]]
    right = any(place in lines for place in told)
    places = [(file, int(line)) for file, line in (p.split(":") for p in answer["places"])]
    return Row(
        **row,
        found=True,
        named=answer["name"] in names if names else None,
        told=right if lines else None,
        misled=bool(told) and not right if lines else None,
        placed=right or any(place in lines for place in places) if lines else None,
        why=f"named {answer['name'] or 'nothing'}, right is {' '.join(names) or 'not implied'}; "
        f"lines told {told or places}, right is {lines}",
    )


def names_of_slip(operator: str, ratio: float | None) -> tuple[str, ...]:
    """Return what a slip may be called: what its numbers imply, or what its operator does."""
    if ratio is None:
        return NAMES.get(operator, ())
    if math.isclose(ratio, -1.0, rel_tol=1e-4):
        return ("sign_flipped",)
    if abs(ratio) < 1e-4:
        return ("zero_gradient", "path_missing")
    factors = ("constant_factor", "factor_batch_size")
    if math.isclose(ratio, 2.0, rel_tol=1e-4) or math.isclose(ratio, 0.5, rel_tol=1e-4):
        factors = ("factor_two", *factors)
    signs = ("core/ReplaceBinaryOperator_Add_Sub", "core/ReplaceBinaryOperator_Sub_Add")
    return (*factors, "sign_flipped") if operator in signs else factors
