"""A reference NumPy multi-layer perceptron whose every layer passes its gradient check."""
