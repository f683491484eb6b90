"""Preprocessing folded into the first convolution, so that the network takes plain RGB pixels."""

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.preprocess import for_channels

Floats = npt.NDArray[np.float32]


def fold(kernel: Floats, bias: Floats, preprocess: str) -> tuple[Floats, Floats]:
    """conv1 of a network that takes RGB pixels 0 to 255, from that of one that wants `preprocess`.

    With w for the weights of channel c, sum(w * (pixel - mean) / std) + b = sum((w / std) * pixel) + (b -
    sum(w * mean / std)). That holds where every weight meets a pixel: for a VALID convolution, as conv1 of
    v1.0 and v1.1 is; padding would be zeros of the preprocessed image, a pixel of `mean` each. Computed in
    float64, rounded once.

    Args:
        kernel: float32 [height, width, channels, out]; 3 channels for "torch" and "caffe".
        bias: float32 [out].
        preprocess: a rule of common/preprocess.py.
    """
    rule = for_channels(preprocess, kernel.shape[2])
    scaled = kernel.astype(np.float64) / np.array(rule.std)[:, np.newaxis]
    moved = bias - np.einsum("hwio,i->o", scaled, np.array(rule.mean))
    if rule.order == "bgr":
        scaled = scaled[:, :, ::-1]
    return np.ascontiguousarray(scaled, np.float32), moved.astype(np.float32)
