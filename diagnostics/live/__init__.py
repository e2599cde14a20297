"""Judge a run while it goes on: callbacks for training loops, and a follower of growing logs."""

from diagnostics.live.callbacks import KerasMonitor, LightningMonitor
from diagnostics.live.follow import follow
from diagnostics.live.monitor import Monitor, TrainingWarning

__all__ = ["KerasMonitor", "LightningMonitor", "Monitor", "TrainingWarning", "follow"]
