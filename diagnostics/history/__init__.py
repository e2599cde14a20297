"""A training run as curves, from whatever holds it: files, objects, dictionaries."""
