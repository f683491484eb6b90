"""AlexNet as the SqueezeNet paper compares with it: Caffe's, whose convolutions 2, 4 and 5 are in two groups.

Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks"
(2012), section 3.5; Caffe's bvlc_alexnet, which has the same layers on one machine.
"""

from dataclasses import dataclass

_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Layer:
    """A convolution, or a fully connected layer as one of a kernel as large as its input.

    Attributes:
        name: as Caffe's.
        kernel: its side, in pixels.
        inputs: channels of the input; each group sees its share.
        outputs: channels of the output.
        side: of the output, in pixels.
        groups: parts that the channels are cut into.
    """

    name: str
    kernel: int
    inputs: int
    outputs: int
    side: int
    groups: int = 1

    @property
    def weights(self) -> int:
        """Without the biases."""
        return self.kernel**2 * self.inputs // self.groups * self.outputs

    @property
    def parameters(self) -> int:
        """Weights, and a bias for each output channel."""
        return self.weights + self.outputs

    @property
    def macs(self) -> int:
        """Multiply-accumulates of an image."""
        return self.weights * self.side**2


LAYERS = (
    Layer("conv1", 11, 3, 96, 55),
    Layer("conv2", 5, 96, 256, 27, groups=2),
    Layer("conv3", 3, 256, 384, 13),
    Layer("conv4", 3, 384, 384, 13, groups=2),
    Layer("conv5", 3, 384, 256, 13, groups=2),
    Layer("fc6", 6, 256, 4096, 1),
    Layer("fc7", 1, 4096, 4096, 1),
    Layer("fc8", 1, 4096, 1000, 1),
)
PARAMETERS = sum(layer.parameters for layer in LAYERS)
MACS = sum(layer.macs for layer in LAYERS)
FLOAT_BYTES = _FLOAT_BYTES * PARAMETERS
