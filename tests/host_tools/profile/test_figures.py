"""The figures of a profile, of a device that is known to the tick: tests/protocol/watched.h."""

import pytest
from PIL import Image

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.profile import figures, picture
from squeezenet_mcu.host_tools.profile.figures import Layer, Profile
from tests.protocol.link_binaries import random_images
from tests.protocol.watched_device import WatchedDevice

PLAN = [
    {"layer": "input", "macs": 0},
    {"layer": "conv1", "macs": 1000, "kernel": "gemm"},
    {"layer": "softmax", "macs": 0},
]


@pytest.fixture(scope="module")
def device():
    with Device(WatchedDevice(), timeout=10.0) as opened:
        yield opened


def test_layers_of_a_device(device):
    found = figures.measure(device, random_images(1)[0], PLAN)
    assert found.layers == [
        Layer("conv1", "gemm", 1000, 80_000, 4),
        Layer("softmax", "", 0, 12_000_000_000, 4),
        Layer(figures.SCHEDULE, "", 0, 4_056, 12),
    ]
    assert (found.unit, found.hertz, found.stack_high_water) == ("cycles", 168_000_000, 77)
    written = figures.as_json(found, "toy", device.info)
    assert written["layers"][0]["milliseconds"] == pytest.approx(80_000 / 168e3, abs=1e-4)
    assert written["layers"][0]["a_mac"] == 80.0
    assert written["layers"][1]["a_mac"] is None
    assert sum(layer["share"] for layer in written["layers"]) == pytest.approx(1, abs=1e-3)


def test_another_network_is_refused(device):
    with pytest.raises(UserError, match="has 2 layers, the model 1; flash firmware of this checkout"):
        figures.measure(device, random_images(1)[0], PLAN[:2])


def profile(*counts: int, image: int, hertz: int = 0) -> Profile:
    layers = [Layer(f"layer{i}", "", 10, count, 1) for i, count in enumerate(counts)]
    return Profile("instructions", hertz, layers, image, 0, 0)


def test_the_sum_is_within_a_hundredth():
    assert profile(500, 490, image=1000).sound
    assert profile(500, 510, image=1000).sound
    assert not profile(500, 511, image=1000).sound
    assert not profile(500, 489, image=1000).sound
    assert not profile(0, image=0).sound
    assert profile(1, image=1).milliseconds(5) is None


def test_pictures(tmp_path):
    for name, found in {
        "few": profile(500, 490, image=1000),
        "many": profile(*range(1, 129), image=8256, hertz=1000),
    }.items():
        path = tmp_path / f"{name}.png"
        picture.draw(found, "a title", path)
        with Image.open(path, formats=["PNG"]) as file:
            assert file.height == pytest.approx(120 + 20 * min(60, len(found.layers)), abs=1)
