"""Statistics, optimisation, special functions, and tapes of automatic differentiation."""
