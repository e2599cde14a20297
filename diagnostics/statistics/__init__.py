"""Robust statistics of short, noisy series, and of probabilities."""
