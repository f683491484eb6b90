"""A convolution whose rows only feed a global mean need not make them whole: groups of its channels will do.

conv10 of the ImageNet networks makes rows of 13,000 bytes, which MEAN folds at once. Split by channels, each
group makes its row, its own MEAN folds it, and the next group's row takes its place. The means are copied
together at the end.
"""

from dataclasses import replace

from squeezenet_mcu.convert.network import MAX_LAYERS, Buffer, Kind, Layer, Network, TensorView

_ROW_BYTES = 4096  # of a group, at most
_UNIT = 4  # channels that kernels take at once
_IDENTITY = [1 << 30, 1]  # multiplier and shift of REQUANTIZE that leave a value as it is


def _groups(channels: int, row_bytes: int) -> list[range]:
    """Channels in the fewest groups of like size, multiples of _UNIT, of at most _ROW_BYTES a row."""
    count = -(-row_bytes // _ROW_BYTES)
    size = -(-channels // count)
    size = -(-size // _UNIT) * _UNIT
    return [range(start, min(start + size, channels)) for start in range(0, channels, size)]


def part_of(layer: Layer, part: range) -> Layer:
    """A convolution's channels `part` as a layer of their own, at the place of the whole one."""
    cut = slice(part.start, part.stop)
    return replace(
        layer,
        name=f"{layer.name}[{part.start}:{part.stop}]",
        out_channels=len(part),
        weights=layer.conv.weights[cut],
        bias=layer.conv.bias[cut],
        multipliers=layer.conv.multipliers[cut],
        shifts=layer.conv.shifts[cut],
        macs=layer.macs * len(part) // layer.out_channels,
    )


def _mean_group(layer: Layer, part: range, source: int, output: int) -> Layer:
    return replace(
        layer,
        name=f"{layer.name}[{part.start}:{part.stop}]",
        inputs=[source],
        output=output,
        out_channels=len(part),
        scratch_bytes=4 * len(part),
    )


def _splittable(network: Network, i: int) -> bool:
    """Layer i is a convolution with rows worth splitting, i + 1 a MEAN, and nothing else reads its rows."""
    conv, mean = network.layers[i], network.layers[i + 1]
    readers = [layer for layer in network.layers if conv.output in layer.inputs]
    writers = [layer for layer in network.layers if layer.output == conv.output]
    return (
        conv.kind is Kind.CONV_2D
        and mean.kind is Kind.MEAN
        and readers == [mean]
        and writers == [conv]
        and mean.out_channel == 0
        and network.buffers[conv.output].row_bytes > _ROW_BYTES
    )


def split(network: Network) -> None:
    """Splits the convolution before the global mean of `network`, in place, where its rows are long."""
    for i in range(len(network.layers) - 1):
        if _splittable(network, i):
            out = network.buffers[network.layers[i].output]
            more = 3 * len(_groups(out.channels, out.row_bytes))  # layers at most, and fewer buffers
            if max(len(network.layers), len(network.buffers)) + more <= MAX_LAYERS:
                _split_at(network, i)
            return


def _split_at(network: Network, i: int) -> None:
    conv, mean = network.layers[i], network.layers[i + 1]
    rows, means = network.buffers[conv.output], network.buffers[mean.output]
    parts = _groups(conv.out_channels, rows.row_bytes)
    layers: list[Layer] = []
    copies: list[Layer] = []
    views: list[TensorView] = []
    for k, part in enumerate(parts):
        # The first group's rows take the place of the whole ones: no buffer is left without a writer.
        row_buffer = conv.output if k == 0 else len(network.buffers)
        if k:
            network.buffers.append(rows)
        network.buffers[row_buffer] = _narrow(rows, part)
        mean_buffer = len(network.buffers)
        network.buffers.append(_narrow(means, part))
        layers += [
            replace(part_of(conv, part), output=row_buffer),
            _mean_group(mean, part, row_buffer, mean_buffer),
        ]
        copies.append(
            Layer(
                f"{mean.name}[{part.start}:{part.stop}] copy", Kind.REQUANTIZE, mean.op_index, [mean_buffer],
                mean.output, len(part), part.start, params=list(_IDENTITY),
            )
        )  # fmt: skip
        views.append(TensorView(row_buffer, 0, len(part)))
    network.layers[i : i + 2] = layers + copies
    for tensor, old in network.tensors.items():
        if old[0].buffer == conv.output:
            network.tensors[tensor] = tuple(views)


def _narrow(buffer: Buffer, part: range) -> Buffer:
    return replace(buffer, name=f"{buffer.name}[{part.start}:{part.stop}]", channels=len(part))
