"""Golden files: what README, docs and demonstration show."""
