"""A layer small enough that only its treatment of the upstream gradient and cache can be wrong."""

from __future__ import annotations

from benchmarks.corpus.case import recipe


class Standardize:
    """By statistics fitted on the first batch."""

    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def forward(self, x):
        return (x - self.mean) / self.std

    def backward(self, grad):
        return grad / self.std


class Square:
    def forward(self, x):
        self.x = x.copy()
        return x**2

    def backward(self, grad):
        return 2 * self.x * grad


standardize = recipe("standardise", "object/none", Standardize)(
    lambda rng, Standardize, n=4, d=3: (
        Standardize(rng.normal(size=d), rng.uniform(0.2, 3, d)),
        (rng.normal(size=(n, d)),),
    )
)
standardize.breaks(
    "multiplied",
    "grad / self.std",
    "grad * self.std",
    "derivative_at_wrong_point unexplained wrong_axis constant_factor",
    notes="ratio is std squared per feature",
)
standardize.breaks(
    "first feature's",
    "grad / self.std",
    "grad / self.std[0]",
    "unexplained wrong_index constant_factor",
)
standardize.breaks(
    "drifts",
    "        return (x - self.mean) / self.std\n",
    "        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)\n"
    "        return (x - self.mean) / self.std\n",
    "nondeterministic_forward path_missing",
    "x",
    notes="the forward depends on how often it was called; if restored, the mean's path is missing",
)
square = recipe("square", "object/none", Square)(
    lambda rng, Square, shape=(3, 4): (Square(), (rng.normal(size=shape),))
)
square.breaks(
    "keeps the first input",
    "self.x = x.copy()",
    'self.x = getattr(self, "x", x.copy())',
    "stale_cache",
    "",
)
square.breaks(
    "one call behind",
    "self.x = x.copy()",
    'self.x, self.next = getattr(self, "next", 0 * x), x.copy()',
    "stale_cache",
    "x",
)
square.breaks(
    "upstream squared",
    "2 * self.x * grad",
    "2 * self.x * grad**2",
    "upstream_ignored",
    notes="not linear in the cotangent",
)
square.breaks(
    "upstream's size ignored",
    "2 * self.x * grad",
    "2 * self.x * np.sign(grad)",
    "upstream_ignored",
    notes="not linear in the cotangent",
)
square.breaks("upstream assumed one", "2 * self.x * grad", "2 * self.x", "upstream_ignored")
square.breaks(
    "constant added",
    "2 * self.x * grad",
    "2 * self.x * grad + 0.01",
    "additive_term upstream_ignored",
)
square.breaks("absolute", "2 * self.x * grad", "2 * np.abs(self.x) * grad", "sign_dependent")
square.breaks(
    "upstream summed",
    "2 * self.x * grad",
    "2 * self.x * grad.sum()",
    "samples_mixed upstream_ignored summed_to_scalar",
    notes="one number for the whole upstream gradient",
)
square.breaks(
    "upstream averaged over the batch",
    "2 * self.x * grad",
    "2 * self.x * grad.mean(0)",
    "samples_mixed wrong_axis",
)
square.breaks(
    "large inputs",
    "2 * self.x * grad",
    "2 * np.clip(self.x, -1, 1) * grad",
    "region_dependent clip_ignored",
    shape=(6, 5),
)
square.breaks(
    "not a number",
    "2 * self.x * grad",
    "2 * self.x * grad * np.sqrt(self.x) / np.sqrt(self.x)",
    "not_finite",
    notes="root of negative numbers",
)
square.breaks(
    "overflows",
    "2 * self.x * grad",
    "2 * self.x * grad * np.exp(1e3 * self.x) / np.exp(1e3 * self.x)",
    "not_finite",
)
