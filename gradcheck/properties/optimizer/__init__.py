"""The properties of an optimiser: what one step, and many, do to parameters."""
