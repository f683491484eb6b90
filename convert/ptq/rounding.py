"""Rounds a convolution's weights together, so that each makes up for the errors of those before it.

A layer's squared error on its inputs x is quadratic in its weights, with the Hessian X^T X: as in Optimal
Brain Compression (Frantar and Alistarh, 2022, arXiv:2208.11580) and GPTQ (2022, arXiv:2210.17323). Those
round one weight after the other and move the rest; here every weight in turn takes the integer that is best
given all others, again and again (coordinate descent, as in QuantEase, 2023, arXiv:2309.01885). So zeros can
stay zero, whatever the pattern, and one Hessian serves all output channels.
"""

from dataclasses import dataclass

import numpy as np

_DAMPING = 0.1  # times the mean diagonal: how strongly weights are held where samples say little
_SWEEPS = 4


@dataclass
class Sums:
    """What the squared error of a convolution depends on, summed over windows.

    x [windows, taps]: its int8 input less the zero point; y [windows, out]: the sums wanted, before ReLU.
    """

    xx: np.ndarray
    xy: np.ndarray
    x: np.ndarray
    y: np.ndarray
    count: int = 0

    @classmethod
    def empty(cls, taps: int, out: int) -> "Sums":
        """No windows yet."""
        return cls(np.zeros((taps, taps)), np.zeros((taps, out)), np.zeros(taps), np.zeros(out))

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """More windows, float32."""
        self.xx += x.T @ x
        self.xy += x.T @ y
        self.x += x.sum(0, dtype=np.float64)
        self.y += y.sum(0, dtype=np.float64)
        self.count += len(x)


def _descend(
    hessian: np.ndarray, wanted: np.ndarray, start: np.ndarray, free: np.ndarray, top: int
) -> np.ndarray:
    """From `start`, integers v [taps, out] of at most `top` with a small v^T hessian v - 2 v^T wanted.

    Only those that are `free` move.
    """
    v = start.copy()
    gradient = hessian @ v - wanted
    diagonal = np.diag(hessian)
    order = np.argsort(-diagonal, kind="stable")
    for _ in range(_SWEEPS):
        moved = False
        for tap in order:
            new = np.clip(np.round(v[tap] - gradient[tap] / diagonal[tap]), -top, top)
            (changed,) = np.nonzero((new != v[tap]) & free[tap])
            if len(changed):
                gradient[:, changed] += np.outer(hessian[:, tap], new[changed] - v[tap, changed])
                v[tap, changed] = new[changed]
                moved = True
        if not moved:
            break
    return v


def compensated(
    weights: np.ndarray, scales: np.ndarray, sums: Sums, source_scale: float, top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rounds weights [out, ...] at `scales` [out] so that the outputs wanted by `sums` come out best.

    Returns integers float64 [out, ...] within -top to top, and the bias float64 [out] that makes the mean of
    every output what is wanted. Weights that are 0 stay 0.
    """
    flat = weights.reshape(len(weights), -1).T.astype(np.float64)
    steps = scales.astype(np.float64) * source_scale  # of a sum
    # The bias takes up the means: what remains is the covariance.
    hessian = sums.xx - np.outer(sums.x, sums.x) / sums.count
    wanted = sums.xy - np.outer(sums.x, sums.y) / sums.count
    damping = _DAMPING * np.trace(hessian) / len(hessian) + 1e-9
    hessian[np.diag_indices_from(hessian)] += damping
    wanted += damping * flat * source_scale
    start = np.clip(np.round(flat / scales), -top, top)
    v = _descend(hessian, wanted / steps, start, flat != 0, top)
    bias = (sums.y - steps * (sums.x @ v)) / sums.count
    return v.T.reshape(weights.shape), bias
