"""The properties of an activation."""
