"""Each convolution through each kernel that supports it: at random here, by cost in choose.py."""

import numpy as np

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.encode import entropy
from squeezenet_mcu.convert.network import WORKERS, Buffer, ConvKernel, Encoding, Kind, Layer, Network
from squeezenet_mcu.convert.schedule.rows import RowStage, stages_of
from squeezenet_mcu.convert.schedule.workers import rows_of_one
from squeezenet_mcu.convert.select.cost.shape import KernelModel, shape_of
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from tests.kernels.random_layers import fills_its_window

# kMaxBatch of firmware_cpp/engine/format.h
_MAX_BATCH = 8
_MAX_SCRATCH = 128 * 1024  # the arena has to fit kZoneBytes of firmware_cpp/bench/cases.cc
_SOMETIMES = 0.2
_OFTEN = 3  # Huffman-coded weights: they differ in mode, bits and classes
_RARELY = 0.2  # the weight of the kernel that every family has


def kernels_of(family: Family) -> list[KernelModel]:
    """All that the family has."""
    return FAMILY_KERNELS.get(family, FAMILY_KERNELS["portable"])


def _force_layer(network: Network, layer: Layer, family: Family, rng: np.random.Generator) -> None:
    source, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
    rows = rows_of_one(layer.batch_rows) if layer.shared else layer.batch_rows
    shape = shape_of(layer, source, out, rows)
    models = [m for m in kernels_of(family) if m.supports(shape) and m.scratch(shape) <= _MAX_SCRATCH]
    odds = np.array([_RARELY if model.kernel is ConvKernel.REFERENCE else 1.0 for model in models])
    odds[[model.encoding is Encoding.HUFFMAN for model in models]] *= _OFTEN
    model = models[int(rng.choice(len(models), p=odds / odds.sum()))]
    least = model.scratch(shape)
    most = max(min(model.useful_scratch(shape), _MAX_SCRATCH), least)
    layer.conv_kernel, layer.encoding = model.kernel, model.encoding
    layer.scratch_bytes = int(rng.choice([least, most, rng.integers(least, most + 1)]))


def _force_stage(network: Network, stage: RowStage, family: Family, rng: np.random.Generator) -> None:
    out = network.buffers[stage.output]
    most = _MAX_BATCH * (WORKERS if stage.layers[0].shared else 1)
    batch = int(rng.integers(1, min(most, out.height) + 1))
    while not all(fills_its_window(la, network.buffers[la.inputs[0]], out, batch) for la in stage.layers):
        batch -= 1
    sources = {layer.inputs[0] for layer in stage.layers}
    hold = len(sources) == 1 and rng.random() < _SOMETIMES
    for layer in stage.layers:
        layer.batch_rows = batch
        layer.shared = layer.shared and batch > 1
        layer.defer_rows = network.buffers[layer.inputs[0]].height if hold else 0
        _force_layer(network, layer, family, rng)


def force(network: Network, family: Family, seed: int) -> None:
    """Sets kernel, encoding, batch and scratch of every convolution of `network`, at random by `seed`."""
    rng = np.random.default_rng([seed, 1])
    for stage in stages_of(network):
        if all(layer.kind is Kind.CONV_2D for layer in stage.layers):
            _force_stage(network, stage, family, rng)
    entropy.code(network)


def _map(buffer: Buffer) -> str:
    return f"{buffer.height}x{buffer.width}x{buffer.channels} zero {buffer.zero_point}"


def _how(layer: Layer) -> str:
    shifts = f"shifts {layer.shifts.min()}..{layer.shifts.max()}"
    kernel = f"{layer.conv_kernel.name.lower()} {layer.encoding.name.lower()}"
    return f", {shifts}, {kernel}, {layer.batch_rows} rows at once, scratch {layer.scratch_bytes}"


def describe(network: Network) -> str:
    """The layers and how they are run, for the message of a failure."""
    lines = []
    for layer in network.layers:
        x, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
        lines.append(
            f"{layer.name}: {_map(x)} -> {_map(out)}, channels {layer.out_channel}+{layer.out_channels}, "
            f"window {layer.kernel} stride {layer.stride} pad {layer.pad_top, layer.pad_left}, "
            f"clamp {layer.act_min}..{layer.act_max}" + (_how(layer) if layer.kind is Kind.CONV_2D else "")
        )
    return "\n".join(lines)
