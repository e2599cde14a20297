"""The gradients of other libraries, judged by the numbers: ``python -m benchmarks.audit``.

A library's operators -> `slices` (functions of one variable) at `points` -> `measure` (the
library's gradient beside the engine's derivative and `truth`) -> `classify` -> `table`.
"""
