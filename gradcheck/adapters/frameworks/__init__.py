"""Arrays and layers of other libraries: PyTorch, JAX, thinc, numpy-ml, own autograd."""
