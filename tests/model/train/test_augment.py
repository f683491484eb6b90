"""Augmentation: each change does what it says and nothing else."""

import dataclasses

import numpy as np
import pytest

from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train.augment import augmented

KINDS = ("shift", "rotate", "zoom", "shear", "brightness", "contrast", "flip", "cutout")
NONE = dataclasses.replace(config.load("digits").train, **dict.fromkeys(KINDS, 0))
X = np.random.default_rng(5).integers(0, 256, (40, 18, 22, 3), dtype=np.uint8)


def run(x=X, seed=0, **changes):
    before = x.copy()
    out = augmented(x, dataclasses.replace(NONE, **changes), np.random.default_rng(seed))
    assert (x == before).all() and out.shape == x.shape and out.dtype == np.uint8
    return out


def test_nothing_asked_nothing_done():
    assert (run() == X).all()


def test_same_seed_same_images():
    changes = {"shift": 3, "rotate": 10.0, "brightness": 0.2, "contrast": 0.2, "flip": True, "cutout": 5}
    assert (run(**changes) == run(**changes)).all()
    assert (run(**changes) != run(seed=1, **changes)).any()


@pytest.mark.parametrize("pad", ["zero", "edge"])
def test_shift_moves_each_image_by_whole_pixels(pad):
    padded = np.pad(X, ((0, 0), (2, 2), (2, 2), (0, 0)), "edge" if pad == "edge" else "constant")
    seen = set()
    for before, after in zip(padded, run(shift=2, pad=pad), strict=True):
        places = {
            (i, j) for i in range(5) for j in range(5) if (before[i : i + 18, j : j + 22] == after).all()
        }
        assert len(places) == 1
        seen |= places
    assert len(seen) > 10


def test_flip_mirrors_about_half():
    out = run(flip=True)
    mirrored = [(a == b[:, ::-1]).all() for a, b in zip(out, X, strict=True)]
    same = [(a == b).all() for a, b in zip(out, X, strict=True)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 8 < sum(mirrored) < 32


def test_rotation_by_nothing_is_the_image():
    assert (run(rotate=1e-9) == X).all()


def test_rotation_agrees_with_pillow():
    from PIL import Image

    smooth = np.asarray(Image.fromarray(X[0]).resize((64, 64), Image.Resampling.BICUBIC), np.uint8)[
        np.newaxis
    ]
    seed, rotate = 3, 30.0
    angle = np.random.default_rng(seed).uniform(-rotate, rotate, (1, 1, 1)).astype(np.float32).item()
    ours = run(smooth, seed, rotate=rotate)[0, 16:48, 16:48].astype(int)
    theirs = np.asarray(Image.fromarray(smooth[0]).rotate(angle, Image.Resampling.BILINEAR))[16:48, 16:48]
    assert np.abs(ours - theirs.astype(int)).mean() < 2.0  # 1/32 pixel steps against exact ones
    assert np.abs(ours - smooth[0, 16:48, 16:48].astype(int)).mean() > 10


def test_slant_agrees_with_pillow():
    from PIL import Image

    picture = Image.fromarray(X[0]).resize((64, 64), Image.Resampling.BICUBIC)
    rng = np.random.default_rng(6)
    rng.uniform(size=4)  # angle, scale, two shifts
    slant = float(rng.uniform(-0.4, 0.4))
    ours = run(np.asarray(picture)[np.newaxis], 6, shear=0.4)[0, 16:48, 16:48].astype(int)
    affine = (1, slant, -slant * 32, 0, 1, 0)  # pixels are half a step wide
    theirs = picture.transform((64, 64), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    assert abs(slant) > 0.1
    assert np.abs(ours - np.asarray(theirs)[16:48, 16:48].astype(int)).mean() < 2.0
    assert np.abs(ours - np.asarray(picture)[16:48, 16:48].astype(int)).mean() > 10


def test_brightness_moves_the_mean_by_one_offset():
    gray = np.full_like(X, 128)
    out = run(gray, brightness=0.25)
    offsets = {int(image[0, 0, 0]) - 128 for image in out}
    assert all((image == image[0, 0, 0]).all() for image in out)
    assert min(offsets) >= -64 and max(offsets) <= 64 and len(offsets) > 20


def test_contrast_keeps_the_mean():
    mild = (X // 4 + 96).astype(np.uint8)
    out = run(mild, contrast=0.3)
    assert np.abs(out.mean((1, 2, 3)) - mild.mean((1, 2, 3))).max() < 1
    ratio = out.std((1, 2, 3)) / mild.std((1, 2, 3))
    assert ratio.min() > 0.69 and ratio.max() < 1.31 and ratio.std() > 0.1


def test_cutout_grays_one_square_at_most():
    white = np.full_like(X, 255)
    out = run(white, cutout=6)
    assert set(np.unique(out)) == {127, 255}
    for image in out:
        rows, columns = np.nonzero(image[..., 0] == 127)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1) <= 36
    assert max((image[..., 0] == 127).sum() for image in out) == 36
