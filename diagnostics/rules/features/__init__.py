"""What rules measure on curves: levels, rises, sizes, bounds."""
