"""Forwards of PyTorch and JAX, computed once more with NumPy, whose steps can be recorded.

Every operation of a framework is written as what NumPy's functions make of it, in one table each;
one that is not in the table cannot be replayed, and raises.
"""
