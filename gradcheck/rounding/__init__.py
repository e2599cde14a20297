"""How far apart two computations of the same numbers may be by rounding alone."""
