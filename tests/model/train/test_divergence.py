"""A learning rate that breaks the training is told, with what to lower; slow starters are left alone."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train import divergence
from squeezenet_mcu.model.train.divergence import DivergedError, Rate, Watch, check_collapse
from squeezenet_mcu.model.train.loop import fit
from squeezenet_mcu.model.train.scoring import same_answers
from tests.model import tiny

Y = np.arange(600, dtype=np.int64) % 3
LOG3 = 1.0986
ADVICE = r"lower learning_rate in \[train\] of mine.toml from 0.2 to 0.02"


def watch(same=False, taught=False, finite=True, y=Y, warmup=3, **rate) -> Watch:
    given = {"toml": Path("mine.toml"), "table": "train", "value": 0.2, "warmup_epochs": warmup} | rate
    return Watch(
        name="train",
        rate=Rate(**given),
        y=y,
        classes=int(y.max()) + 1,
        guess=divergence.loss_of_guessing(y, None),
        taught=taught,
        same_answers=same if callable(same) else lambda: same,
        finite=lambda: finite,
    )


def run(w: Watch, losses, accuracies, steps=20) -> None:
    for n, (loss, accuracy) in enumerate(zip(losses, accuracies, strict=True), start=1):
        w.epoch(n, steps, loss, accuracy)
    history = [{"loss": a, "accuracy": b} for a, b in zip(losses, accuracies, strict=True)]
    w.end(steps, history)


@pytest.mark.parametrize(
    ("losses", "table", "said"),
    [
        ([0.62, 0.32, 1.13, 0.98, 1.33, 0.6], "train", "rose from 0.32 in epoch 2 to 1.33 in epoch 5"),
        ([2.25, 1.19, 1.11, 1.09, 1.0, 0.9], "train", ""),
        ([1.2, 1.0, 1.25, 0.9, 0.5, 0.4], "train", ""),  # a slow start
        ([3.08, 5.21, 2.2, 1.09, 1.08, 1.0], "train", ""),  # from random weights, a step an epoch
        ([3.08, 5.21, 0.7, 1.4, 0.6, 0.4], "train", "rose from 0.7 in epoch 3 to 1.4 in epoch 4"),
        ([0.9, 0.5, 0.3, 0.1, 0.3, 0.1], "train", ""),
        ([0.62, 0.32, 1.13, 0.98, 1.33, 0.6], "prune", ""),  # zeros cost
    ],
)
def test_a_loss_that_rose_and_fell(losses, table, said, capsys):
    watch(table=table).end(20, [{"loss": loss, "accuracy": 0.9} for loss in losses])
    shown = capsys.readouterr().out
    assert (
        shown.startswith(f"note: train: the loss {said}: lower learning_rate in [train]")
        if said
        else not shown
    )


def test_trained_weights_that_begin_worse_than_guessing(capsys):
    """photos at ten times its rate: it ended at 52 %, others of its folder at 78."""
    losses = [2.25, 1.19, 1.11, 1.09, 1.0, 0.9, 0.9, 0.9]
    watch(trained=True).end(20, [{"loss": loss, "accuracy": 0.5} for loss in losses])
    said = (
        "note: train: the loss rose from 1.1 of guessing to 2.25 in epoch 1: lower learning_rate in [train]"
    )
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number(loss):
    w = watch()
    w.step(1, 5.0)
    with pytest.raises(
        DivergedError, match=rf"train: epoch 2: the loss is {loss}, no number any more: {ADVICE}"
    ):
        w.step(2, loss)


def test_weights_that_are_no_numbers():
    """With v1.1's they became so at a rate of 0.02, and the loss was log(3) from there on."""
    with pytest.raises(DivergedError, match=rf"epoch 1: weights are no numbers any more: {ADVICE}"):
        run(watch(finite=False), [LOG3], [0.34])


def test_a_loss_that_grows_without_end():
    with pytest.raises(DivergedError, match=rf"epoch 4: the loss grows without end: 90, before 30: {ADVICE}"):
        run(watch(), [1.2, 9, 30, 90], [0.4] * 4)
    run(watch(), [60, 20, 5, 1.1], [0.4] * 4)  # starts from weights of other classes, say


