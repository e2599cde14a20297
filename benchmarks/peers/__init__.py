"""Inputs of known truth, put to gradcheck and to the checkers that people use today."""
