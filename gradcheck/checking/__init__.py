"""Statistics on a target: one direction, one tensor, its wrong entries, and the contract."""
