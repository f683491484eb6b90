"""Holding out training images to validate on."""

import numpy as np

from squeezenet_mcu.common.data.splits import held_out


def test_whole_blocks_of_every_class():
    y = np.repeat([0, 1, 2], [210, 300, 69])  # 7, 10 and 2 tracks of 30 (the last one short)
    mask = held_out(y, 0.2, 30)
    for label, blocks, expected in ((0, 7, 1), (1, 10, 2), (2, 3, 1)):
        tracks = np.array_split(mask[y == label], range(30, (y == label).sum(), 30))
        assert len(tracks) == blocks
        assert all(track.all() or not track.any() for track in tracks)
        assert sum(bool(track.all()) for track in tracks) == expected


def test_blocks_follow_the_order_within_a_class_however_classes_mix():
    y = np.tile([0, 1], 300)
    mask = held_out(y, 0.1, 30)
    for label in (0, 1):
        runs = mask[y == label].reshape(10, 30)
        assert sorted(set(runs.sum(axis=1).tolist())) == [0, 30]


def test_single_images_are_spread():
    assert held_out(np.zeros(100, int), 0.1, 1).nonzero()[0].tolist() == list(range(5, 100, 10))


def test_never_all_of_a_class():
    assert not held_out(np.array([0, 0, 0, 1]), 0.5, 3).any()


def test_none_wanted():
    assert not held_out(np.zeros(10, int), 0.0, 1).any()
