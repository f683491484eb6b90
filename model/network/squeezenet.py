"""SqueezeNet in Keras: v1.0, v1.1 and a small family, with the paper's three kinds of bypass.

Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
arXiv:1602.07360: table 1 (v1.0), section 6 and figure 2 (bypass). v1.1 is the authors' later release.
"""

from typing import Any

from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.settings.architecture import Fire, layout
from squeezenet_mcu.model.settings.config import Config

layers = keras.layers

_LOGITS_BIAS = 6.0  # at the start, of a conv10 with a ReLU


class _Builder:
    """Adds layers to a graph. Every convolution is Conv2D (-> BatchNormalization) -> ReLU.

    Batch norm costs nothing once converted (it folds into the kernel), and keeps TFMOT's prune-preserving
    quantization from losing the zeros of convolutions that feed a concatenation.
    """

    def __init__(self, batch_norm: bool, bypass: str) -> None:
        self.batch_norm, self.bypass = batch_norm, bypass

    def conv(
        self,
        x: Any,
        name: str,
        filters: int,
        kernel: int,
        stride: int = 1,
        padding: str = "same",
        relu: bool = True,
    ) -> Any:
        """x [n, h, w, c] -> [n, h', w', filters]."""
        x = layers.Conv2D(
            filters,
            kernel,
            stride,
            padding,
            activation="relu" if relu and not self.batch_norm else None,
            use_bias=not self.batch_norm,
            kernel_initializer="he_normal",
            name=name,
        )(x)
        if self.batch_norm:
            # A short memory: these networks train for thousands of steps, not for a million.
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
            if relu:
                x = layers.ReLU(name=f"{name}_relu")(x)
        return x

    def fire(self, x: Any, number: int, fire: Fire) -> Any:
        """x [n, h, w, c] -> [n, h, w, expand1x1 + expand3x3]; section 3.2, and section 6 for the bypass."""
        name = f"fire{number}"
        squeezed = self.conv(x, f"{name}_squeeze1x1", fire.squeeze, 1)
        left = self.conv(squeezed, f"{name}_expand1x1", fire.expand1x1, 1)
        right = self.conv(squeezed, f"{name}_expand3x3", fire.expand3x3, 3)
        out = layers.Concatenate(name=f"{name}_concat")([left, right])
        channels = fire.expand1x1 + fire.expand3x3
        if self.bypass != "none" and x.shape[-1] == channels:
            return layers.Add(name=f"{name}_add")([x, out])
        if self.bypass == "complex":
            x = self.conv(x, f"{name}_bypass1x1", channels, 1, relu=False)
            return layers.Add(name=f"{name}_add")([x, out])
        return out


def _pool(x: Any, number: int, ceil: bool) -> Any:
    """3x3/2 max-pool. Ceil mode (Caffe, torchvision): odd sizes fit, even ones get a row at the end."""
    padding = "valid" if ceil and x.shape[1] % 2 else "same"
    return layers.MaxPooling2D(3, 2, padding, name=f"pool{number}")(x)


def build(config: Config) -> Any:
    """The Keras model of `config`: [n, height, width, channels] to probabilities [n, classes].

    Those trained here take pixels / 255; imported ones (model/importers/) pixels 0 to 255.

    Layers are called conv1, fireN_squeeze1x1, fireN_expand1x1, fireN_expand3x3, fireN_bypass1x1 (complex
    bypass) and conv10, as in the paper; fires count from 2. The logits are the input of the last layer.
    """
    architecture = config.architecture
    network = layout(architecture)
    add = _Builder(architecture.batch_norm, architecture.bypass)
    size = config.input
    inputs = keras.Input((size.height, size.width, size.channels), name="image")
    first = network.conv1
    x = add.conv(inputs, "conv1", first.filters, first.kernel, first.stride, network.conv1_padding)
    number = 2  # conv1 is layer 1, so the paper's first fire module is fire2
    pools = 0
    for stage in network.stages:
        if isinstance(stage, Fire):
            x = add.fire(x, number, stage)
            number += 1
        else:
            pools += 1
            x = _pool(x, pools, network.ceil_pools)
    if network.dropout:
        x = layers.Dropout(network.dropout, name="dropout")(x)
    if config.weights is not None and config.weights.conv10_padding:
        x = layers.ZeroPadding2D(config.weights.conv10_padding, name="conv10_pad")(x)
    x = layers.Conv2D(
        architecture.classes,
        1,
        activation="relu" if architecture.relu_logits else None,
        kernel_initializer="he_normal",
        # Softmax takes no notice of what all logits share, but ReLU does: from 0, half of the 43 signs never
        # came alive (top-1 stayed at 50 %).
        bias_initializer=keras.initializers.Constant(_LOGITS_BIAS if architecture.relu_logits else 0.0),
        name="conv10",
    )(x)
    x = layers.GlobalAveragePooling2D(name="pool10")(x)
    x = layers.Softmax(name="softmax")(x)
    return keras.Model(inputs, x, name=config.name)