def test_dead_relus():
    said = rf"epoch 4: the network gives the same answer for every image and learns no more .*: {ADVICE}"
    with pytest.raises(DivergedError, match=said):
        run(watch(same=True), [LOG3] * 9, [1 / 3] * 9)
    # Few steps an epoch: it has to last for more epochs.
    with pytest.raises(DivergedError, match="epoch 8: the network gives the same answer"):
        run(watch(same=True), [LOG3] * 20, [1 / 3] * 20, steps=5)


def test_what_was_dead_for_an_epoch_and_came_back_goes_on():
    answers = iter([True, True, True, False] * 10)
    run(watch(same=lambda: next(answers)), [LOG3] * 20 + [0.8] * 4, [1 / 3] * 20 + [0.6] * 4)


def test_a_slow_start_is_no_dead_network():
    """small on 54 images of each of 10 classes: losses above that of guessing at first, then about there."""
    losses = [3.46, 2.44, 2.303, 2.303, 2.30, 2.299, 2.298, 2.296, 2.29, 2.25, 2.2, 2.1, 2.0, 1.9]
    run(watch(y=np.arange(540) % 10), losses, [0.1] * 8 + [0.13, 0.15, 0.2, 0.25, 0.3, 0.35])
    # So it is with rare classes, and with a rate at which hardly anything moves: a trial may be short.
    run(watch(y=np.repeat([0, 1], [900, 100])), [0.3251] * 8, [0.9] * 8)


def test_nothing_learnt_until_the_end():
    with pytest.raises(
        DivergedError, match=rf"epoch 20: it has learnt next to nothing: 34\.0% of .* 33\.3%: {ADVICE}"
    ):
        run(watch(), [1.095] * 20, [0.34] * 20)
    run(watch(), [1.095] * 20, [0.34] * 20, steps=2)  # too few steps to judge by
    run(watch(), [1.0] * 20, [0.45] * 20)
    with pytest.raises(DivergedError, match="it has learnt next to nothing"):
        run(watch(taught=True), [5.0] * 20, [0.34] * 20)
    run(watch(taught=True), [5.0] * 20, [0.45] * 20)  # its loss has another scale


def test_what_was_known_and_is_lost():
    """photos with 9 images a class, a step an epoch, at ten times its rate: too few steps for the

    other rules. The advice comes once.
    """
    losses = [1.0986, 0.7938, 4.4355, 2.7651, 1.2216, 1.2617, *[1.0977] * 14]
    accuracies = [0.2963, 0.7407, 0.4074, *[0.3704] * 17]
    said = (
        r"epoch 20: what it knew is lost: the loss rose from 0\.794 in epoch 2 to 4\.44 in epoch 3, and ends "
        rf"at 1\.098; guessing costs 1\.099: {ADVICE}"
    )
    with pytest.raises(DivergedError, match=said):
        run(watch(y=Y[:27]), losses, accuracies, steps=1)
    # A short trial that has known nothing yet.
    run(watch(y=Y[:27]), [1.0986, 4.4, 1.2], [0.3, 0.4, 0.3], steps=1)


def test_dead_at_the_end_however_few_the_steps(capsys):
    said = rf"epoch 20: the network gives the same answer for every image \(dead ReLUs\): {ADVICE}"
    with pytest.raises(DivergedError, match=said):
        run(watch(same=True), [LOG3] * 20, [1 / 3] * 20, steps=1)
    run(watch(same=True), [LOG3] * 3, [1 / 3] * 3, steps=1)
    assert not capsys.readouterr().out


