"""What a firmware speaks over its serial port: our link, or the commands of the benchmark MLPerf Tiny."""

import argparse
from typing import Any, Literal

from squeezenet_mcu.common.errors import UserError

Protocol = Literal["link", "mlperf_tiny"]
PROTOCOLS: tuple[Protocol, ...] = ("link", "mlperf_tiny")
DOCS = "docs/mlperf_tiny.md"


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The option that says which protocol a firmware speaks."""
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        default="link",
        help=f"link: ours; mlperf_tiny: that benchmark's commands, {DOCS} (link)",
    )


def folder_suffix(protocol: Protocol) -> str:
    """What the name of a firmware's folder ends with: the boards' own is the link's."""
    return "" if protocol == "link" else f"-{protocol}"


def input_bytes(manifest: dict[str, Any], protocol: Protocol) -> int:
    """SRAM that a firmware keeps the input in: a row, or for MLPerf Tiny's `db load` the whole image."""
    size = manifest["input"]
    row: int = size["width"] * size["channels"]
    return row if protocol == "link" else row * size["height"]


def check_room(board: str, manifest: dict[str, Any], protocol: Protocol, free: int) -> None:
    """UserError: the whole input, where the protocol wants it, takes more than the `free` bytes of SRAM."""
    need = input_bytes(manifest, protocol)
    if protocol != "link" and need > free:
        raise UserError(
            f"{manifest['model']} does not fit {board}: MLPerf Tiny's `db load` wants the whole input, "
            f"{need:,} B, in SRAM, and {free:,} are free; take a larger board, or the link, which takes rows"
        )


def share_of(manifest: dict[str, Any], protocol: Protocol) -> str:
    """For the message of a firmware that does not fit: what the input takes; "" for the link."""
    if protocol == "link":
        return ""
    return f" (the whole input, for MLPerf Tiny's `db load`, takes {input_bytes(manifest, protocol):,} bytes)"


def next_step(port: str) -> str:
    """What comes after such a firmware runs at `port`: our own tools do not speak its protocol."""
    return f"it speaks MLPerf Tiny's commands at {port}; {DOCS} says how its runner measures it"
