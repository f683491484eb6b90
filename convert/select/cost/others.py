"""Layers that are no convolutions, and the schedule between them all (firmware_cpp/engine/layer_steps.cc)."""

from collections.abc import Callable

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.network import ACCUMULATING, Buffer, Kind, Layer, Network
from squeezenet_mcu.convert.schedule.rows import RowStage, last_row, stages_of, windows_of
from squeezenet_mcu.convert.select.cost.shape import Work, up


def work_of(layer: Layer, source: Buffer, out: Buffer, family: Family) -> Work:
    """Of an image, of any layer but a CONV_2D."""
    if layer.kind in (Kind.MAX_POOL, Kind.AVERAGE_POOL):
        return _pool(layer, source, out, family)
    if layer.kind is Kind.ADD and family == "v6m":
        return _add(layer, source, out) | _second_roundings(layer, out)
    if layer.kind is Kind.ADD and family == "dsp":
        return _add_of_words(layer, source, out)
    if layer.kind in _OF:
        return _OF[layer.kind](layer, source, out)
    name = layer.kind.name.lower()
    return {
        f"{name}.rows": out.height,
        f"{name}.pixels": out.height * out.width,
        f"{name}.values": out.height * out.width * layer.out_channels,
    }


def _mean(layer: Layer, source: Buffer, _out: Buffer) -> Work:
    channels = layer.out_channels
    return {
        "mean.rows": source.height,
        "mean.words": source.height * (channels // 4),
        "mean.bytes": source.height * source.width * channels,
        "mean.tail_bytes": source.height * source.width * (channels % 4),
        "mean.outputs": channels,
    }


def _dense(layer: Layer, source: Buffer, _out: Buffer) -> Work:
    return {
        "dense.rows": source.height,
        "dense.row_outputs": source.height * layer.out_channels,
        "dense.products": source.height * layer.out_channels * source.row_bytes,
        "dense.outputs": layer.out_channels,
    }


def _depthwise(layer: Layer, _source: Buffer, out: Buffer) -> Work:
    outputs = out.height * out.width * layer.out_channels
    return {
        "depthwise.rows": out.height,
        "depthwise.pixels": out.height * out.width,
        "depthwise.window_rows": outputs * layer.kernel[0],
        "depthwise.products": outputs * layer.kernel[0] * layer.kernel[1],
        "depthwise.outputs": outputs,
    }


def _softmax(layer: Layer, _source: Buffer, _out: Buffer) -> Work:
    return {"softmax.rows": 1, "softmax.values": layer.out_channels}


def _add(layer: Layer, _source: Buffer, out: Buffer) -> Work:
    limited = (layer.act_min, layer.act_max) != (-128, 127)
    values = out.height * out.width * layer.out_channels
    return {
        "add.rows": out.height,
        "add.pixels": out.height * out.width,
        f"add.{'limited' if limited else 'values'}": values,
    }


def _add_of_words(layer: Layer, source: Buffer, out: Buffer) -> Work:
    """Of dsp's ADD (dsp/add_words.h): a row at once where its scales allow it, four values a word."""
    values = out.height * out.width * layer.out_channels
    pairs = list(zip(layer.params[:2], layer.params[3:5], strict=True))
    larger = (1 << 30, 0)
    other = pairs[1 if pairs[0] == larger else 0]
    words = larger in pairs and other[0] >= larger[0] and 1 <= -other[1] <= 3
    if not words or (layer.act_min, layer.act_max) != (-128, 127):
        return {"add.rows": out.height, "add.limited": values}
    apart = out.channels != layer.out_channels  # then each pixel by itself
    return {
        "add.rows": out.height,
        "add.word_values": values,
        "add.word_runs": out.height * (out.width if apart else 1),
    }


def _second_roundings(layer: Layer, out: Buffer) -> Work:
    """Of v6m's ADD: an input of the larger scale has no shift, and takes fewer instructions."""
    shifted = sum(shift != 0 for shift in layer.params[3:5])
    return {"add.shifted": shifted * out.height * out.width * layer.out_channels}


def _pad(_layer: Layer, source: Buffer, out: Buffer) -> Work:
    copied, every = source.height * source.width, out.height * out.width
    return {
        "pad.rows": out.height,
        "pad.copied_pixels": copied,
        "pad.copied_bytes": copied * source.channels,
        "pad.filled_pixels": every - copied,
        "pad.filled_bytes": (every - copied) * source.channels,
    }


_OF: dict[Kind, Callable[[Layer, Buffer, Buffer], Work]] = {
    Kind.MEAN: _mean,
    Kind.DENSE: _dense,
    Kind.DEPTHWISE: _depthwise,
    Kind.SOFTMAX: _softmax,
    Kind.ADD: _add,
    Kind.PAD: _pad,
}


def _pool(layer: Layer, source: Buffer, out: Buffer, family: Family) -> Work:
    """Each row of the input is folded into each row of the output whose window holds it."""
    folds = sum(len(windows_of(layer, row, out.height)) for row in range(source.height))
    kernel, stride, channels = layer.kernel[1], layer.stride[1], layer.out_channels
    lefts = [x * stride - layer.pad_left for x in range(out.width)]
    taps = sum(max(min(left + kernel, source.width) - max(left, 0), 0) for left in lefts)
    name = layer.kind.name.lower()
    work: Work = {f"{name}.folds": folds, f"{name}.pixels": folds * out.width}
    if layer.kind is Kind.MAX_POOL and family == "dsp":  # four channels a word; sixteen at once of three taps
        words, tail = divmod(channels, 4)
        blocks = words // 4 if kernel == 3 and not tail else 0
        return work | {
            "max_pool.blocks": folds * out.width * blocks,
            "max_pool.words": folds * out.width * (words - 4 * blocks),
            "max_pool.word_taps": folds * taps * (words - 4 * blocks),
            "max_pool.tails": folds * out.width * tail,
            "max_pool.tail_taps": folds * taps * tail,
        }
    if layer.kind is Kind.MAX_POOL and family == "mve":  # 16 channels at once
        blocks = up(channels, 16) // 16 * up(kernel, 3) // 3
        inside = sum(left >= 0 and left + 3 <= source.width for left in lefts) if kernel == 3 else 0
        return work | {
            "max_pool.blocks": folds * out.width * blocks,
            "max_pool.later_blocks": (folds - out.height) * out.width * blocks,
            "max_pool.edges": folds * (out.width - inside),
        }
    return work | {
        f"{name}.values": folds * out.width * channels,
        f"{name}.taps": folds * taps * channels,
        f"{name}.outputs": out.height * out.width * channels,
    }


def schedule_of(network: Network) -> Work:
    """Of an image, between its layers: input rows are copied, and after each row a stage is looked for."""
    stages = stages_of(network)
    source = network.buffers[network.input_buffer]
    steps = [steps_of(network, stage) for stage in stages]
    return {
        "schedule.images": 1,
        "schedule.layers": len(network.layers),
        "schedule.input_rows": source.height,
        "schedule.input_bytes": source.height * source.row_bytes,
        "schedule.steps": sum(steps),
        "schedule.searches": source.height * len(stages),
    }


def steps_of(network: Network, stage: RowStage) -> int:
    """How often the engine runs a stage, for an image."""
    layer = stage.layers[0]
    out = network.buffers[stage.output]
    if layer.kind in ACCUMULATING:
        source = network.buffers[layer.inputs[0]]
        return sum(
            1 + sum(last_row(layer, o, source.height) == row for o in windows_of(layer, row, out.height))
            for row in range(source.height)
        )
    return -(-out.height // stage.batch_rows)
