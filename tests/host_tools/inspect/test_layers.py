"""The first value that differs, wherever it is. The device: tests/protocol/watched.h."""

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.inspect import layers, show
from squeezenet_mcu.host_tools.inspect.expected import Map
from squeezenet_mcu.host_tools.link.device import Device
from tests.protocol.link_binaries import random_images
from tests.protocol.watched_device import WatchedDevice, watched_maps

MAPS = [
    Map(0, (4, 3, 1), ("input",), (0,), True),
    Map(1, (300, 7, 100), ("expand1x1", "fire2/expand3x3"), (0, 60), True),
    Map(2, (1, 1, 10), ("softmax",), (0,), True),
]
IMAGES = random_images(3)


class Expected:
    """What LiteRT would say; `wrong`: of image, map, row, index the value is another one."""

    never_stored = (("a padding", "folded into its readers"),)

    def __init__(self, *wrong, maps=MAPS):
        self.maps, self._wrong = maps, wrong

    def rows(self, image):
        found = dict(enumerate(watched_maps(image)))
        for number, at, row, index in self._wrong:
            if np.array_equal(image, IMAGES[number]):
                found[at] = found[at].copy()
                found[at][row, index] ^= 4
        return found


@pytest.fixture(scope="module")
def device():
    with Device(WatchedDevice(), timeout=10.0) as opened:
        yield opened


def test_all_equal(device):
    seen = []
    report = layers.compare_all(device, Expected(), IMAGES, lambda report: seen.append(report.images))
    assert report.exact and report.value is None
    assert (report.images, report.rows, report.values) == (3, 3 * 305, 3 * (12 + 210_000 + 10))
    assert seen == [1, 2, 3]
    assert [entry["equal"] for entry in report.layers] == [True] * 3


@pytest.mark.parametrize(
    ("wrong", "layer", "row", "column", "channel"),
    [
        ((0, 1, 0, 0), "expand1x1", 0, 0, 0),
        ((0, 1, 127, 59), "expand1x1", 127, 0, 59),
        ((1, 1, 128, 60), "fire2/expand3x3", 128, 0, 0),
        ((2, 1, 299, 699), "fire2/expand3x3", 299, 6, 39),
        ((0, 0, 3, 1), "input", 3, 1, 0),
        ((0, 2, 0, 9), "softmax", 0, 0, 9),
    ],
)
def test_the_first_value(device, wrong, layer, row, column, channel):
    image, at, _, index = wrong
    later = [(image, 1, 299, 699), (image, 2, 0, 9)]  # behind it, there is more
    report = layers.compare_all(device, Expected(wrong, *[w for w in later if w > wrong]), IMAGES)
    got = int(watched_maps(IMAGES[image])[at][row, index])
    assert report.value == layers.Value(image, layer, row, column, channel, got ^ 4, got)
    assert not report.exact and report.images == image + 1


def test_a_difference_that_comes_only_once(device, capsys):
    class Once(Device):
        def infer_watched(self, image, watch):
            result, seen = super().infer_watched(image, watch)
            return result, [(*seen[0][:3], 1), *seen[1:]] if watch.what == 1 else seen

    device.__class__ = Once
    try:
        report = layers.compare_all(device, Expected(), IMAGES[:1])
    finally:
        device.__class__ = Device
    assert report.differing == MAPS[0] and report.value is None and not report.exact


def test_maps_that_litert_does_not_have_are_not_compared(device):
    maps = [MAPS[0], Map(1, (300, 7, 100), ("mean[0:100]",), (0,), False), MAPS[2]]
    report = layers.compare_all(device, Expected((0, 1, 5, 5), maps=maps), IMAGES[:1])
    assert report.exact and report.rows == 5
    assert [entry["equal"] for entry in report.layers] == [True, None, True]


@pytest.mark.parametrize("maps", [MAPS[:2], [MAPS[0], Map(1, (300, 100, 7), ("x",), (0,), True), MAPS[2]]])
def test_firmware_of_another_checkout(device, maps):
    with pytest.raises(UserError, match="its firmware is of another checkout"):
        layers.compare_all(device, Expected(maps=maps), IMAGES[:1])


def test_json(device):
    expected = Expected((0, 1, 128, 60))
    report = layers.compare_all(device, expected, IMAGES)
    found = show.as_json(report, expected, "toy", device.info)
    assert found["first_difference"]["layer"] == "fire2/expand3x3"
    assert found["differing_layers"] == ["expand1x1", "fire2/expand3x3"]
    assert [entry["equal"] for entry in found["layers"]] == [True, False, True]
    assert found["never_stored"] == [{"tensor": "a padding", "why": "folded into its readers"}]
