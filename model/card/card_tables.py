"""The tables of a model's card, Markdown, from its metrics.json and its TOML. Imports no TensorFlow."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from squeezenet_mcu.common import statistics
from squeezenet_mcu.model.settings.compression import Prune
from squeezenet_mcu.model.settings.config import Config, Train

Metrics = dict[str, Any]
PARTS = ("validation", "reserve", "test")
_UNSEEN = ("reserve", "test")  # nothing was learnt from them or chosen by them
_STAGES = {
    "train": "float",
    "prune": "float, pruned",
    "cluster": "float, clustered",
    "quantize": "**int8**",
    "dense": "int8, dense baseline",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> str:
    """A Markdown table; the columns numbered in `right` are set to the right."""
    rule = ["---:" if number in right else "---" for number in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def percent(share: float, digits: int = 2) -> str:
    """A fraction of 1 as "98.20 %"."""
    return f"{100 * share:.{digits}f} %"


def score(share: float, count: int) -> str:
    """A share of `count` images and its 95 % interval (Wilson): "98.20 % (97.2 to 98.8)"."""
    low, high = statistics.interval(share, count)
    return f"{percent(share)} ({100 * low:.1f} to {100 * high:.1f})"


def bytes_of(count: int | None) -> str:
    """ "12,345 B"."""
    return "not measured" if count is None else f"{count:,} B"


def summary(metrics: Metrics) -> str:
    """The figures that models are chosen by."""
    made = metrics["converted"]
    zeros = sum(layer["zeros"] for layer in metrics["layers"].values())
    weights = sum(layer["weights"] for layer in metrics["layers"].values())
    values = max(layer["values"] for layer in metrics["layers"].values())
    int8, baseline = metrics["stages"]["quantize"], metrics["stages"].get("dense")
    unseen = _scored(int8, _UNSEEN)
    rows = [
        (
            f"int8 top-1 on {int8[f'{part}_images']:,} {part} images (95 % interval)",
            score(int8[f"{part}_accuracy"], int8[f"{part}_images"]),
        )
        for part in unseen
    ]
    if baseline:
        lost = f"{points(int8, baseline, unseen):+.2f} points"
        rows.append((f"against its dense baseline, on {' and '.join(unseen)}", lost))
    rows += [
        ("weights, as the engine stores them", bytes_of(made["weights_stored_bytes"])),
        ("zeros among the weights", percent(zeros / weights, 1)),
        ("different weights in a layer, at most", f"{values:,}"),
        ("multiply-accumulates an image", f"{made['macs']:,}"),
        ("SRAM, the engine's arena", bytes_of(made["engine_sram_bytes"])),
    ]
    return table(("", ""), rows, right=(1,))


def _scored(stage: Metrics, parts: Iterable[str]) -> list[str]:
    """Those of `parts` whose images `stage` was measured on."""
    return [part for part in parts if f"{part}_accuracy" in stage]


def points(stage: Metrics, baseline: Metrics, parts: Collection[str]) -> float:
    """How many points (hundredths) more accurate `stage` is than `baseline` on the images of all `parts`."""
    images = {part: stage[f"{part}_images"] for part in parts}
    gains = (images[part] * (stage[f"{part}_accuracy"] - baseline[f"{part}_accuracy"]) for part in parts)
    found: float = 100 * sum(gains) / sum(images.values())
    return found


def split(settings: Config, metrics: Metrics) -> str:
    """How many images for what, and how they were parted."""
    stage, block = metrics["stages"]["train"], settings.train.validation_block
    uses = {
        "validation": "to choose by: never learnt from",
        "reserve": "training images that nothing was learnt from or chosen by; scored in the end",
        "test": "the data's own test images; nothing chosen by them",
    }
    rows = [("training", f"{stage['train_images']:,}", "to learn from")]
    rows += [
        (part, f"{stage[f'{part}_images']:,}", uses[part]) for part in PARTS if f"{part}_images" in stage
    ]
    how = (
        f"Images are held out of each class in whole tracks: runs of {block} in their order, frames of one "
        "filmed object, spread evenly over the class."
        if block > 1
        else "Images are held out of each class one by one, spread evenly over it."
    )
    return table(("part", "images", "what for"), rows, right=(1,)) + "\n\n" + how


def network(settings: Config, metrics: Metrics) -> str:
    """The layers of the converted network, with their outputs, weights and multiply-accumulates."""
    chosen, rows = settings.architecture, []
    for row in metrics["converted"]["plan"]:
        name = row["layer"].replace("/", "_")
        layer = metrics["layers"].get(name)
        kernel = "x".join(map(str, settings.kernels[name][:2])) if layer else ""
        weights = f"{layer['weights']:,}" if layer else ""
        output = "x".join(map(str, row["output"]))
        rows.append((name, row["kind"], kernel, output, weights, f"{row['macs']:,}" if row["macs"] else ""))
    weights = sum(layer["weights"] for layer in metrics["layers"].values())
    rows.append(("all", "", "", "", f"{weights:,}", f"{metrics['converted']['macs']:,}"))
    about = (
        f"SqueezeNet, {chosen.family} family, bypass {chosen.bypass}; "
        f"{metrics['stages']['train']['parameters']:,} parameters as trained"
        + (", batch normalization's among them." if chosen.batch_norm else ".")
    )
    head = ("layer", "operator", "kernel", "output", "weights", "MACs")
    return about + "\n\n" + table(head, rows, right=(3, 4, 5))


def schedule(settings: Config, metrics: Metrics) -> str:
    """What each stage did, for how many epochs, in how many seconds."""
    rows = []
    for name, stage in metrics["stages"].items():
        own = getattr(settings, "quantize" if name == "dense" else name)
        rate = f"{own.learning_rate:g}" if stage["epochs"] else ""
        rows.append((name, str(stage["epochs"]), rate, _what(settings, name), f"{stage['seconds']:,}"))
    head = ("stage", "epochs", "learning rate", "what", "seconds")
    parts = [table(head, rows, right=(1, 2, 4)), _all_stages(settings.train)]
    if settings.distill is not None:
        taught = "The stages after train are" if settings.distill.teacher == "float" else "All stages are"
        whom = "the float network" if settings.distill.teacher == "float" else f"`{settings.distill.teacher}`"
        parts.append(
            f"{taught} taught by {whom} (distillation): {percent(settings.distill.weight, 0)} of the loss, "
            f"at temperature {settings.distill.temperature:g}"
            + (
                ", by the mean of its answers for an image and its mirror image."
                if settings.distill.mirror
                else "."
            )
        )
    return "\n\n".join(parts)


def _what(settings: Config, name: str) -> str:
    cluster = settings.cluster
    if name == "prune":
        return _pruning(settings.prune)
    if name == "cluster":
        other = ", ".join(f"{layer} {count}" for layer, count in cluster.layers.items())
        return f"at most {cluster.clusters} different weights a layer" + (f" ({other})" if other else "")
    if name in ("quantize", "dense"):
        how = "quantization-aware training" if settings.quantize.epochs else "post-training quantization"
        return f"{how} " + ("of the float network" if name == "dense" else "that keeps zeros and clusters")
    return "from scratch"


def _pruning(prune: Prune) -> str:
    parts = [f"{percent(prune.channels, 0)} of the fires' channels removed"] if prune.channels else []
    if prune.block:
        parts.append(f"{prune.block[0]} zeros in every {prune.block[1]} input channels")
    elif prune.sparsity:
        how = {"even": "", "lamp": ", spread by LAMP", "sensitivity": ", spread by sensitivity"}[prune.spread]
        parts.append(f"{percent(prune.sparsity, 0)} zeros by magnitude, polynomial decay{how}")
    parts += [f"{layer} {percent(share, 0)}" for layer, share in prune.layers.items()]
    return "; ".join(parts)


def _all_stages(train: Train) -> str:
    """What is the same in every stage."""
    changes = {
        f"shift by up to {train.shift} px": train.shift,
        f"rotation by up to {train.rotate:g} degrees": train.rotate,
        f"zoom by up to {percent(train.zoom, 0)}": train.zoom,
        f"slant by up to {train.shear:g} columns a row": train.shear,
        f"brightness by up to {percent(train.brightness, 0)}": train.brightness,
        f"contrast by up to {percent(train.contrast, 0)}": train.contrast,
        "mirrored half of the time": train.flip,
        f"a gray square of {train.cutout} px": train.cutout,
    }
    more = {
        f"label smoothing {train.label_smoothing:g}": train.label_smoothing,
        f"rare classes weighted by {train.balance:g}": train.balance,
    }
    extra = "".join(f", {words}" for words, value in more.items() if value)
    drawn = ", ".join(words for words, value in changes.items() if value) or "none"
    return (
        f"All stages: SGD with Nesterov momentum {train.momentum:g}, batches of {train.batch}, learning rate "
        f"by half a cosine to 0, weight decay {train.weight_decay:g}{extra}, seed {train.seed}. "
        f"Augmentation: {drawn}."
    )


def accuracies(metrics: Metrics) -> str:
    """Top-1 of each stage on each part with its interval, and what compression cost."""
    stages = metrics["stages"]
    parts = _scored(stages["quantize"], PARTS)
    rows = [
        (_STAGES[name], *(score(stage[f"{part}_accuracy"], stage[f"{part}_images"]) for part in parts))
        for name, stage in stages.items()
    ]
    head = (
        "top-1 (95 % interval, Wilson)",
        *(f"{part}, {stages['quantize'][f'{part}_images']:,}" for part in parts),
    )
    text = table(head, rows, right=range(1, len(head)))
    if "dense" in stages:
        lost = [
            f"{points(stages['quantize'], stages['dense'], [part]):+.2f} points on {part}" for part in parts
        ]
        text += (
            "\n\nThe dense baseline is the same float network, quantized by the same training, neither "
            f"pruned nor clustered. Against it int8 has {', '.join(lost)}: what compression costs."
        )
    engine = metrics["converted"]["accuracy"]
    if engine and "differing_values" in engine:
        text += (
            f"\n\nThe engine on the host gives {percent(engine['engine_top1'])} of {engine['test_images']:,} "
            f"images; {engine['differing_values']} of its int8 values differ from LiteRT's."
        )
    return text


def layers(metrics: Metrics) -> str:
    """Zeros and different weights by layer, beside what was guaranteed."""
    rows = []
    for name, layer in metrics["layers"].items():
        guaranteed = layer.get("guaranteed") or {"zeros": 0, "values": None, "block": None}
        least = f"{guaranteed['zeros']:,}"
        if guaranteed["block"]:
            least += ", {} in every {}".format(*guaranteed["block"])
        most = "" if guaranteed["values"] is None else f"{guaranteed['values']:,}"
        share = percent(layer["zeros"] / layer["weights"], 1)
        rows.append(
            (name, f"{layer['weights']:,}", f"{layer['zeros']:,}", share, least, f"{layer['values']:,}", most)
        )
    zeros, weights = (sum(layer[key] for layer in metrics["layers"].values()) for key in ("zeros", "weights"))
    rows.append(("all", f"{weights:,}", f"{zeros:,}", percent(zeros / weights, 1), "", "", ""))
    head = (
        "layer",
        "weights",
        "zeros",
        "share",
        "guaranteed at least",
        "different weights",
        "guaranteed at most",
    )
    return table(head, rows, right=range(1, 7))


def sizes(metrics: Metrics) -> str:
    """Flash, SRAM, multiply-accumulates; on the board, as far as measured."""
    made, baseline = metrics["converted"], metrics["stages"].get("dense")
    rows = [
        ("weights, one byte each", bytes_of(made["weights_dense_bytes"])),
        ("weights as the engine stores them, for any CPU", bytes_of(made["weights_stored_bytes"])),
        ("the engine's model, everything in it", bytes_of(made["engine_model_bytes"])),
        (".tflite", bytes_of(metrics["tflite_bytes"])),
        *([(".tflite of the dense baseline", bytes_of(baseline["tflite_bytes"]))] if baseline else []),
        ("SRAM, the engine's arena", bytes_of(made["engine_sram_bytes"])),
        ("SRAM, TensorFlow Lite Micro's arena", bytes_of(made["tflm_arena_bytes"])),
        ("multiply-accumulates an image", f"{made['macs']:,}"),
    ]
    board, device = metrics["board"], metrics["validated"]
    if board:
        what = f"{board['board']}, made for {board['optimize']}"
        rows += [
            (f"{what}: weights as stored", bytes_of(board["weights_stored_bytes"])),
            (f"{what}: the engine's model", bytes_of(board["engine_model_bytes"])),
            (f"{what}: arena", bytes_of(board["arena_bytes"])),
        ]
    if device:
        where = device["board"]
        rows += [
            (f"{where}: flash in all", bytes_of(device["flash_bytes"])),
            (f"{where}: SRAM in all, stack included", bytes_of(device["sram_bytes"])),
        ]
        if cost := device.get("cost"):
            if cost["milliseconds"] is not None:
                rows.append((f"{where}: an image, at its clock", f"{cost['milliseconds']:,.1f} ms"))
            if cost["milliseconds_with_flash"] is not None:
                slower = f"{cost['milliseconds_with_flash']:,.1f} ms"
                rows.append((f"{where}: the same with its flash's wait states, by a model", slower))
            rows.append((f"{where}: cycles an image, without wait states", f"{cost['cycles']:,}"))
        if device["instructions_per_image"]:
            rows.append((f"{where}: instructions an image", f"{device['instructions_per_image']:,}"))
    text = table(("", ""), rows, right=(1,))
    if device:
        text += (
            f"\n\nOn {device['board']}, {device['images']:,} images: {device['differing_values']} of "
            f"{device['compared_values']:,} int8 values differ from LiteRT's."
        )
    return text
