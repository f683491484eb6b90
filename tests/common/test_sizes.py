"""Sizes as people type them."""

import argparse

import pytest

from squeezenet_mcu.common import cli, sizes
from squeezenet_mcu.common.errors import UserError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1", 1), ("65536", 65536), ("64K", 65536), ("64k", 65536), ("1M", 1 << 20), ("2m", 2 << 20)],
)
def test_bytes_k_and_m(text, wanted):
    assert sizes.parse(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["64X", "-1", "0", "0K", "nan", "", "K", "1.5M", "1e3", " 64K", "64 K", "64KB", "²", "٣", "9" * 14, "1G"],
)
def test_all_else_is_refused_in_one_line(text):
    with pytest.raises(UserError) as error:
        sizes.parse(text)
    assert str(error.value) == f'"{text}": want {sizes.WANT}' and "\n" not in str(error.value)


def test_an_option_of_a_bad_size(capsys):
    parser = cli.Parser(prog="tool")
    parser.add_argument("--most", type=sizes.option)
    assert parser.parse_args(["--most", "16K"]) == argparse.Namespace(most=16384)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--most", "64X"])
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith('tool: error: argument --most: "64X": want a size from 1 byte')
