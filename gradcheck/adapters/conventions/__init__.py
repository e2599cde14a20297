"""The conventions in which people write layers, losses and networks: one module for each."""
