"""What training together costs the network: bytes, as Linux counts them by socket. Imports no TensorFlow."""

import math
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALEXNET_PARAMETERS = 60_965_224
_FLOAT_BYTES = 4
_SOCKETS = Path("/proc/self/fd")
# tcpi_bytes_acked and tcpi_bytes_received of struct tcp_info (linux/tcp.h; Linux 4.1 and later).
_COUNTERS, _COUNTERS_AT = struct.Struct("=QQ"), 120
_ESTABLISHED = 1  # tcpi_state


@dataclass(frozen=True)
class Traffic:
    """Bytes sent (and acknowledged) and received, without TCP/IP headers, at these own addresses."""

    sent: int
    received: int
    addresses: tuple[str, ...]


Counters = dict[str, tuple[int, int, str]]


def counters() -> Counters | None:
    """By TCP connection of this process: bytes sent, bytes received, own address. None: not countable."""
    if not hasattr(socket, "TCP_INFO") or not _SOCKETS.is_dir():
        return None
    found: Counters = {}
    for entry in _SOCKETS.iterdir():
        try:
            name = str(entry.readlink())
            if not name.startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as connection:
                if connection.family not in (socket.AF_INET, socket.AF_INET6):
                    continue
                info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                address = connection.getsockname()[0].removeprefix("::ffff:")
        except OSError:  # closed meanwhile, or not TCP
            continue
        if len(info) < _COUNTERS_AT + _COUNTERS.size:
            return None
        if info[0] == _ESTABLISHED:
            found[name] = (*_COUNTERS.unpack_from(info, _COUNTERS_AT), address)
    return found


def since(before: Counters | None) -> Traffic | None:
    """What was exchanged since `before`, by connections that are still open; None where not countable."""
    now = counters()
    if before is None or now is None:
        return None
    sent = received = 0
    addresses = set()
    for name, (out, into, address) in now.items():
        was_out, was_into, _ = before.get(name, (0, 0, address))
        sent, received = sent + out - was_out, received + into - was_into
        if (out, into) != (was_out, was_into):
            addresses.add(address)
    return Traffic(sent, received, tuple(sorted(addresses)))


def figures(
    workers: int,
    trainable: int,
    bytes_a_step: tuple[float, float] = (math.nan, math.nan),
    addresses: Sequence[str] = (),
) -> dict[str, Any]:
    """What a step costs the network, for the record.

    `bytes_a_step`: sent and received by a worker on average, as measured (NaN: not measured) over the
    connections at `addresses`. AlexNet's need is scaled by its parameters from this: fewer parameters are the
    first advantage that Iandola et al. 2016 (arXiv:1602.07360, section 1) name.
    """
    known = not any(map(math.isnan, bytes_a_step))
    sent, received = map(round, bytes_a_step) if known else (None, None)
    scale = ALEXNET_PARAMETERS / trainable
    return {
        "workers": workers,
        "trainable_parameters": trainable,
        "gradient_bytes": _FLOAT_BYTES * trainable,
        "sent_bytes_a_step_and_worker": sent,
        "received_bytes_a_step_and_worker": received,
        "measured_over": [f"TCP connections at {address}" for address in addresses] if known else None,
        "alexnet": {
            "parameters": ALEXNET_PARAMETERS,
            "gradient_bytes": _FLOAT_BYTES * ALEXNET_PARAMETERS,
            "sent_bytes_a_step_and_worker": None if sent is None else round(sent * scale),
        },
    }


def readable(cost: dict[str, Any]) -> str:
    """`figures` in one line."""
    start = f"{cost['workers']} workers, gradient {cost['gradient_bytes']:,} B a step"
    sent, alexnet = cost["sent_bytes_a_step_and_worker"], cost["alexnet"]
    if sent is None:
        return f"{start}; bytes exchanged: not counted on this system; AlexNet's gradient: " + (
            f"{alexnet['gradient_bytes']:,} B"
        )
    return (
        f"{start}; each sent {sent:,} B and received {cost['received_bytes_a_step_and_worker']:,} B a step "
        f"({', '.join(cost['measured_over'])}); AlexNet ({alexnet['parameters']:,} parameters) would send "
        f"{alexnet['sent_bytes_a_step_and_worker']:,} B"
    )
