"""A network from elsewhere, with every kind of layer, on emulated boards of each family of kernels."""

import pytest

from tests.convert import every_kind
from tests.e2e import verbs


@pytest.mark.parametrize(
    "board", ["stm32f405", *(pytest.param(b, marks=pytest.mark.long) for b in ("mps3_an547", "rp2040"))]
)
def test_every_kind_of_layer(board, tmp_path):
    (tmp_path / "theirs.tflite").write_bytes(every_kind.tflite())
    verbs.succeed(tmp_path, "convert", "--tflite", "theirs.tflite", "--preprocess", "unit")
    verbs.succeed(tmp_path, "host_tools", "firmware", "--model", "theirs", "--board", board)
    options = ["--model", "theirs", "--board", board, "--limit", "3"]
    assert "exact, all 30 int8 values are equal" in verbs.succeed(
        tmp_path, "host_tools", "validate", *options
    )
