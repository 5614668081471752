"""How much a layer's values tell about the input, when one counts with bins.

With n inputs, each as likely as the other, a code has as much information about the input as its
own entropy, because the input decides the code. If different inputs have different values that is
log₂ n, whatever the weights are. With bins it is the entropy of the bins.
"""

from __future__ import annotations

import numpy as np

BINS = 30  # edges in the code of arXiv:1703.00810: 29 bins and the value 1; bins, where they follow


def entropy(codes: np.ndarray) -> float:
    """Entropy in bits of the rows of codes (inputs, units), each input as likely as the other."""
    counts = np.unique(codes, axis=0, return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def fixed_bins(values: np.ndarray, *, bins: int = BINS) -> np.ndarray:
    """Bins as the released code of arXiv:1703.00810 has them: edges from −1 to 1, any shape.

    Its index of a value below −1 is −1, and Python takes that for the last bin, which holds the
    values from 1 on.
    """
    return (np.digitize(values, np.linspace(-1, 1, bins)) - 1) % bins


def open_bins(values: np.ndarray) -> np.ndarray:
    """Bins of the same width that go on in both directions, any shape."""
    return np.floor((values + 1) / (2 / (BINS - 1))).astype(int)


def equal_bins(values: np.ndarray) -> np.ndarray:
    """Bins that hold equally many of a unit's values, or nearly: values are (inputs, units)."""
    edges = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1], axis=0)
    return np.stack([np.searchsorted(e, v) for e, v in zip(edges.T, values.T, strict=True)], 1)
