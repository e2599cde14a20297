"""The demonstration: the network of the question, its faults measured, and it corrected."""

from gradcheck.demo.run import run_demo

__all__ = ["run_demo"]
