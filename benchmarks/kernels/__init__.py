"""Forty kernels in low precision, each right and wrong by one slip, and what judges them.

Those in Triton run in its interpreter where no other way is asked for: it has to be chosen before
Triton is imported.
"""

import os

os.environ.setdefault("TRITON_INTERPRET", "1")
