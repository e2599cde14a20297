"""The demonstration: the network of the question, its faults found by measurement, then mended."""

from gradcheck.demo.run import run_demo

__all__ = ["run_demo"]
