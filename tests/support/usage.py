"""Usages of a framework, each judged with a right and a wrong backward.

A case is a function of ``link``, an identity that the case puts somewhere into its forward. Its
backward is right, or gives 1.25 times the gradient: so no PASS is one of something unseen.
"""

import gradcheck
from gradcheck import Verdict


class Cases(dict):
    """Cases by name; used as a decorator it adds one."""

    def __call__(self, make):
        self[make.__name__] = make
        return make


def assert_judged(make, links):
    """Check that a case passes with the right one of two identities, and fails with the other."""
    reports = []
    for link in links:
        thing, *inputs = make(link)
        reports.append(gradcheck.check(thing, *inputs, explain=False))
    right, wrong = reports

    assert right.verdict is Verdict.PASS, str(right)
    assert wrong.verdict is Verdict.FAIL, str(wrong)
