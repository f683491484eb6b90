"""What LiteRT's reference kernels make of an image, in the form in which the device has it: maps of rows."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.convert.verify import coverage


@dataclass(frozen=True)
class Map:
    """A feature map of the engine, int8 [height, width, channels]; its rows are all that the device has.

    Attributes:
        number: the device's.
        layers: names of those that write it, in the order of their channels; the input's is "input".
        starts: the first channel of each.
        known: False where LiteRT has no tensor of all its channels, as of a group's own mean.
    """

    number: int
    shape: tuple[int, int, int]
    layers: tuple[str, ...]
    starts: tuple[int, ...]
    known: bool

    @property
    def name(self) -> str:
        """What to call it in a table."""
        return (
            self.layers[0]
            if len(self.layers) == 1
            else " + ".join((self.layers[0], *map(_last, self.layers[1:])))
        )

    def layer_at(self, channel: int) -> tuple[str, int]:
        """The layer that writes a channel of the map, and which of the layer's own channels that is."""
        at = max(i for i, start in enumerate(self.starts) if start <= channel)
        return self.layers[at], channel - self.starts[at]


def _last(name: str) -> str:
    return name.rpartition("/")[2]


class Expected:
    """The maps of a .tflite, in the order in which the engine's layers write them, the input first.

    UserError: the converter does not take the .tflite.
    """

    def __init__(self, path: Path, reference: Reference) -> None:
        """`path`: of the .tflite; `reference`: of the same."""
        file = tflite_file.read(path)
        self.network: Network = lower(file)
        split(self.network)  # as convert/engine_model.py does for every board
        self._reference = reference
        # A float or uint8 edge is none of the engine's; the int8 behind it is.
        self._tensors = [index for index in self.network.tensors if file.tensors[index].type_name == "INT8"]
        self.never_stored = [
            (file.tensors[index].name, rule)
            for index, rule in coverage.never_stored(file, self.network).items()
        ]
        self.maps = self._list_maps()

    def _list_maps(self) -> list[Map]:
        network = self.network
        writers: dict[int, list[tuple[int, str]]] = {network.input_buffer: [(0, "input")]}
        for layer in network.layers:
            writers.setdefault(layer.output, []).append((layer.out_channel, layer.name))
        known: dict[int, set[int]] = {network.input_buffer: set(range(self._shape(network.input_buffer)[2]))}
        for index in self._tensors:
            for view in network.tensors[index]:
                channels = range(view.channel, view.channel + view.channels)
                known.setdefault(view.buffer, set()).update(channels)
        maps = []
        for number, of in writers.items():
            shape = self._shape(number)
            starts, names = zip(*sorted(of), strict=True)
            whole = len(known.get(number, ())) == shape[2]
            maps.append(Map(number, shape, names, starts, whole))
        return maps

    def _shape(self, number: int) -> tuple[int, int, int]:
        b = self.network.buffers[number]
        return b.height, b.width, b.channels

    def rows(self, image: npt.NDArray[np.int8]) -> dict[int, npt.NDArray[np.int8]]:
        """LiteRT's values of each map that is known, by its number: int8 [height, width * channels].

        `image`: int8 [height, width, channels].
        """
        self._reference.run(image)
        found = {of.number: np.zeros(of.shape, np.int8) for of in self.maps}
        for index in self._tensors:
            values, views = self._reference.tensor(index), self.network.tensors[index]
            first = found[views[0].buffer]
            if (
                len(views) == 1 and views[0].channels == first.shape[2]
            ):  # of any form: a RESHAPE's has another
                first[:] = values.reshape(first.shape)
                continue
            values = values.reshape(*first.shape[:2], sum(view.channels for view in views))
            at = 0
            for view in views:
                part = values[..., at : at + view.channels]
                found[view.buffer][..., view.channel : view.channel + view.channels] = part
                at += view.channels
        found[self.network.input_buffer][:] = image
        return {of.number: found[of.number].reshape(of.shape[0], -1) for of in self.maps if of.known}


def crc(rows: npt.NDArray[np.int8]) -> int:
    """CRC-32 of rows, one after the other, as the device computes it."""
    return zlib.crc32(np.ascontiguousarray(rows).tobytes())
