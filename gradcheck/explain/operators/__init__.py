"""Hypotheses that act on the cotangent or on the gradient, as linear operators."""
