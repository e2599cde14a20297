"""Shows which properties a softmax over the whole array lacks, and what would correct it."""

from __future__ import annotations

import numpy as np

from gradcheck.properties import run_properties


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def row_wise_softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def main():
    report = run_properties("softmax", softmax, examples=30)
    print(report.summary())
    print(report["rows_sum_to_one"].message)
    print()
    print(run_properties("softmax", row_wise_softmax, examples=30))


if __name__ == "__main__":
    main()
