"""Weights of .keras files that are not plain arrays in the file itself: one line that names the part."""

import io

import h5py
import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.network import keras_weights


def hdf5(make, **options) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w", **options) as file:
        file["layers/conv1/vars/0"] = np.zeros((3, 3, 1, 4), np.float32)
        file["layers/conv1/vars/1"] = np.zeros(4, np.float32)
        make(file)
    return stream.getvalue()


def external(file):
    file.create_dataset("x", (8,), "u1", external=[("/etc/passwd", 0, 8)])


def virtual(file):
    layout = h5py.VirtualLayout((8,), "u1")
    layout[:] = h5py.VirtualSource("other.h5", "x", (8,))
    file.create_virtual_dataset("x", layout)


def external_link(file):
    file["x"] = h5py.ExternalLink("other.h5", "/y")


def soft_link(file):
    file["x"] = h5py.SoftLink("/layers")


def hollow(file):
    file.create_dataset("x", (30_000, 30_000), "f4", chunks=(100, 100))


def packed(file):
    file.create_dataset("x", data=np.zeros(1_000_000, np.float32), compression="gzip")


def objects(file):
    file.create_dataset("x", data=["text"] * 3)


def references(file):
    file.create_dataset("x", (2,), h5py.ref_dtype)


def named_type(file):
    file["x"] = np.dtype("f4")


def too_many(file):
    file.create_dataset("x", data=np.zeros(31_000_000, np.int8))


BAD = {
    external: '"/x" has its data in another file', virtual: '"/x" has its data in another file',
    external_link: '"/x" is a link to elsewhere', soft_link: '"/x" is a link to elsewhere',
    hollow: '"/x" has 0 bytes of its 3,600,000,000 in the file', packed: "of its 4,000,000 in the file",
    objects: '"/x" is of object', references: '"/x" is of object',
    named_type: '"/x" is no array; want arrays', too_many: "over 30,000,000 weights; want at most so many",
}  # fmt: skip


def refused(data: bytes) -> str:
    with pytest.raises(UserError) as error:
        keras_weights.check(data, "a.keras")
    assert str(error.value).startswith("a.keras: ")
    assert str(error.value).isprintable()
    return str(error.value)


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_what_is_no_plain_array(make):
    assert BAD[make] in refused(hdf5(make))


def test_complex_numbers():
    assert '"/x" is of complex64' in refused(hdf5(lambda file: file.create_dataset("x", (2,), "c8")))


def test_groups_that_hold_each_other():
    def circle(file):
        file["layers/conv1/again"] = file["layers"]

    assert "over 5,000 parts" in refused(hdf5(circle))


def test_a_block_before_the_file():
    """Every read of a member of a zip would unpack it again."""
    assert "does not begin as HDF5 does" in refused(hdf5(lambda file: None, userblock_size=512))


def test_plain_arrays():
    keras_weights.check(hdf5(lambda file: None), "a.keras")


def test_damaged_bytes():
    whole = bytearray(hdf5(lambda file: None))
    rng = np.random.default_rng(0)
    said = 0
    for _ in range(200):
        damaged = bytearray(whole)
        for at in rng.integers(8, len(whole), 4):
            damaged[at] = rng.integers(256)
        try:
            keras_weights.check(bytes(damaged), "a.keras")
        except UserError as error:
            said += 1
            assert str(error).isprintable()
    assert said > 20
