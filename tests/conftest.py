"""Hypothesis profiles: the same examples at every run, more of them under ``ci``."""

import os

from hypothesis import settings

settings.register_profile("dev", derandomize=True, deadline=None, database=None, max_examples=25)
settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
