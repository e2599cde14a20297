"""Hypotheses that predict every entry of a small tensor from its measured Jacobian."""
