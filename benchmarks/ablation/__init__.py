"""Parts of the tools left out or moved, and what that changes: see ``benchmarks.sensitivity``."""
