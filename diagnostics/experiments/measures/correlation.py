"""How far the answers of a regression go along with its targets."""

from __future__ import annotations

import numpy as np

from diagnostics.history.table import Floats


def correlation(answers: Floats, targets: Floats) -> float:
    """Return Pearson's correlation over all outputs, zero where one of the two is constant."""
    a, t = (values - values.mean(axis=0) for values in (answers, targets))
    norm = float(np.sqrt((a**2).sum() * (t**2).sum()))
    return float((a * t).sum()) / norm if norm > 0 else 0.0


def correlations_by_shift(answers: Floats, targets: Floats) -> Floats:
    """Return the correlation with the targets moved by each number of rows, shape (n,)."""
    a, t = (values - values.mean(axis=0) for values in (answers, targets))
    spectrum = np.fft.rfft(a, axis=0).conj() * np.fft.rfft(t, axis=0)
    # sum over i of a_i t_(i + k), for all k at once
    products = np.fft.irfft(spectrum, n=len(a), axis=0).sum(axis=1)
    return np.asarray(products / max(float(np.sqrt((a**2).sum() * (t**2).sum())), 1e-300))


def best_shift(agreements: Floats) -> tuple[int, float]:
    """Return by how many rows, cyclically and either way, they agree best, and how well."""
    best = int(agreements.argmax())
    return (best if best <= len(agreements) // 2 else best - len(agreements)), float(
        agreements[best]
    )


def explained(answers: Floats, targets: Floats) -> float:
    """Return R squared: the share of the targets' variance that the answers explain."""
    variance = float(targets.var(axis=0).mean())
    return 1 - float(((answers - targets) ** 2).mean()) / variance if variance > 0 else 0.0
