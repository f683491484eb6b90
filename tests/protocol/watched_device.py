"""The fake device as firmware with INSPECT, and what it is to see: see watched.h."""

import numpy as np

from tests.protocol.link_binaries import FakeDevice

SHAPES = ((4, 3, 1), (300, 7, 100), (1, 1, 10))
ROOM = 512  # bytes that it has for what it sees


class WatchedDevice(FakeDevice):
    program = "watched_device"


def watched_maps(image: np.ndarray) -> list[np.ndarray]:
    """Its maps of an image, int8 [height, width * channels] each."""
    last = image.reshape(4, 3)[-1]
    maps = [image.reshape(4, 3)]
    for (height, width, channels), seed in zip(SHAPES[1:], last[:2], strict=True):
        at = np.arange(width * channels)
        values = int(seed) + 31 * np.arange(height)[:, None] + 7 * at + at // 256
        maps.append(values.astype(np.uint8).view(np.int8))
    return maps
