"""A line that damages what it carries, on purpose: FAULTS=drop=0.001,flip=0.001. For tests, and for users."""

import random
import time
from collections import deque
from dataclasses import dataclass, field

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown
from squeezenet_mcu.host_tools.link.transport import Transport, change_rate

# What may happen to a byte: it is lost; one of its bits is another; it comes twice; bytes come before it that
# nobody sent; it and all behind it up to the next zero are lost; it and all behind it come later.
KINDS = ("drop", "flip", "duplicate", "insert", "truncate", "delay")
_DELAY = (0.02, 0.2)  # seconds
_MOST_INSERTED = 8
_MOST_TRUNCATED = 1024
_MOST_SEED = 1 << 32
_MOST_TEXT = 400
_WANTED = (
    f"want KIND=RATE,KIND=RATE of {', '.join(KINDS)}, each from 0 to 1 of the bytes; or all=RATE; seed=N"
)


@dataclass(frozen=True)
class Faults:
    """`rates`: the share of the bytes that each kind befalls, each way; the same `seed`, the same faults."""

    rates: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    @property
    def rate(self) -> float:
        """The share of the bytes that anything befalls."""
        return sum(self.rates.values())


def parse(text: str) -> Faults:
    """What FAULTS= says: "drop=0.001,flip=0.001,seed=3". all=RATE: RATE in sum, spread over all kinds.

    UserError where it is something else.
    """
    rates: dict[str, float] = {}
    seed = 0
    for part in text[:_MOST_TEXT].split(","):
        kind, _, value = part.strip().partition("=")
        try:
            if kind == "seed":
                seed = int(value)
                good = 0 <= seed < _MOST_SEED
            else:
                rate = float(value)
                good = 0 <= rate <= 1 and (kind in KINDS or kind == "all")
                among = KINDS if kind == "all" else (kind,)
                for one in among:
                    rates[one] = rates.get(one, 0.0) + rate / len(among)
        except ValueError:
            good = False
        if not good:
            raise UserError(f"FAULTS: {shown(part.strip())}; {_WANTED}")
    faults = Faults(rates, seed)
    if len(text) > _MOST_TEXT or not 0 < faults.rate <= 1:
        raise UserError(f"FAULTS: {shown(text)}: rates of {faults.rate:g} in sum; {_WANTED}")
    return faults


class _Way:
    """One direction: damages bytes, and keeps those that come later."""

    def __init__(self, faults: Faults, seed: str) -> None:
        self._random = random.Random(seed)
        self._kinds = [kind for kind, rate in faults.rates.items() if rate]
        self._weights = [faults.rates[kind] for kind in self._kinds]
        self._rate = faults.rate
        self._losing = 0  # bytes that a truncation may still take
        self._late_until = 0.0
        self._queue: deque[tuple[float, bytes]] = deque()
        self.damaged = 0

    def carry(self, data: bytes) -> None:
        """Takes `data` over, damaged; `released` gives them."""
        now = time.monotonic()
        out = bytearray()
        for byte in data:
            if self._losing:
                self._losing = self._losing - 1 if byte else 0
                if byte:
                    continue
            if self._random.random() >= self._rate:
                out.append(byte)
                continue
            self.damaged += 1
            kind = self._random.choices(self._kinds, self._weights)[0]
            if kind == "delay":
                self._put(out, now)
                self._late_until = max(self._late_until, now) + self._random.uniform(*_DELAY)
                out.append(byte)
            else:
                out += self._damage(kind, byte)
        self._put(out, now)

    def _damage(self, kind: str, byte: int) -> bytes:
        if kind == "truncate":
            self._losing = _MOST_TRUNCATED
        elif kind == "flip":
            return bytes([byte ^ (1 << self._random.randrange(8))])
        elif kind == "duplicate":
            return bytes([byte, byte])
        elif kind == "insert":
            # Zeros among them, which end frames, more often than chance has it.
            count = self._random.randint(1, _MOST_INSERTED)
            more = bytes(self._random.choice((0, 1, 255, self._random.randrange(256))) for _ in range(count))
            return more + bytes([byte])
        return b""

    def _put(self, out: bytearray, now: float) -> None:
        if out:
            self._queue.append((max(now, self._late_until), bytes(out)))
            out.clear()

    def released(self) -> bytes:
        """The bytes whose time has come."""
        now = time.monotonic()
        data = bytearray()
        while self._queue and self._queue[0][0] <= now:
            data += self._queue.popleft()[1]
        return bytes(data)

    def due(self) -> float | None:
        """When the next ones come, of time.monotonic(); None: nothing waits."""
        return self._queue[0][0] if self._queue else None


class FaultyLine:
    """A Transport over another one that damages what passes, both ways."""

    def __init__(self, line: Transport, faults: Faults) -> None:
        self.name = line.name
        self._line = line
        self._out = _Way(faults, f"{faults.seed} out")
        self._in = _Way(faults, f"{faults.seed} in")

    @property
    def damaged(self) -> int:
        """Faults so far."""
        return self._out.damaged + self._in.damaged

    def write(self, data: bytes) -> None:
        """See Transport. Bytes that are late leave during a later write or read."""
        self._out.carry(data)
        self._flush()

    def read(self, timeout: float) -> bytes:
        """See Transport."""
        deadline = time.monotonic() + timeout
        while True:
            self._flush()
            if data := self._in.released():
                return data
            now = time.monotonic()
            times = [deadline, *(due for due in (self._in.due(), self._out.due()) if due is not None)]
            self._in.carry(self._line.read(max(0.0, min(times) - now)))
            if now >= deadline:
                return self._in.released()

    def set_baudrate(self, baudrate: int) -> bool:
        """See change_rate()."""
        return change_rate(self._line, baudrate)

    def close(self) -> None:
        """See Transport."""
        self._line.close()

    def _flush(self) -> None:
        if data := self._out.released():
            self._line.write(data)
