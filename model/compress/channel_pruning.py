"""Structured pruning: whole channels of fire modules go, so that every CPU has less to do.

A channel's importance is the size of the weights that read it, times the batch norm factor that it comes with
(Liu et al. 2017, arXiv:1708.06519, and Li et al. 2017, arXiv:1608.08710, in one). Fires whose outputs are
added keep the same channels.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.model.settings.architecture import Architecture, Fire, layout
from squeezenet_mcu.model.settings.config import Config

Indices = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class _Kept:
    """Of one fire: its place in `stages`, the channels kept of its squeeze, and of its two expands

    together.
    """

    squeeze: Indices
    expand: Indices


def _groups(architecture: Architecture) -> list[list[int]]:
    """Fires (numbers from 2) whose outputs are added to one another; [1, ...] where conv1's output is,

    too.
    """
    network = layout(architecture)
    channels, groups = network.conv1.filters, [[1]]
    fires = [stage for stage in network.stages if isinstance(stage, Fire)]
    for number, fire in enumerate(fires, 2):
        out = fire.expand1x1 + fire.expand3x3
        if architecture.bypass != "none" and channels == out:
            groups[-1].append(number)
        else:
            groups.append([number])
        channels = out
    return groups


def _importance(model: Any, producer: str, readers: list[tuple[str, int]]) -> npt.NDArray[np.float64]:
    """How much each output channel of convolution `producer` matters to `readers`: (layer, its first

    channel).
    """
    count = model.get_layer(producer).kernel.shape[-1]
    importance = np.zeros(count)
    for reader, start in readers:
        kernel = model.get_layer(reader).kernel.numpy()[:, :, start : start + count]
        importance += np.sqrt((kernel.astype(np.float64) ** 2).sum(axis=(0, 1, 3)))
    names = [layer.name for layer in model.layers]
    if f"{producer}_bn" in names:
        importance *= np.abs(model.get_layer(f"{producer}_bn").gamma.numpy())
    else:
        kernel = model.get_layer(producer).kernel.numpy()
        importance *= np.sqrt((kernel.astype(np.float64) ** 2).sum(axis=(0, 1, 2)))
    return importance


def _most(importance: npt.NDArray[np.float64], count: int, halves: list[int]) -> Indices:
    """The `count` channels of most importance, in order, at least one on either side of every border in

    `halves`.
    """
    chosen: list[int] = []
    ranked = np.argsort(-importance, kind="stable")
    for border in halves:
        for side in (ranked[ranked < border], ranked[ranked >= border]):
            if not any(index in side for index in chosen):
                chosen.append(int(side[0]))
    chosen += [int(index) for index in ranked if index not in chosen][: max(0, count - len(chosen))]
    return np.sort(np.array(chosen, np.int64))


def _left(count: int, share: float) -> int:
    return max(1, round(count * (1 - share)))


def thinned(model: Any, settings: Config, share: float) -> tuple[Any, dict[str, tuple[int, int]]]:
    """`model` without `share` of each fire's squeeze and expand channels; of each layer (channels before,
    after).

    Shares are rounded to whole channels. Where conv1's output is added to a fire's, that fire keeps its
    expand channels: conv1 stays whole.
    """
    from squeezenet_mcu.model.network.squeezenet import build

    architecture = settings.architecture
    fires = [stage for stage in layout(architecture).stages if isinstance(stage, Fire)]
    kept: dict[int, _Kept] = {}
    came = layout(architecture).conv1.filters
    for group in _groups(architecture):
        members = [number for number in group if number > 1]
        if not members:
            continue
        outs = fires[members[0] - 2].expand1x1 + fires[members[0] - 2].expand3x3
        expand = np.arange(outs)
        if group[0] > 1:
            borders = [fires[number - 2].expand1x1 for number in members]
            importance = sum(
                _output_importance(model, architecture, number, len(fires)) for number in members
            )
            count = _left(outs, share)
            if count == came:  # equal numbers of channels, where there were none, would make a bypass
                count += 1 if count < outs else -1
            expand = _most(np.asarray(importance), count, borders)
        came = len(expand)
        for number in members:
            name, fire = f"fire{number}", fires[number - 2]
            readers = [(f"{name}_expand1x1", 0), (f"{name}_expand3x3", 0)]
            importance = _importance(model, f"{name}_squeeze1x1", readers)
            kept[number] = _Kept(_most(importance, _left(fire.squeeze, share), []), expand)
    small = build(dataclasses.replace(settings, architecture=_smaller(architecture, kept)))
    assert [layer.name for layer in small.layers] == [layer.name for layer in model.layers]
    changes = _copy(model, small, architecture, kept)
    return small, changes


def _output_importance(
    model: Any, architecture: Architecture, number: int, fires: int
) -> npt.NDArray[np.float64]:
    """The importance of each output channel of fire `number`, expand1x1's before expand3x3's."""
    left, right = f"fire{number}_expand1x1", f"fire{number}_expand3x3"
    readers = [f"fire{number + 1}_squeeze1x1" if number - 1 < fires else "conv10"]
    bypass = f"fire{number + 1}_bypass1x1"
    if bypass in [layer.name for layer in model.layers]:
        readers.append(bypass)
    border = model.get_layer(left).kernel.shape[-1]
    halves = [
        _importance(model, left, [(reader, 0) for reader in readers]),
        _importance(model, right, [(reader, border) for reader in readers]),
    ]
    return np.concatenate(halves)


def _smaller(architecture: Architecture, kept: dict[int, _Kept]) -> Architecture:
    """`architecture`, of the small family, with the channels in `kept` only."""
    stages: list[Any] = []
    number = 2
    for stage in architecture.stages:
        if isinstance(stage, Fire):
            left = int((kept[number].expand < stage.expand1x1).sum())
            stages.append(Fire(len(kept[number].squeeze), left, len(kept[number].expand) - left))
            number += 1
        else:
            stages.append(stage)
    return dataclasses.replace(architecture, stages=tuple(stages))


def _copy(
    model: Any, small: Any, architecture: Architecture, kept: dict[int, _Kept]
) -> dict[str, tuple[int, int]]:
    """Copies what is left of every convolution and its batch norm from `model` to `small`."""
    names = [layer.name for layer in model.layers]
    came = np.arange(model.get_layer("conv1").kernel.shape[-1])
    _copy_layer(model, small, "conv1", None, came)
    changes: dict[str, tuple[int, int]] = {}
    for number, of_fire in sorted(kept.items()):
        name = f"fire{number}"
        border = model.get_layer(f"{name}_expand1x1").kernel.shape[-1]
        outputs = {
            "squeeze1x1": (came, of_fire.squeeze),
            "expand1x1": (of_fire.squeeze, of_fire.expand[of_fire.expand < border]),
            "expand3x3": (of_fire.squeeze, of_fire.expand[of_fire.expand >= border] - border),
            "bypass1x1": (came, of_fire.expand),
        }
        for part, (read, made) in outputs.items():
            layer = f"{name}_{part}"
            if layer in names:
                _copy_layer(model, small, layer, read, made)
                changes[layer] = (model.get_layer(layer).kernel.shape[-1], len(made))
        came = of_fire.expand
    _copy_layer(model, small, "conv10", came, np.arange(architecture.classes))
    return changes


def _copy_layer(model: Any, small: Any, name: str, read: Indices | None, made: Indices) -> None:
    source, target = model.get_layer(name), small.get_layer(name)
    kernel = source.kernel.numpy()[..., made]
    target.kernel.assign(kernel if read is None else kernel[:, :, read])
    if source.bias is not None:
        target.bias.assign(source.bias.numpy()[made])
    if f"{name}_bn" in [layer.name for layer in model.layers]:
        norm, other = model.get_layer(f"{name}_bn"), small.get_layer(f"{name}_bn")
        for variable, value in zip(other.weights, norm.get_weights(), strict=True):
            variable.assign(value[made])
