"""The emulated flash in a file belongs to one emulated board at a time."""

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.emulate import nor


def test_one_emulated_board_at_a_time(tmp_path):
    path = tmp_path / "firmware.nor"
    with nor.taken(path):
        another = pytest.raises(UserError, match=r"firmware\.nor: another emulated board has this flash")
        with another, nor.taken(path):
            pass
    with nor.taken(path):  # it was given back
        pass
