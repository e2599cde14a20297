"""The same layers in NumPy, torch and JAX, right and wrong, to compare the answers."""
