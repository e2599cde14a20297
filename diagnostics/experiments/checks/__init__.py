"""The experiments, one question each."""