def test_what_is_advised():
    assert watch(warmup=0).rate.advice().endswith("from 0.2 to 0.02, or raise warmup_epochs from 0 to 3")
    assert watch(value=1e-5).rate.advice().startswith("lower learning_rate")
    assert watch(value=1e-5).rate.advice(learnt_little=True) == (
        "raise learning_rate in [train] of mine.toml from 1e-05 to 0.0001, or epochs"
    )
    digits = config.load("digits")
    many = dataclasses.replace(digits, prune=dataclasses.replace(digits.prune, sparsity=0.95))
    assert Rate.of(many, "prune", 60).advice() == (
        f"lower learning_rate in [prune] of {digits.path} from 0.05 to 0.005, or sparsity from 0.95 to 0.7"
    )
    assert Rate.of(digits, "dense", 0).advice() == f"raise epochs in [quantize] of {digits.path} from 0 to 5"
    few = dataclasses.replace(digits, cluster=dataclasses.replace(digits.cluster, clusters=8))
    assert Rate.of(few, "cluster", 5).advice().endswith("or raise clusters from 8 to 16")
    plain = config.load("v1_1")
    assert "or start from weights that are trained (--init)" in Rate.of(plain, "train", 5).advice()
    assert "--init" not in Rate.of(plain, "train", 5, init=True).advice()


def test_a_stage_that_forgets_what_the_one_before_knew():
    rate = Rate(Path("mine.toml"), "prune", 0.5)
    said = r"prune: accuracy fell from 91\.0% to 34\.0%, about that .* \(33\.3%\): lower.* from 0\.5 to 0\.05"
    with pytest.raises(DivergedError, match=said):
        check_collapse("prune", rate, 0.91, 0.34, Y)
    check_collapse("prune", rate, 0.91, 0.6, Y)
    check_collapse("prune", rate, 0.35, 0.33, Y)  # it knew nothing before
    check_collapse("prune", rate, 0.8, 0.5, np.array([0, 1, 2]))  # of three images nobody can tell


def plain(**changes):
    """A network without batch norm, which a rate can kill."""
    mine = tiny.settings(**changes)
    return dataclasses.replace(
        mine, architecture=dataclasses.replace(mine.architecture, batch_norm=False, relu_logits=True)
    )


@pytest.mark.parametrize(
    ("broken", "rate", "what"),
    [
        ("conv10", 0.2, "the same answer for every image"),
        ("fire2_squeeze1x1", 0.2, "(weights are|the loss is nan,) no number"),  # as the processor has it
        ("", 1e6, "the loss is (nan|inf)"),
    ],
)
def test_a_rate_ten_times_too_high_ends_with_the_advice(tmp_path, broken, rate, what):
    keras.utils.set_random_seed(1)
    model = build(plain())
    if broken:  # as a step that was too long leaves it
        bias = model.get_layer(broken).bias
        bias.assign(np.full(bias.shape, -100 if broken == "conv10" else np.nan, np.float32))
    given = {"rate": Rate(Path("mine.toml"), "train", 0.2, 3)}
    job = dataclasses.replace(tiny.job(model, tmp_path, 30, **given), learning_rate=rate)
    with pytest.raises(DivergedError, match=rf"tiny: epoch \d+: .*{what}.*: {ADVICE}"):
        fit(job)
    assert not job.checkpoint.exists()  # of no use with another rate, and in its way


def test_a_rate_at_which_hardly_anything_moves_is_left_alone(tmp_path):
    keras.utils.set_random_seed(1)
    job = tiny.job(build(plain()), tmp_path, 8, rate=Rate(Path("mine.toml"), "train", 1e-5))
    assert len(fit(dataclasses.replace(job, learning_rate=1e-5))) == 8


def test_looking_for_dead_relus_changes_nothing():
    keras.utils.set_random_seed(1)
    model = build(tiny.settings())
    before = model.get_weights()
    assert not same_answers(model, tiny.X)
    assert same_answers(model, np.repeat(tiny.X[:1], 8, axis=0))
    for one, other in zip(before, model.get_weights(), strict=True):
        assert (one == other).all()


def test_loss_of_guessing():
    assert divergence.loss_of_guessing(Y, None) == pytest.approx(np.log(3))
    rare = np.repeat([0, 1], [90, 10])
    assert divergence.loss_of_guessing(rare, None) == pytest.approx(0.3251, abs=1e-4)
    weights = np.array([1 / 1.8, 5.0], np.float32)  # as balance = 1 gives them
    assert divergence.loss_of_guessing(rare, weights) == pytest.approx(np.log(2), abs=1e-4)
    assert divergence.chance_of(rare) == 0.9
