"""A faster baud rate by agreement: SPEED, its proof, and the way back. docs/link.md says why."""

import contextlib
from collections.abc import Callable

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.errors import DamagedError, LinkError, LinkTimeoutError, PortError
from squeezenet_mcu.host_tools.link.exchange import Exchange, Patience
from squeezenet_mcu.host_tools.link.messages import Feature, Info, Request, Speed
from squeezenet_mcu.host_tools.link.transport import MOST_BAUD

# Seconds. wire.h has the first: a device that hears nothing sound goes back to the default after it.
DOUBT = 3.0
_ASK_EVERY = 0.25
_ASKING = DOUBT + 2.0  # an answer may get lost: then the device has the new rate, until it goes back
_PROOF_EVERY = 0.1
_PROOF = 1.0
_LEAST_SILENCE = 2.0  # until the rate is doubted that has worked so far
_NEAR = 0.03  # of what was asked for; firmware allows 2.5 %
_GOODBYE = 0.5


class Agreement:
    """The baud rate of a line: the one that it was opened with, or a faster one that both ends have.

    Nothing is lost whatever happens to it: at worst the line is silent for some seconds.
    """

    def __init__(
        self,
        exchange: Exchange,
        change: Callable[[int], bool],
        default: int,
        wanted: int | None,
        tell: Callable[[str], None],
    ) -> None:
        """`change(baud)`: gives the port this rate, or returns False; `wanted`: None: no other rate than
        `default`; `tell`: is told in one line why the line is slower than wanted. PortError: no rate at all.
        """
        if wanted is not None and not 1 <= wanted <= MOST_BAUD:
            raise PortError(f"{exchange.name}: speed {wanted}; want 1 to {MOST_BAUD:,} baud")
        self._exchange = exchange
        self._change = change
        self._default = default
        self._wanted = wanted
        self._tell = tell
        self.baudrate = default  # what the line has now
        exchange.on_silence = self._on_silence

    def opened(self) -> None:
        """The line is a new one, with the rate that it was opened with."""
        self.baudrate = self._default

    def agree(self, info: Info) -> None:
        """Agrees on the wanted rate, where the device of `info` can; nothing may be in flight that matters.

        LinkError: the device does not answer any more, not even at the default rate.
        """
        wanted = self._wanted
        if wanted is None or wanted == self.baudrate:
            return
        if not info.features & Feature.SPEED:
            self._stay("its firmware cannot change the baud rate; flash firmware of this checkout")
        elif not self._port_can(wanted):
            self._stay(f"this port cannot have {wanted:,} baud")
        else:
            self._try(wanted)

    def slow_down(self) -> None:
        """Back to the default, at this end."""
        if self.baudrate != self._default:
            self.baudrate = self._default
            self._change(self._default)
            self._exchange.forget()

    def end(self) -> None:
        """Leaves the device at the default rate for the next host, if it hears that."""
        if self.baudrate == self._default:
            return
        with contextlib.suppress(LinkError):
            self._ask(self._default, _GOODBYE, _PROOF_EVERY)
        self.slow_down()

    def _try(self, wanted: int) -> None:
        found = None
        with contextlib.suppress(LinkTimeoutError, DamagedError):
            found = self._ask(wanted, _ASKING, _ASK_EVERY)
        if found == 0:
            self._stay(f"the device's UART cannot come near {wanted:,} baud")
            return
        if found is not None and abs(found - wanted) <= _NEAR * wanted:
            self.baudrate = wanted
            self._change(wanted)
            with contextlib.suppress(LinkTimeoutError, DamagedError):
                if self._ask(wanted, _PROOF, _PROOF_EVERY) is not None:
                    return
            self.slow_down()
        # The device may have the new rate: then it does not hear this before it has gone back.
        self._ask(self._default, _ASKING, _ASK_EVERY)
        self._stay(f"no sound answer at {wanted:,} baud (the cable, the probe or its driver?)")

    def _ask(self, baud: int, patience: float, every: float) -> int | None:
        """What the device answers to SPEED: its rate, 0 for none; None: it refuses. LinkError: no answer."""
        waiting = Patience(every, patience, patience).begin()
        payload = messages.speed(baud)

        def ask() -> None:
            self._exchange.send(Request.SPEED, payload, tag=payload)

        ask()
        while silence := waiting.silence():
            sent, reply = self._exchange.answer(silence, ask, every, every)
            if sent.tag == payload:
                return reply.baud if isinstance(reply, Speed) else None
        return None

    def _port_can(self, wanted: int) -> bool:
        """Whether our end can have the rate: it is tried before the device is asked."""
        could = self._change(wanted)
        return self._change(self._default) and could

    def _stay(self, why: str) -> None:
        self._wanted = None  # once is enough
        self._tell(f"{self._exchange.name}: {why}; goes on at {self._default:,} baud")

    def _on_silence(self, silent: float, patience: float) -> None:
        """After `silent` seconds without an answer, of `patience` at most: the device may be at the default.

        It was reset, or has gone back. One that computes for long must not be taken for one of these.
        """
        if self.baudrate == self._default:
            return
        usual = max(2 * self._exchange.statistics.longest, patience / 4)
        latest = patience - DOUBT - 1.5  # time for the device to go back, and for a probe that it hears then
        if silent < max(_LEAST_SILENCE, min(usual, latest)):
            return
        was = self.baudrate
        self.slow_down()
        self._exchange.statistics.slowed += 1
        self._tell(
            f"{self._exchange.name}: no answer for {silent:.1f} s at {was:,} baud; "
            f"goes on at {self._default:,} baud"
        )
