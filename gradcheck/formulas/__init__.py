"""Textbook formulas, each written once: activations and losses with their derivatives."""
