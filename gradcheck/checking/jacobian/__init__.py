"""Jacobians beside the numerical ones: measured by columns, compared, and their faults named."""
