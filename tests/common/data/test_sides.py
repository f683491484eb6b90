"""Which of a user's images are for testing: the rule itself, over many folders that are drawn by chance."""

import random

import numpy as np

from squeezenet_mcu.common.data.own_folders import sides
from squeezenet_mcu.common.data.own_folders.looks import Look
from squeezenet_mcu.common.data.splits import held_out_by_key

SEEDS = range(200)
NONE = np.zeros(0, np.uint8)


def digest(share, rng):
    """Bytes of which the first are `share` of 1."""
    return int(share * 256**6).to_bytes(6, "big") + rng.randbytes(26)


def image(share, rng, pixels=100, size=100):
    return Look(digest(share, rng), pixels, size, NONE, NONE, NONE, telling=False)


def folder(rng, classes=3):
    """Images of several classes, each like no other: looks, groups, classes."""
    y = [c for c in range(classes) for _ in range(rng.randint(5, 40))]
    looks = [image(rng.random(), rng) for _ in y]
    return looks, list(range(len(y))), y


def divided(looks, groups, y):
    return sides.divided(looks, np.array(groups), np.array(y))


def below(looks, y, c):
    """How many images of class `c` the hash alone puts among those for testing."""
    return sum(sides._share(one.digest, 0) < sides.SHARE for one, of in zip(looks, y, strict=True) if of == c)


def test_added_images_move_none_from_test_to_training():
    for seed in SEEDS:
        rng = random.Random(seed)
        looks, groups, y = folder(rng)
        before = divided(looks, groups, y).is_test
        more = rng.randint(1, 30)
        looks += [image(rng.random(), rng) for _ in range(more)]
        groups += range(len(groups), len(groups) + more)
        y += [rng.randrange(3) for _ in range(more)]
        after = divided(looks, groups, y).is_test
        for i in np.flatnonzero(before & ~after[: len(before)]):
            # Only the stand-in of a class that had none below a fifth: and of such a class, none but it.
            assert below(looks[: len(before)], y[: len(before)], y[i]) == 0
        for i in np.flatnonzero(~before & after[: len(before)]):
            assert below(looks, y, y[i]) in (0, y.count(y[i])), "nor does one come from training"


def test_every_class_has_images_on_both_sides():
    for seed in SEEDS:
        rng = random.Random(seed)
        looks, groups, y = folder(rng)
        if seed % 2:  # some are alike, also across classes
            groups = [rng.randrange(len(y) // 2) for _ in y]
            groups = np.unique(groups, return_inverse=True)[1].tolist()
        if seed % 3 == 0:  # the hash has put all of a class on one side
            share = rng.choice([0.1, 0.9])
            looks = [image(share, rng) if c == 0 else one for one, c in zip(looks, y, strict=True)]
        found = divided(looks, groups, y)
        for c in set(y):
            assert {True, False} == set(found.is_test[np.array(y) == c].tolist())
        for group in set(groups):
            places = [i for i, g in enumerate(groups) if g == group and y[i] not in found.apart]
            assert len(set(found.is_test[places].tolist())) <= 1, "a group is on one side"


def test_a_fifth_is_for_testing_whatever_is_alike():
    """Large groups are no likelier to be for testing: frames of one film would else all be."""
    rng = random.Random(1)
    for of_a_group in (1, 3, 10):
        groups = [i // of_a_group for i in range(20_000)]
        looks = [image(rng.random(), rng) for _ in groups]
        assert 0.18 < divided(looks, groups, [0] * len(looks)).is_test.mean() < 0.22


def test_a_smaller_copy_of_an_image_moves_nothing():
    for seed in SEEDS:
        rng = random.Random(seed)
        looks, groups, y = folder(rng)
        before = divided(looks, groups, y).is_test
        places = [rng.randrange(len(y)) for _ in range(3)]
        copies = [image(rng.random(), rng, pixels=rng.choice([50, 100]), size=99) for _ in places]
        after = divided([*looks, *copies], groups + places, y + [y[i] for i in places])
        assert (after.is_test[: len(before)] == before).all()
        assert (after.is_test[len(before) :] == before[places]).all()


def test_an_image_that_joins_two_groups_takes_both_to_the_side_of_the_largest():
    rng = random.Random(2)
    filler = [image(0.1 + 0.8 * (i % 2), rng) for i in range(20)]
    small, large = image(0.1, rng, pixels=10), image(0.9, rng, pixels=1000)
    y = [0] * 23
    apart = divided([*filler, small, large, image(0.1, rng, pixels=5)], [*range(22), 20], y)
    assert apart.is_test[20:].tolist() == [True, False, True]
    joined = divided([*filler, small, large, image(0.1, rng, pixels=5)], [*range(20), 20, 20, 20], y)
    assert joined.is_test[20:].tolist() == [False] * 3
    assert (joined.is_test[:20] == apart.is_test[:20]).all()


def test_a_group_of_more_than_half_of_a_class_is_to_train_with():
    rng = random.Random(3)
    looks = [image(0.1, rng, pixels=1000), *(image(0.3 + i / 100, rng) for i in range(19))]
    groups = [*[0] * 11, *range(1, 10)]
    found = divided(looks, groups, [0] * 20)
    assert not found.is_test[:11].any() and found.is_test.sum() == 1 and not found.apart


def test_a_class_that_is_one_group_is_divided_one_by_one_and_named():
    rng = random.Random(4)
    looks = [image(i / 10 + 0.05, rng) for i in range(10)]
    found = divided(looks * 2, [*[0] * 10, *range(1, 11)], [*[0] * 10, *[1] * 10])
    assert found.apart == [0] and found.is_test.tolist() == [True, True, *[False] * 8] * 2
    assert len(set(found.keys[:10].tolist())) == 10, "they are divided further one by one, too"


def test_of_a_class_that_the_hash_puts_among_the_tests_the_last_group_is_to_train_with():
    rng = random.Random(6)
    looks = [image(i / 100, rng) for i in range(10)]
    found = divided(looks, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], [0] * 10)
    assert found.is_test.tolist() == [*[True] * 8, False, False] and not found.apart


def test_files_that_cannot_be_read_are_nobodys_test_image():
    rng = random.Random(5)
    broken = image(0.05, rng, pixels=0)
    looks = [broken, *(image(0.5 + i / 100, rng) for i in range(9))]
    assert divided(looks, range(10), [0] * 10).is_test.tolist() == [True, True, *[False] * 8]


def test_validation_images_are_held_out_the_same_way():
    for seed in SEEDS:
        rng = random.Random(seed)
        y = np.array([c for c in range(3) for _ in range(rng.randint(2, 60))])
        keys = np.array([rng.random() for _ in y])
        mask = held_out_by_key(y, keys, 0.1, 0.3)
        for c in range(3):
            assert 0 < mask[y == c].sum() < (y == c).sum()
        inside = (keys >= 0.1) & (keys < 0.3)
        for c in range(3):
            if 0 < inside[y == c].sum() < (y == c).sum():  # then nothing depends on the other images
                assert (mask == inside)[y == c].all()
        assert not held_out_by_key(y, keys, 0.2, 0.2).any()


def test_validation_keeps_images_of_one_key_together():
    y = np.zeros(40, int)
    keys = np.repeat(np.linspace(0, 0.99, 10), 4)
    assert held_out_by_key(y, keys, 0, 0.2).tolist() == [True] * 8 + [False] * 32
    assert not held_out_by_key(y, np.full(40, 0.1), 0, 0.2).any(), "never all of a class"
