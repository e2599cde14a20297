"""The same layers in NumPy, torch and JAX, right and wrong: are the answers as good in each?"""
