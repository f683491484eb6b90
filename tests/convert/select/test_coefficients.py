"""Each part of each kernel's work has a coefficient, for every CPU and family: else `convert` would crash."""

import pytest

from squeezenet_mcu.convert.network import Buffer, Kind, Layer
from squeezenet_mcu.convert.select.cost import coefficients, others
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.convert.target import Target
from tests.convert.select import random_shapes

SETS = [
    Target("dsp", cpu="cortex_m4"), Target("portable", cpu="cortex_m4"),
    Target("portable", cpu="cortex_m0plus"), Target("v6m", cpu="cortex_m0plus"),
    *(Target(family) for family in FAMILY_KERNELS),
]  # fmt: skip
SHAPES = 1500


def _parts_of_convolutions(family):
    return {
        part
        for shape in random_shapes.shapes(SHAPES)
        for model in FAMILY_KERNELS[family]
        if model.supports(shape)
        for scratch in (model.scratch(shape), model.useful_scratch(shape))
        for part in model.work(shape, scratch)
    }


def _parts_of_others(family):
    source, out = Buffer("", 9, 9, 6, 1.0, 0), Buffer("", 5, 5, 6, 1.0, 0)
    found = set()
    for kind in Kind:
        for limit in (127, 20) if kind is not Kind.CONV_2D else ():
            layer = Layer("", kind, 0, [0], 1, 6, kernel=(3, 3), stride=(2, 2), act_max=limit)
            if kind is Kind.ADD:
                layer.params = [1 << 30, 1 << 30, 1 << 30, 0, -1, -20]
            found |= set(others.work_of(layer, source, out, family))
    return found


@pytest.mark.parametrize("target", SETS, ids=lambda target: f"{target.cpu} {target.family}")
def test_every_part_has_a_coefficient(target):
    known = coefficients.of(target)
    parts = _parts_of_convolutions(target.family) | _parts_of_others(target.family)
    assert parts <= set(known), f"not measured: {sorted(parts - set(known))}; see tools/costs"
    assert all(value >= 0 for value in known.values())


@pytest.mark.parametrize(
    ("target", "unit"),
    [
        (Target("dsp", cpu="cortex_m4"), "cycles"),
        (Target("portable", cpu="cortex_m0plus"), "cycles"),
        (Target("dsp"), "instructions"),
        (Target("mve", cpu="cortex_m0plus"), "instructions"),
    ],
)
def test_the_unit_is_cycles_where_the_cpu_is_known(target, unit):
    assert coefficients.unit(target) == unit
