"""How hard a suite tries: profiles with a number of examples and a seed, chosen as Hypothesis's."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import NamedTuple

VARIABLE = "GRADCHECK_PROFILE"


class Profile(NamedTuple):
    """How many inputs are drawn per property, besides the pinned ones, and whether always the same.

    Where they are not, every run looks somewhere else, and its seed is printed.
    """

    examples: int
    repeatable: bool


PROFILES = {
    "dev": Profile(25, repeatable=False),
    "ci": Profile(100, repeatable=True),
    "thorough": Profile(1000, repeatable=False),
}


@dataclass(frozen=True)
class Effort:
    """What one run tries: so many examples, drawn from this seed."""

    examples: int
    seed: int


def choose_effort(
    profile: str | None = None, examples: int | None = None, seed: int | None = None
) -> Effort:
    """Return the number of examples and the seed of a run.

    Parameters
    ----------
    profile
        ``"dev"``, ``"ci"`` or ``"thorough"``. When not given: the environment variable
        ``GRADCHECK_PROFILE``; else the profile that Hypothesis has loaded (by ``load_profile`` or
        pytest's ``--hypothesis-profile``), of which ``max_examples`` and ``derandomize`` are taken;
        else the environment variable ``HYPOTHESIS_PROFILE``, where it names one of the three.
    examples, seed
        These instead of the profile's. A seed given by pytest's ``--hypothesis-seed`` goes before
        the profile's too.

    Raises
    ------
    ValueError
        If there is no such profile, or no example is to be tried.
    """
    chosen = _known(profile, "profile") if profile is not None else _of_surroundings()
    examples = chosen.examples if examples is None else examples
    if examples < 1:
        raise ValueError(f"examples must be at least 1, got {examples}")
    if seed is None:
        seed = _forced_seed()
    if seed is None:
        seed = 0 if chosen.repeatable else secrets.randbelow(10**6)
    return Effort(examples, seed)


def _forced_seed() -> int | None:
    """Return what ``pytest --hypothesis-seed`` was given, if that is a number."""
    from hypothesis import core

    forced = getattr(core, "global_force_seed", None)
    return forced if isinstance(forced, int) else None


def _of_surroundings() -> Profile:
    import hypothesis

    if named := os.environ.get(VARIABLE):
        return _known(named, f"the environment variable {VARIABLE}")
    loaded = hypothesis.settings.default
    if loaded is not None and loaded is not hypothesis.settings.get_profile("default"):
        return Profile(loaded.max_examples, loaded.derandomize)
    return PROFILES.get(os.environ.get("HYPOTHESIS_PROFILE", ""), PROFILES["ci"])


def _known(name: str, source: str) -> Profile:
    if name not in PROFILES:
        raise ValueError(f"{source} must be one of {list(PROFILES)}, got {name!r}")
    return PROFILES[name]
