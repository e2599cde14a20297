"""What the adapter of PyTorch is made of."""
