"""The converter's formulas of scratch, and of which kernel takes what, against the engine's own code."""

import ctypes
import re

import numpy as np
import pytest

from squeezenet_mcu.common.kernel_families import FAMILIES
from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from tests import cpp_facts
from tests.convert.select import random_shapes

SHAPES = 10_000
PAIRS = [(kernel, encoding) for kernel in ConvKernel for encoding in Encoding]


@pytest.fixture(scope="module")
def shapes():
    return random_shapes.shapes(SHAPES)


@pytest.fixture(scope="module")
def engine(shapes):
    """By kernel and encoding: the engine's least scratch of every shape, and the most that is of use."""
    function = cpp_facts.scratch_library().squeeze_scratch_bytes
    numbers = [
        (
            0, 0, s.in_width, s.in_channels, s.out_width, s.out_channels, s.kernel_h, s.kernel_w, s.stride_h,
            s.stride_w, s.kernel_w // 2, s.out_rows,
        )
        for s in shapes
    ]  # fmt: skip
    cases = np.array(numbers, np.uint32)
    found = {}
    for kernel, encoding in PAIRS:
        cases[:, :2] = kernel, encoding
        least, most = np.zeros(len(cases), np.int64), np.zeros(len(cases), np.int64)
        at, to_least, to_most = (ctypes.c_void_p(array.ctypes.data) for array in (cases, least, most))
        function(at, ctypes.c_size_t(len(cases)), to_least, to_most)
        found[kernel, encoding] = least.tolist(), most.tolist()
    return found


def _kernels_built(family):
    """Names of the kernels of convolutions that the engine's build compiles for a family."""
    text = (FIRMWARE / "engine" / "CMakeLists.txt").read_text()
    names = re.search(rf"^set\(kernels_{family} (.*) \$\{{layers\}}\)$", text, re.MULTILINE)[1]
    return {ConvKernel[name.upper()] for name in names.split()}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_the_kernels_that_its_build_compiles(family, engine):
    """With every encoding that they take, and no other."""
    built = _kernels_built(family)
    taken = {pair for pair, (least, _) in engine.items() if pair[0] in built and max(least) >= 0}
    assert {(model.kernel, model.encoding) for model in FAMILY_KERNELS[family]} == taken


@pytest.mark.parametrize("family", FAMILIES)
def test_scratch_and_shapes_are_the_engines(family, shapes, engine):
    for model in FAMILY_KERNELS[family]:
        least, most = engine[model.kernel, model.encoding]
        for shape, theirs, all_at_once in zip(shapes, least, most, strict=True):
            ours = (model.scratch(shape), model.useful_scratch(shape)) if model.supports(shape) else (-1, -1)
            assert ours == (theirs, all_at_once), (model.kernel, model.encoding, shape)


def test_the_shapes_reach_every_kernel(engine):
    """Else the comparison above would say nothing of one."""
    for model in {id(m): m for family in FAMILIES for m in FAMILY_KERNELS[family]}.values():
        least, _ = engine[model.kernel, model.encoding]
        assert sum(bytes_ >= 0 for bytes_ in least) > SHAPES // 20, (model.kernel, model.encoding)
