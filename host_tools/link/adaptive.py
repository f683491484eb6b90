"""What the line is like, as measured: round trip and loss; and what follows for waits and sizes of frames."""

import math
from dataclasses import asdict, dataclass
from typing import Any

# RFC 6298 (Paxson, Allman, Chu and Sargent, 2011), section 2: gains of the two averages, and how many
# deviations the wait is above the mean.
_GAIN = 1 / 8
_DEVIATION_GAIN = 1 / 4
_DEVIATIONS = 4
_DEVIATIONS_IN_A_HURRY = 1
_LEAST_WAIT = 0.02  # seconds; the clocks and schedulers of hosts and USB bridges are no finer
_MOST_WAIT = 2.0
_OVERHEAD = 18 + 28  # bytes on the wire of a ROWS besides its data, and of the STATUS that answers it
_MEMORY = 0.97  # how much of the loss so far still counts after one more frame: about the last 33 frames do
_MOST_LOSS = 0.95  # of the frames; all of them lost would mean an infinite rate
_CLEAN = 3e-4  # damage per byte; below it the line is taken for a good one
_BAD = 2e-3  # above it every tenth request for a result, or its answer, gets lost
_RESULTS = 230  # bytes on the wire of an image's three questions for results and their answers
_RISK = (
    0.15  # that one of them is lost: with more it is faster not to begin the next image before they are in
)
LOSSY_FRAMES = 4  # in flight on a line that loses frames: what follows a lost one is wasted


class RoundTrip:
    """RFC 6298's estimate of how long an answer takes. Requests have numbers, so every answer counts."""

    def __init__(self) -> None:
        self.mean: float | None = None  # seconds; None: no answer so far
        self._deviation = 0.0

    def add(self, seconds: float) -> None:
        """One more answer, which took so long."""
        if self.mean is None:
            self.mean, self._deviation = seconds, seconds / 2
            return
        self._deviation += _DEVIATION_GAIN * (abs(self.mean - seconds) - self._deviation)
        self.mean += _GAIN * (seconds - self.mean)

    def wait(self, first: float, hurry: bool = False) -> float:
        """Seconds of silence after which to ask again.

        `first`: where nothing is measured. `hurry`: on a line that loses much, where silence is more often a
        loss than a late answer.
        """
        if self.mean is None:
            return first
        least = min(first, _LEAST_WAIT)
        deviations = _DEVIATIONS_IN_A_HURRY if hurry else _DEVIATIONS
        return min(max(self.mean + deviations * self._deviation, least), max(first, _MOST_WAIT))


class Loss:
    """How often a byte's damage costs a frame, estimated from the frames of late."""

    def __init__(self) -> None:
        # One good frame, so that the first loss does not count for everything.
        self._frames, self._bytes, self._lost = 1.0, 64.0, 0.0

    def add(self, size: int, lost: bool) -> None:
        """One more request of `size` bytes on the wire, its answer included; `lost`: one of the two was."""
        self._frames = self._frames * _MEMORY + 1
        self._bytes = self._bytes * _MEMORY + size
        self._lost = self._lost * _MEMORY + lost

    @property
    def rate(self) -> float:
        """Damage per byte: a frame of n bytes arrives with a probability of exp(-n * rate)."""
        share = min(self._lost / self._frames, _MOST_LOSS)
        return -math.log(1 - share) * self._frames / self._bytes

    @property
    def clean(self) -> bool:
        """Whether next to nothing is lost."""
        return self.rate < _CLEAN

    @property
    def bad(self) -> bool:
        """Whether so much is lost that it pays to ask more than once."""
        return self.rate > _BAD

    def best_data(self, most: int) -> int:
        """Bytes of an image that one ROWS should carry, at most `most`.

        Of n bytes and h of overhead, n * exp(-(n + h) * rate) / (n + h) is the gain per byte sent. Its
        derivative is 0 where n^2 + n * h = h / rate.
        """
        if self.rate * most * most < 1e-9:
            return most
        half = _OVERHEAD / 2
        return max(1, min(most, int(math.sqrt(half * half + _OVERHEAD / self.rate) - half)))

    @property
    def allows_look_ahead(self) -> bool:
        """Whether the next image may begin before the results of this one are in."""
        return self.rate * _RESULTS < _RISK


@dataclass
class Statistics:
    """What passed on a line, and what got lost."""

    requests: int = 0
    answers: int = 0
    lost: int = 0  # requests of which either they or their answers did not arrive
    probes: int = 0  # requests sent because of silence
    bytes_sent: int = 0
    bytes_received: int = 0
    restarts: int = 0  # resets of the device
    reopened: int = 0  # times that the port went away and came back
    slowed: int = 0  # times that an agreed baud rate had to be given up
    images_again: int = 0  # images that had to be sent again as a whole
    timed_answers: int = 0  # whose round trips are known
    shortest: float = math.inf  # seconds
    longest: float = 0.0
    total: float = 0.0
    dropped_bytes: int | None = None  # by the device, because its buffer was full; None: it has not said
    damaged_frames: int | None = None  # that the device has received

    @property
    def bytes_passed(self) -> int:
        """In both directions."""
        return self.bytes_sent + self.bytes_received

    def timed(self, seconds: float) -> None:
        """One more round trip."""
        self.timed_answers += 1
        self.total += seconds
        self.shortest = min(self.shortest, seconds)
        self.longest = max(self.longest, seconds)

    @property
    def mean(self) -> float:
        """Mean round trip, seconds; 0 without answers."""
        return self.total / self.timed_answers if self.timed_answers else 0.0

    def as_json(self) -> dict[str, Any]:
        """For a report: counts, bytes, milliseconds."""
        found = asdict(self)
        for name in ("shortest", "longest", "total", "timed_answers"):
            del found[name]
        times = {
            "min": self.shortest if self.timed_answers else 0.0,
            "mean": self.mean,
            "max": self.longest,
        }
        return found | {"round_trip_ms": {name: round(1e3 * value, 3) for name, value in times.items()}}

    def line(self) -> str:
        """For people."""
        asked = f"{self.requests:,} requests, {self.lost:,} lost"
        if self.lost:
            asked += f" ({self.lost / self.requests:.1%})"
        said = [asked, f"round trip {1e3 * self.mean:,.1f} ms"]
        for count, what in (
            (self.images_again, "sent again"),
            (self.restarts, "resets"),
            (self.reopened, "times reopened"),
            (self.slowed, "times back at the default baud rate"),
            (self.damaged_frames, "damaged frames at the device"),
            (self.dropped_bytes, "bytes dropped by the device"),
        ):
            if count:
                said.append(f"{count:,} {what}")
        return ", ".join(said)
