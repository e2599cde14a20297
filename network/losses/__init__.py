"""The losses: a mean over a batch of predictions, and its gradient."""
