"""Inputs of known truth, put to gradcheck and to its peers: ``python -m benchmarks.peers``.

``python -m benchmarks.peers [--only PART] [--peer PART] [--each]``

Twenty inputs, each right and wrong. Prints for each peer the wrong ones that it caught and missed,
the right ones at which it raised an alarm or that passed; what it left open, broke at or has no
words for; and at how many inputs it is right both times. A peer is asked what it can express, with
its own tolerances and no tuning. Calls are those of the function, for gradcheck's contract among
them. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

import gradcheck
from benchmarks.engine import guard
from benchmarks.peers import autodiff, numerical
from benchmarks.peers.cases import CASES, Case
from benchmarks.peers.claim import Claim, NotExpressibleError

SECONDS = 60  # for one peer at one input

Peer = Callable[[Claim], bool]


def ours(claim: Claim) -> bool:
    """`gradcheck.check` as it is called by default, without naming the bug."""
    target, inputs = asked(claim)
    report = gradcheck.check(target, *inputs, explain=False, **claim.options)
    if report.verdict is gradcheck.Verdict.UNDECIDED:
        raise UndecidedError
    return report.ok


def asked(claim: Claim) -> tuple[Any, tuple[Any, ...]]:
    """Return what `gradcheck.check` is given for a claim."""
    f, x = claim.f, claim.x
    if claim.component is not None:
        return claim.component, (dict(zip(("angle", "area"), x[:, None], strict=True)),)
    if claim.torch_function is not None:
        import torch

        return claim.torch_function, (torch.tensor(x),)
    if claim.is_operator:
        shape = np.size(f.function(x)), x.size
        adjoint = lambda v: claim.vjp(x, v)  # noqa: E731
        return LinearOperator(shape, matvec=f, rmatvec=adjoint, dtype=x.dtype), ()
    if claim.hessian is not None:
        return (claim.scalar, f, claim.hessian), (x,)
    if claim.jvp is not None:
        return (f, claim.jvp), (x,)
    if claim.backward is not None:
        return Layer(claim), (x,)
    return (f, claim.gradient or claim.jacobian), (x,)


class Layer:
    """A layer whose backward is the claim."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim

    def forward(self, x: Any) -> Any:
        self.x = x
        return self.claim.f(x)

    def backward(self, v: Any) -> Any:
        return self.claim.vjp(self.x, v)


PEERS: dict[str, tuple[str, Peer]] = {
    "gradcheck": ("gradcheck", ours),
    "torch slow": ("torch", autodiff.torch_slow),
    "torch fast": ("torch", autodiff.torch_fast),
    "torch gradgradcheck": ("torch", autodiff.torch_gradgradcheck),
    "jax check_grads": ("jax", autodiff.jax_check_grads),
    "autograd check_grads": ("autograd", autodiff.autograd_check_grads),
    "pytensor verify_grad": ("pytensor", autodiff.pytensor_verify_grad),
    "scipy check_grad": ("scipy", numerical.scipy_check_grad),
    "numdifftools": ("numdifftools", numerical.numdifftools),
    "openmdao check_partials": ("openmdao", numerical.openmdao_check_partials),
    "pyadjoint taylor_test": ("pyadjoint", numerical.pyadjoint_taylor_test),
    "pylops dottest": ("pylops", numerical.pylops_dottest),
}


class UndecidedError(Exception):
    """Neither accepted nor refused."""


@dataclass(frozen=True)
class Answer:
    """What a peer made of an input, right or wrong."""

    peer: str
    case: str
    wrong: bool
    said: str  # "accepted", "refused", "undecided", "not expressible" or "error"
    evaluations: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def is_true(self) -> bool:
        """Whether it is what is true."""
        return self.said == ("refused" if self.wrong else "accepted")


def answer(name: str, peer: Peer, case: Case, wrong: bool) -> Answer:
    """Ask a peer about an input that is made anew."""
    claim, error = case.make(wrong), ""
    np.random.seed(0)  # noqa: NPY002 (some peers draw from it)
    started = time.perf_counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            with guard(SECONDS):
                said = "accepted" if peer(claim) else "refused"
        except NotExpressibleError:
            said = "not expressible"
        except UndecidedError:
            said = "undecided"
        except Exception as raised:
            said, error = "error", f"{type(raised).__name__}: {raised}"
    spent = time.perf_counter() - started
    return Answer(name, case.name, wrong, said, claim.f.calls, spent, error)


def print_table(answers: Sequence[Answer]) -> None:
    """What each peer caught, missed and raised false alarms at."""
    columns = (
        "caught", "missed", "alarms", "passed", "open", "errors", "no words", "both", "calls",
        "seconds",
    )  # fmt: skip
    print(f"{'peer':26s}" + "".join(f"{column:>10s}" for column in columns))
    for name in dict.fromkeys(a.peer for a in answers):
        own = [a for a in answers if a.peer == name]

        def count(said: str, wrong: bool | None = None, own: Sequence[Answer] = own) -> int:
            return sum(a.said == said and wrong in (None, a.wrong) for a in own)

        cells = (
            count("refused", True),
            count("accepted", True),
            count("refused", False),
            count("accepted", False),
            count("undecided"),
            count("error"),
            count("not expressible"),
            sum(all(a.is_true for a in own if a.case == case) for case in {a.case for a in own}),
            sum(a.evaluations for a in own if a.said in ("accepted", "refused")),
        )
        seconds = sum(a.seconds for a in own)
        print(f"{name:26s}" + "".join(f"{cell:10d}" for cell in cells) + f"{seconds:10.1f}")


def print_cheapest(answers: Sequence[Answer]) -> None:
    """Evaluations of gradcheck beside those of the cheapest peer that is right both times."""
    print(f"\n{'input':30s}{'gradcheck':>12s}   cheapest peer that is right")
    for case in dict.fromkeys(a.case for a in answers):
        costs = {}
        for peer in dict.fromkeys(a.peer for a in answers):
            own = [a for a in answers if a.peer == peer and a.case == case]
            if own and all(a.is_true for a in own):
                costs[peer] = sum(a.evaluations for a in own)
        ours_costs = costs.pop("gradcheck", None)
        best = min(costs, key=costs.__getitem__, default=None)
        told = "none" if best is None else f"{costs[best]} ({best})"
        print(f"{case:30s}{'-' if ours_costs is None else ours_costs:>12}   {told}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--only", default="", help="inputs whose name contains this")
    parser.add_argument("--peer", default="", help="peers whose name contains this")
    parser.add_argument("--each", action="store_true", help="a line for each answer")
    options = parser.parse_args(arguments)
    answers = []
    for name, (package, peer) in PEERS.items():
        if options.peer not in name or not importlib.util.find_spec(package):
            continue
        for case in CASES:
            if options.only in case.name:
                answers += [answer(name, peer, case, wrong) for wrong in (False, True)]
    if not answers:
        parser.error(f"no input contains {options.only!r}, or no peer {options.peer!r}")
    if options.each:
        for a in answers:
            kind = "wrong" if a.wrong else "right"
            line = f"{a.peer:26s}{a.case:30s}{kind:7s}{a.said:17s}{a.evaluations:6d}"
            print(f"{line}  {a.error[:120]}")
        print()
    print_table(answers)
    print_cheapest(answers)


if __name__ == "__main__":
    main()
