"""The layers: what goes forward, and what comes back.

To read in this order: `base` (what a layer is), `dense`, `activations`, `softmax`,
`normalisation`, `dropout`, `chain` (layers made of layers).
"""
