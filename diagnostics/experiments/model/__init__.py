"""The model under investigation: its predictions, layers and weights."""
