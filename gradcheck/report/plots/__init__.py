"""Reports as Matplotlib figures."""
