"""Runs code in processes of its own, which are bounded and do nothing to the user's."""

from gradcheck.isolation.budget import Budget
from gradcheck.isolation.forked import apart
from gradcheck.isolation.here import is_apart, may_fork_for
from gradcheck.isolation.spawned import spawned
from gradcheck.isolation.task import Lost

__all__ = ["Budget", "Lost", "apart", "is_apart", "may_fork_for", "spawned"]
