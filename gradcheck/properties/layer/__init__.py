"""The properties of a layer: forward, backward, and parameters with their gradients."""
