"""What to do next, in order of gain: each step is planned and priced as the network itself was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from squeezenet_mcu.convert.encode import blob, entropy
from squeezenet_mcu.convert.engine_model import EngineModel, Maker
from squeezenet_mcu.convert.network import Encoding, Kind, Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.select.known import Known
from squeezenet_mcu.convert.select.ways import ways_of
from squeezenet_mcu.convert.target import ENCODINGS, OPTIMIZE
from squeezenet_mcu.host_tools.analyze import changes, fit
from squeezenet_mcu.host_tools.analyze.fit import Fit
from squeezenet_mcu.host_tools.analyze.subject import Subject, input_size
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest

MOST = 6
_OF_BOARDS = 2  # lines
_SIDES = (0.75, 0.5)
_ZEROS = 0.7
_COSTLIEST = 3  # layers that are tried
_PLENTY = 0.5  # of a memory: what is used of one that is not scarce
_WORTH = 0.005  # of the time or the bytes
_PRICE = 2.0  # so many times the share of the time that it costs, bytes must save
_FEWEST_BITS, _BITS_LESS = 4, 2


@dataclass(frozen=True)
class Step:
    """Something to do, and what the network then takes. `board`: it is to take another board."""

    what: str
    then: Fit
    board: bool = False


class _Steps:
    """Tries steps for one network on one board; the rows at once stay as they were chosen for it."""

    def __init__(self, subject: Subject, base: Fit) -> None:
        assert subject.maker is not None
        self.subject = subject
        self.base = base
        self.maker = subject.maker
        self.known = subject.maker.known

    def with_request(self, what: str, request: ModelRequest) -> Step:
        like = None if request.optimize == "sram" else self.base.made.network
        request = replace(request, cores=self.base.target.workers)
        found = fit.on(self.base.board, self.subject.manifest, self.maker, request, like)
        return Step(what, found)

    def with_network(self, what: str, known: Known) -> Step:
        manifest = self.subject.manifest | {"input": input_size(known.network)}
        like = self.base.made.network
        request = ModelRequest(cores=self.base.target.workers)
        return Step(what, fit.on(self.base.board, manifest, Maker(known, []), request, like))

    def with_layer(self, index: int, known: Known) -> Fit:
        """With layer `index` as in `known`, by its best kernel within its scratch; the others as they are."""
        base = self.base.made.network
        layer = base.layers[index]
        before = self.known.stored(index, layer.encoding)
        ways = ways_of(known, self.base.target).within(index, layer.batch_rows, layer.scratch_bytes)
        own = [way for way in ways if way.model.encoding in (layer.encoding, Encoding.DENSE, Encoding.SPARSE)]
        fitting = [way for way in own if way.stored <= before]
        if not fitting:  # the codes of so small a layer, by itself, take more than they save
            return self.base
        best = min(fitting, key=lambda way: (way.cost, way.stored))
        changed = known.network.layers[index]
        layers = list(base.layers)
        layers[index] = replace(
            layer,
            weights=changed.weights,
            entropy_coded=changed.entropy_coded,
            conv_kernel=best.model.kernel,
            encoding=best.model.encoding,
            scratch_bytes=best.scratch,
        )
        made = replace(
            base, layers=layers, buffers=[replace(b) for b in base.buffers], codes=known.network.codes
        )
        memory = arena.plan(made)
        model = EngineModel(made, memory, blob.serialize(made, memory, []))
        return fit.around(self.base.board, self.subject.manifest, self.base.target, model)

    def smaller_input(self) -> Iterator[Step]:
        for share in _SIDES:
            known = changes.smaller(self.known, share)
            if known is None:
                return
            image = known.network.buffers[known.network.input_buffer]
            step = self.with_network(f"an input of {image.height}x{image.width}", known)
            if not step.then.missing or share == _SIDES[-1]:
                yield step
                return

    def thinner_layers(self) -> Iterator[Step]:
        network, base = self.known.network, self.base
        stored = {i: self.known.stored(i, la.encoding) for i, la in _convolutions(base.made.network)}
        zeros = {i: 1 - np.count_nonzero(la.weights) / la.weights.size for i, la in _convolutions(network)}
        thicker = {i: (_ZEROS - share) / (1 - share) for i, share in zeros.items() if share < _ZEROS}
        by_cost = sorted(thicker, key=lambda i: -base.estimate.layers[i] * thicker[i])
        by_bytes = sorted(thicker, key=lambda i: -stored[i] * thicker[i])
        for i in dict.fromkeys([*by_cost[:_COSTLIEST], *by_bytes[:1]]):
            what = f"prune {network.layers[i].name} to {_ZEROS:.0%} zeros, from {zeros[i]:.0%}"
            yield Step(what, self.with_layer(i, changes.thinned(self.known, i, _ZEROS)))

    def fewer_bits(self) -> Iterator[Step]:
        """Only where bytes matter: else nothing stores weights of fewer bits in fewer bytes."""
        coded = any(la.encoding.name == "HUFFMAN" for _, la in _convolutions(self.base.made.network))
        widest = max(
            (entropy.value_bits(la.conv.weights) for _, la in _convolutions(self.known.network)), default=0
        )
        bits = max(widest - _BITS_LESS, _FEWEST_BITS)
        if bits < widest and (coded or "flash" in self.base.missing):
            yield self.with_network(
                f"weights of {bits} bits, not {widest} (WEIGHT_BITS= where convert quantizes)",
                changes.narrowed(self.known, bits),
            )

    def requests(self) -> Iterator[Step]:
        for optimize in OPTIMIZE[1:]:
            yield self.with_request(f"OPTIMIZE={optimize}", ModelRequest(optimize=optimize))
        for encoding in ENCODINGS:
            yield self.with_request(f"ENCODING={encoding}", ModelRequest(encoding=encoding))
        limit, free = self.base.target.flash_bytes or 0, self.base.flash_total - self.base.code.engine_code
        more = free - self.base.code.other_flash
        if limit < more:
            yield self.with_request(f"FLASH_BYTES={more}", ModelRequest(flash_bytes=more))


def _convolutions(network: Network) -> Iterator[tuple[int, Any]]:
    return ((i, layer) for i, layer in enumerate(network.layers) if layer.kind is Kind.CONV_2D)


def _gain(base: Fit, then: Fit) -> tuple[float, float, float]:
    """What is better the larger it is: bytes that are no longer missing, then time, then bytes."""
    short, still = sum(base.missing.values()), sum(then.missing.values())
    saved = 1 - then.estimate.total / base.estimate.total if base.estimate.total else 0.0
    flash = (base.flash_used - then.flash_used) / base.flash_used
    sram = (base.sram_used - then.sram_used) / base.sram_used
    # Bytes alone count where they cost little time: what is slow is no gain for who has room.
    bytes_ = max(flash, sram) + _PRICE * min(saved, 0.0)
    return (short - still) / (short or 1), saved if saved > _WORTH else 0.0, bytes_


def _worth(base: Fit, then: Fit) -> bool:
    """Whether it helps: towards a fit, if there is none; else in time, or in bytes alone."""
    nearer, time, bytes_ = _gain(base, then)
    if base.missing:
        return nearer > _WORTH
    # Bytes alone are no gain where there is plenty.
    used = max(base.flash_used / base.flash_total, base.sram_used / base.sram_total)
    return not then.missing and (time > _WORTH or (bytes_ > _WORTH and used > _PLENTY))


def _best(base: Fit, steps: Iterator[Step], count: int = 1) -> list[Step]:
    """Of one kind of steps the best, and with two also the one that saves most bytes."""
    useful = sorted(
        (s for s in steps if _worth(base, s.then)), key=lambda s: _gain(base, s.then), reverse=True
    )
    found = useful[:1]
    if count > 1 and len(useful) > 1:
        by_bytes = max(useful, key=lambda s: _gain(base, s.then)[2])
        found += [by_bytes] if by_bytes is not found[0] else []
    return found


def _boards(base: Fit, fits: Sequence[Fit]) -> list[Step]:
    """The smallest board to buy that it fits, and the fastest of those whose time is known.

    None that is no better there than the board of `base`.
    """
    fitting = [found for found in fits if found.board.buy and not found.missing]
    timed = [found for found in fitting if found.milliseconds is not None]
    kinds: dict[str, list[str]] = {}  # by board
    by_name = {found.board.name: found for found in fitting}
    if fitting:
        small = min(fitting, key=lambda f: (f.flash_total + f.sram_total, f.board.name != base.board.name))
        kinds.setdefault(small.board.name, []).append("smallest")
    if timed:
        fast = min(timed, key=lambda f: (f.milliseconds, f.board.name != base.board.name))
        kinds.setdefault(fast.board.name, []).append("fastest")
    return [
        Step(f"{name}, the {' and '.join(kind)} board to buy that it fits", by_name[name], board=True)
        for name, kind in kinds.items()
        if name != base.board.name
    ]


def steps(subject: Subject, base: Fit, fits: Sequence[Fit] = ()) -> list[Step]:
    """At most MOST, the greatest gain first, boards last. `fits`: of all boards, where they are known."""
    tried = _Steps(subject, base)
    boards = _boards(base, fits)
    found = [
        *_best(base, tried.smaller_input()),
        *_best(base, tried.thinner_layers()),
        *_best(base, tried.fewer_bits()),
        *_best(base, tried.requests(), 2),
    ]
    found.sort(key=lambda step: _gain(base, step.then), reverse=True)
    return [*found[: MOST - len(boards)], *boards]


def effect(base: Fit, step: Step) -> str:
    """What changes, in words: time, bytes, whether it fits."""
    then = step.then
    parts = []
    if base.milliseconds is not None and then.milliseconds is not None:
        parts.append(_change(base.milliseconds, then.milliseconds, "ms"))
    elif base.estimate.unit == then.estimate.unit == "instructions":
        parts.append(_change(base.estimate.total / 1e6, then.estimate.total / 1e6, "M instructions"))
    elif then.milliseconds is not None:
        parts.append(f"{then.milliseconds:,.1f} ms")
    else:
        parts.append(f"{then.estimate.total / 1e6:,.1f} M {then.estimate.unit}")
    for memory, before, now in (
        ("flash", base.flash_used, then.flash_used),
        ("SRAM", base.sram_used, then.sram_used),
    ):
        if before != now and not step.board:
            parts.append(f"{memory} {now - before:+,} B")
    if step.board:
        parts.append(f"{then.flash_total:,} B of flash, {then.sram_total:,} B of SRAM")
    if then.missing:
        short = " and ".join(f"{count:,} B of {memory}" for memory, count in then.missing.items())
        parts.append(f"still {short} too much")
    elif base.missing:
        parts.append("then it fits")
    return ", ".join(parts)


def _change(before: float, now: float, unit: str) -> str:
    digits = 1 if max(before, now) >= 10 else 3
    share = f" ({now / before - 1:+.0%})" if before and before != now else ""
    return f"{before:,.{digits}f} -> {now:,.{digits}f} {unit}{share}"


def as_json(base: Fit, step: Step) -> dict[str, Any]:
    """A step for programs."""
    numbers = fit.as_json(step.then)
    keys = ("board", "fits", "missing", "milliseconds", "cycles", "instructions")
    return {
        "what": step.what,
        "effect": effect(base, step),
        **{key: numbers[key] for key in keys},
        "flash_bytes": step.then.flash_used,
        "sram_bytes": step.then.sram_used,
    }
