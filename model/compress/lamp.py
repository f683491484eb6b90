"""One share of zeros for the whole network, spread over its layers by their weights alone.

Lee et al. 2021, "Layer-adaptive sparsity for the magnitude-based pruning" (arXiv:2010.07611), section 2: a
weight's LAMP score is its square over the sum of the squares of all weights of its layer that are no smaller.
The lowest scores of the whole network go. The greatest weight of a layer scores 1, so that no layer ends
empty before all others do. No image is looked at: nothing here can fit a few of them by chance.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt


def scores(kernel: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The scores of a layer's weights, float64 [weights], ascending: 0 for zeros, 1 for the greatest."""
    squares = np.sort(np.square(kernel.astype(np.float64)).reshape(-1))
    no_smaller = np.cumsum(squares[::-1])[::-1]
    found: npt.NDArray[np.float64] = np.divide(
        squares, no_smaller, out=np.zeros_like(squares), where=squares > 0
    )
    return found


def allocate(
    kernels: Mapping[str, npt.NDArray[np.float32]], share: float, fixed: Mapping[str, float]
) -> dict[str, float]:
    """Each layer's share of zeros, `share` of all weights in total, but for the layers in `fixed`.

    Layers that are not fixed keep one weight each: where that is too many, the total is less than `share`.
    """
    free = {name: scores(kernel)[:-1] for name, kernel in kernels.items() if name not in fixed}
    wanted = share * sum(kernel.size for kernel in kernels.values())
    wanted -= sum(fixed[name] * kernels[name].size for name in fixed)
    of_layer = np.repeat(np.arange(len(free)), [len(values) for values in free.values()])
    order = np.argsort(np.concatenate([*free.values(), np.empty(0)]), kind="stable")
    gone = np.bincount(of_layer[order[: max(round(wanted), 0)]], minlength=len(free))
    return dict(fixed) | {
        name: int(count) / kernels[name].size for name, count in zip(free, gone, strict=True)
    }
