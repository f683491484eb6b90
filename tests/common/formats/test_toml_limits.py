"""A TOML that is made to take gigabytes: refused before it is parsed."""

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.toml_table import read_toml


def test_a_key_of_many_parts(tmp_path):
    """65,000 letters of one took 22 seconds and 4 GB."""
    path = tmp_path / "a.toml"
    path.write_text("b = 1\n" + "a." * 501 + "a = 1\n")
    with pytest.raises(UserError, match=r"a.toml: 501 dots in a line; want at most 500"):
        read_toml(path)
    path.write_text("x" * 65_537)
    with pytest.raises(UserError, match=r"a.toml: 65,537 bytes; at most 65,536 are read"):
        read_toml(path)
