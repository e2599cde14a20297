"""Derivatives from samples of a function, with error bounds: mathematics that knows no target."""
