"""From a mismatch to the name of the bug, by hypotheses that numbers test."""
