"""Training steps and networks that only learn: which loss their updates descend."""
