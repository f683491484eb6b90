"""The options of a firmware: how the engine's model is made for the board, and whether new ones are taken."""

import argparse
import dataclasses
from pathlib import Path

from squeezenet_mcu.common import sizes
from squeezenet_mcu.common.cli import add_old_spelling, value_with_old_spelling
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.kernel_families import FAMILIES
from squeezenet_mcu.convert.target import ENCODINGS, OPTIMIZE
from squeezenet_mcu.host_tools.firmware import tflm_library
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.firmware.protocols import Protocol
from squeezenet_mcu.host_tools.signing import keys


def add_request_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say how the engine's model is made for the board."""
    add_model_arguments(parser)
    tflm_library.add_arguments(parser)


def add_update_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a firmware that takes new models."""
    parser.add_argument(
        "--update", action="store_true", help="the firmware takes new models over the link (docs/update.md)"
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="with --update: a public key; only models that its owner has signed are taken",
    )


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of our own engine's model alone."""
    parser.add_argument(
        "--optimize",
        choices=OPTIMIZE,
        default="speed",
        help="speed: shortest time within the memory; flash: smallest weights; sram: smallest arena",
    )
    parser.add_argument(
        "--kernel-family", choices=FAMILIES, help="of kernels, instead of what the board's CPU runs best"
    )
    add_old_spelling(parser, "--kernels", "--kernel-family")
    parser.add_argument(
        "--sram-bytes",
        type=sizes.option,
        metavar="BYTES",
        help="most for the engine's arena: 16000, 64K (two to four times the leanest one)",
    )
    parser.add_argument(
        "--flash-bytes",
        type=sizes.option,
        metavar="BYTES",
        help="most for the engine's model: 470000, 1M (what the board's flash holds)",
    )
    parser.add_argument(
        "--encoding",
        choices=ENCODINGS,
        type=value_with_old_spelling("--encoding", "coded", "huffman"),
        help="of all weights that can be stored so (whatever suits each layer)",
    )
    parser.add_argument(
        "--cores",
        type=int,
        choices=(1, 2),
        default=1,
        help="that share the work, where the board has two (1)",
    )


def request_of(args: argparse.Namespace) -> ModelRequest:
    """What add_request_arguments' options ask for."""
    ours = model_request_of(args)
    key = getattr(args, "key", None)  # bench has another --update, and no --key
    if key and not args.update:
        raise UserError("--key: is for a firmware that takes new models; want --update, too")
    if hasattr(args, "key") and args.update:
        ours = dataclasses.replace(ours, update=True, public_key=keys.read_public(key) if key else b"")
    tflm = tflm_library.of(args)
    if tflm is not None and ours != ModelRequest():
        raise UserError(
            "--engine tflm takes no --optimize, --kernel-family, --sram-bytes, --flash-bytes, --encoding, "
            "--cores or --update: they are settings of our own engine"
        )
    inspect = getattr(args, "inspect", False)
    if tflm is not None and inspect:
        raise UserError("--inspect: watches our own engine's layers; leave out --engine tflm, or --inspect")
    protocol: Protocol = getattr(args, "protocol", "link")
    if protocol != "link" and (inspect or ours.update):
        raise UserError(f"--protocol {protocol}: takes no --inspect and no --update, which are of the link")
    return dataclasses.replace(ours, tflm=tflm, inspect=inspect, protocol=protocol)


def model_request_of(args: argparse.Namespace) -> ModelRequest:
    """What add_model_arguments' options ask for."""
    return ModelRequest(
        args.kernel_family, args.optimize, args.sram_bytes, args.flash_bytes, args.encoding, cores=args.cores
    )
