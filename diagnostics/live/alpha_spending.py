"""When to look at a run that goes on, and how often a finding must be seen to be believed.

Every look at growing data is another chance of a false alarm. Two rules keep their total small:

* Looks are taken at 8 epochs, and then whenever a whole new window of max(3, n // 10) epochs has
  come, the window over which the tests take medians. The last median of a look therefore rests on
  values that no earlier look has seen.
* The k-th look may spend alpha / (k (k + 1)) of false alarms, which sums to alpha over all looks
  however many there are (an error-spending function in the sense of Lan and DeMets 1983,
  Biometrika 70, 659). A test that raises a false alarm with probability p at one look raises it at
  m looks in a row, on new windows each time, with probability p^m if these were independent.
  Hence a finding counts at look k when it was seen at the last m = ceil(ln(k (k + 1) / alpha)
  / ln(1 / p)) looks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

FIRST = 8
# False alarms over a whole run, however long, and the measured rate of one test at one look.
TOTAL_RATE = 0.01
RATE_OF_ONE_LOOK = 0.01


def looks() -> Iterator[int]:
    """Yield the numbers of epochs at which to look, without end."""
    rows = FIRST
    while True:
        yield rows
        rows += max(3, rows // 10)


def sightings_needed(look: int) -> int:
    """Return at how many looks in a row a finding must be seen, at the look of this number."""
    allowed = TOTAL_RATE / (look * (look + 1))
    return math.ceil(math.log(allowed) / math.log(RATE_OF_ONE_LOOK))
