"""Runs code in processes of its own, which are bounded and do nothing to the user's."""

from gradcheck.isolation.budget import Budget
from gradcheck.isolation.map_isolated import map_isolated
from gradcheck.isolation.pool import ENDED
from gradcheck.isolation.spawned import Interpreter
from gradcheck.isolation.task import Lost
from gradcheck.isolation.worker_process import is_worker, may_fork_for, share_nothing

__all__ = [
    "ENDED",
    "Budget",
    "Interpreter",
    "Lost",
    "is_worker",
    "map_isolated",
    "may_fork_for",
    "share_nothing",
]
