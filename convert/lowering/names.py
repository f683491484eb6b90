"""Layers' names, from what converters call tensors."""

import re
from collections.abc import Iterator

from squeezenet_mcu.convert.lowering.tflite_file import Op, TfliteFile

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_FIRE = re.compile(r"fire_?(\d+)[/_.]*(squeeze|expand|bypass)\w*?_?(\dx\d)?", re.IGNORECASE)
# A whole word: Keras' own conv2d_1 is not conv2.
_WORD = re.compile(r"(?<![A-Za-z0-9])(conv|bypass)_?(\d+)(?![A-Za-z0-9])", re.IGNORECASE)
# Keras: .../<layer>/Conv2D, with quant_ before a layer that TFMOT has wrapped.
_KERAS = re.compile(r"(?:^|/)(?:quant_)?([\w.-]+)/(?:Conv2D|convolution|depthwise|MatMul)\d*(?:;|$)")
# PyTorch by litert-torch: a path of <module>.<Class>_<name>; the last one is the layer.
_TORCH_LAYER = re.compile(r"(?:^|/)torch\.nn\.modules\.(?:conv\.Conv2d|linear\.Linear)_\w+$")
_TORCH_STEP = re.compile(r"\.[A-Za-z0-9]+_(\w+)$")
_WRAPPER = "wrapped"


def _torch(part: str) -> str | None:
    """PyTorch's own name, as features.3.squeeze."""
    if not _TORCH_LAYER.search(part):
        return None
    steps = [found[1] for step in part.split("/") if (found := _TORCH_STEP.search(step))]
    return ".".join(step for step in steps if step != _WRAPPER)


def _known(name: str) -> str | None:
    if fire := _FIRE.search(name):
        return f"fire{fire[1]}/{fire[2].lower()}{fire[3] or ''}"
    if word := _WORD.search(name):
        return f"{word[1].lower()}{word[2]}"
    if keras := _KERAS.search(name):
        return keras[1]
    return _torch(name)


def _parts(file: TfliteFile, op: Op) -> Iterator[str]:
    """What the tensors are called, one operator of the framework each, the telling ones first.

    The weights' name tells most: the output is called after what a converter folded in, an activation say.
    """
    for index in (op.inputs[1], op.outputs[0]):
        yield from file.tensors[index].name.split(";")


def layer_name(file: TfliteFile, op: Op) -> str:
    """A layer's own name where the tensors' names tell, as fire2/expand3x3 or conv1; else op and index."""
    if op.name in _WEIGHTED:
        for part in _parts(file, op):
            if name := _known(part):
                return name
    elif (fire := _FIRE.search(file.tensors[op.outputs[0]].name)) and fire[2].lower() == "bypass":
        return f"fire{fire[1]}/bypass{fire[3] or ''}"
    return f"{op.name.lower()}_{op.index}"
