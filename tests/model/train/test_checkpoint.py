"""Checkpoints that are damaged: one line, before they take memory."""

import struct
import zipfile

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.train.checkpoint import kept, restore


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"\x93NUMPY\x02\x00" + struct.pack("<I", 3 << 30) + b" " * 64,
            "has a header of 3,221,225,472 bytes; want",
        ),
        (None, "holds objects, which could run code"),
    ],
    ids=["a header of 3 GB", "objects"],
)
def test_arrays_that_are_none(tmp_path, content, said):
    path = tmp_path / "train.npz"
    np.savez(path, meta=np.array("{}"), **({"v0000": np.array([{}], object)} if content is None else {}))
    if content is not None:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("v0000.npy", content)
    with pytest.raises(UserError, match="not a readable checkpoint") as error:
        restore(path, "mine", [], 9)
    assert (
        said in str(error.value) and "\n" not in str(error.value) and "allow_pickle" not in str(error.value)
    )
    assert kept(path, "mine", 9) == "no epoch is finished: the same command starts over"
