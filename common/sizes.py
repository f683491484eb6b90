"""Sizes as people type them: 65536, 64K, 1M. K and M are 1,024 and 1,048,576 bytes."""

import argparse
import re

from squeezenet_mcu.common.errors import UserError

WANT = "a size from 1 byte on: a number of bytes, or of K (1,024) or M (1,048,576): 65536, 64K, 1M"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}
_MOST = 1 << 40


def parse(text: str) -> int:
    """How many bytes `text` says, at least 1. UserError: it says none."""
    found = re.fullmatch(r"(\d{1,13})([KM]?)", text.upper(), re.ASCII)
    size = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= size <= _MOST:
        raise UserError(f'"{text}": want {WANT}')
    return size


def is_one(value: object) -> bool:
    """Whether `value`, of a TOML, is a size below 2 GB, a number or a text that `parse` takes; or 0: none."""
    try:
        return type(value) in (int, str) and (value == 0 or parse(str(value)) < 1 << 31)
    except UserError:
        return False


def option(text: str) -> int:
    """`parse`, as the `type` of an option of argparse."""
    try:
        return parse(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
