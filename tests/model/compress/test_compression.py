"""Compression part by part: channels, sensitivity, blocks, clusters, distillation, failing guarantees."""

import dataclasses
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from squeezenet_mcu.common import litert
from squeezenet_mcu.common.data import splits
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras, tf
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.lowering.tflite_file import parse
from squeezenet_mcu.model.compress import channel_pruning, guarantees, lamp, pruning, sensitivity
from squeezenet_mcu.model.compress.constraints import keep_clusters, keep_zeros, make_positive
from squeezenet_mcu.model.compress.qat import kept, kernels_of, quantization_aware
from squeezenet_mcu.model.network import keras_files, to_tflite
from squeezenet_mcu.model.network.logits import logits_of
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.network.tfmot import tfmot
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.compression import Cluster, Distill, Prune
from squeezenet_mcu.model.train.distill import teacher_logits
from squeezenet_mcu.model.train.loop import _loss_of, fit
from tests.model.tiny import X, Y, job, settings

RNG = np.random.default_rng(3)


def trained_looking(model):
    """Batch norm as after training: factors and means that are not what they began as."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            layer.gamma.assign(RNG.uniform(0.5, 1.5, n))
            layer.beta.assign(RNG.uniform(-0.2, 0.2, n))
            layer.moving_mean.assign(RNG.uniform(-0.2, 0.2, n))
            layer.moving_variance.assign(RNG.uniform(0.5, 1.5, n))
    return model


def silence(model, layer, gone):
    """Makes the channels `gone` of `layer` (with batch norm and ReLU) put out 0."""
    norm = model.get_layer(f"{layer}_bn")
    for variable in (norm.gamma, norm.beta):
        value = variable.numpy()
        value[gone] = 0
        variable.assign(value)


@pytest.mark.parametrize("bypass", ["none", "simple", "complex"])
def test_channels_that_say_nothing_go_and_nothing_changes(bypass):
    mine = settings(bypass)
    model = trained_looking(build(mine))
    for fire in (2, 3):
        silence(model, f"fire{fire}_squeeze1x1", [1])
        # Fires whose outputs are added lose the same channels.
        silence(model, f"fire{fire}_expand1x1", [0, 5])
        silence(model, f"fire{fire}_expand3x3", [2, 7])
    if bypass == "complex":
        kernel = model.get_layer("fire2_bypass1x1").kernel.numpy()
        kernel[..., [0, 5, 10, 15]] = 0
        model.get_layer("fire2_bypass1x1").kernel.assign(kernel)
        norm = model.get_layer("fire2_bypass1x1_bn")
        for variable, value in ((norm.beta, 0), (norm.moving_mean, 0)):
            now = variable.numpy()
            now[[0, 5, 10, 15]] = value
            variable.assign(now)
    small, changes = channel_pruning.thinned(model, mine, 0.25)
    assert changes["fire2_squeeze1x1"] == (4, 3) and changes["fire3_expand3x3"] == (8, 6)
    assert small.count_params() < model.count_params()
    x = X.astype(np.float32) / 255
    np.testing.assert_allclose(small(x), model(x), rtol=0, atol=2e-6)


def of_which_some_are_quick(*lists):
    """All combinations; a third of them, in which each value meets some of all others, for a quick run."""
    found = []
    for places in itertools.product(*(range(len(each)) for each in lists)):
        values = [each[place] for each, place in zip(lists, places, strict=True)]
        found.append(pytest.param(*values, marks=[] if sum(places) % 3 == 0 else [pytest.mark.long]))
    return found


@pytest.mark.parametrize(
    ("name", "share", "bypass"),
    of_which_some_are_quick(
        ["digits", "gtsrb", "cifar10"], [0.2, 0.34, 0.5, 0.75], ["none", "simple", "complex"]
    ),
)
def test_the_same_bypasses_after_thinning(name, share, bypass):
    """Channels that become as many as their input's would make a bypass where there was none."""
    shipped = config.load(name)
    architecture = dataclasses.replace(shipped.architecture, bypass=bypass)
    mine = dataclasses.replace(shipped, architecture=architecture)
    model = build(mine)
    small, changes = channel_pruning.thinned(model, mine, share)
    assert [layer.name for layer in small.layers] == [layer.name for layer in model.layers]
    assert small.count_params() < model.count_params()
    assert all(now < was for layer, (was, now) in changes.items() if "squeeze" in layer)


def test_fires_added_to_conv1_keep_their_channels():
    mine = settings(stages=(config.Fire(4, 4, 4), "pool", config.Fire(6, 8, 8)))
    small, changes = channel_pruning.thinned(build(mine), mine, 0.5)
    assert changes["fire2_expand1x1"] == (4, 4) and changes["fire2_squeeze1x1"] == (4, 2)
    assert changes["fire3_squeeze1x1"] == (6, 3)
    assert changes["fire3_expand1x1"][1] + changes["fire3_expand3x3"][1] == 9  # 8 would make a bypass
    assert small(np.zeros((1, 16, 16, 1), np.float32)).shape == (1, 4)


def test_zeros_are_taken_where_they_cost_least():
    levels = np.array(sensitivity.LEVELS)
    curves = {
        "cheap": sensitivity.Curve(1000, tuple(0.01 * levels**2)),
        "dear": sensitivity.Curve(1000, tuple(5 * levels**2)),
        "fixed": sensitivity.Curve(500, tuple(levels)),
    }
    shares = sensitivity.allocate(curves, 0.5, {"fixed": 0.2})
    assert shares["fixed"] == 0.2
    assert shares["cheap"] > 0.8 > shares["dear"]
    total = sum(shares[name] * curve.weights for name, curve in curves.items())
    assert total == pytest.approx(0.5 * 2500)


def test_lamp_scores():
    """Lee et al. 2021, written out: w^2 over the sum of the squares that are no smaller."""
    kernel = np.array([3, -1, 0, 2, 0], np.float32).reshape(1, 1, 5, 1)
    assert list(lamp.scores(kernel)) == [0, 0, 1 / 14, 4 / 13, 1]
    assert list(lamp.scores(np.zeros((1, 1, 2, 1), np.float32))) == [0, 0]
    assert lamp.scores(np.float32([[[[1, 1, 1, 1]]]])) == pytest.approx([1 / 4, 1 / 3, 1 / 2, 1])


def test_lamp_takes_the_lowest_scores_of_all():
    rng = np.random.default_rng(3)
    # The layers' scales do not matter, how uneven a layer is does.
    even, uneven = rng.uniform(0.5, 1, 400), rng.standard_cauchy(400)
    kernels = {"even": 100 * even, "uneven": 0.01 * uneven, "fixed": rng.normal(size=200)}
    kernels = {name: k.reshape(1, 1, -1, 10).astype(np.float32) for name, k in kernels.items()}
    shares = lamp.allocate(kernels, 0.5, {"fixed": 0.1})
    assert shares["fixed"] == 0.1
    zeros = {name: round(shares[name] * 400) for name in ("even", "uneven")}
    assert sum(zeros.values()) == 500 - 20 and 0 < zeros["even"] < 200 < zeros["uneven"]
    gone = [lamp.scores(kernels[name])[: zeros[name]] for name in zeros]
    stay = [lamp.scores(kernels[name])[zeros[name] :] for name in zeros]
    assert max(g.max() for g in gone) <= min(s.min() for s in stay)
    # One weight a layer stays, whatever is asked.
    assert lamp.allocate(kernels, 0.99999, {}) == {"even": 399 / 400, "uneven": 399 / 400, "fixed": 199 / 200}


@pytest.mark.parametrize("how", ["lamp", "sensitivity"])
def test_a_share_that_cannot_be_reached(tmp_path, how):
    mine = settings(
        prune=Prune(1, 0.1, 0.8, {"fire2_expand3x3": 0.1, "fire3_expand3x3": 0.1}, 0.0, "free", how)
    )
    stage = SimpleNamespace(config=mine, validation=Set(X, Y), train=Set(X, Y), folder=tmp_path)
    with pytest.raises(
        UserError,
        match=r"\[prune\] sparsity = 0.8 of all weights: with (0.95|all weights but one) in every layer but "
        r"those in \[prune.layers\], it is 0\.\d+; want less, or fewer such layers",
    ):
        pruning.targets(stage, build(mine))
    each = dict.fromkeys(guarantees.kernels(build(mine)), 0.4)
    more = dataclasses.replace(mine.prune, sparsity=0.3, layers=each)
    stage.config = dataclasses.replace(mine, prune=more)
    with pytest.raises(UserError, match=r"\[prune.layers\]: .* 0.4000 of .*; want at most sparsity = 0.3,"):
        pruning.targets(stage, build(mine))
    assert not list(tmp_path.iterdir())
    stage.config = dataclasses.replace(mine, prune=dataclasses.replace(mine.prune, sparsity=0.3))
    model = build(stage.config)
    shares = pruning.targets(stage, model)
    sizes = {name: kernel.size for name, kernel in guarantees.kernels(model).items()}
    assert list(shares) == list(sizes)
    assert (tmp_path / "sensitivity.json").exists() == (how == "sensitivity")
    assert sum(shares[name] * sizes[name] for name in sizes) == pytest.approx(
        0.3 * sum(sizes.values()), abs=1
    )


def test_sensitivity_is_of_the_network_and_leaves_it_alone():
    model = trained_looking(build(settings()))
    model.get_layer("fire3_expand1x1").kernel.assign(np.zeros((1, 1, 4, 8)))
    before = [w.copy() for w in model.get_weights()]
    curves = sensitivity.measure(model, Set(X, Y))
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    assert set(curves) == set(guarantees.kernels(model))
    assert curves["fire3_expand1x1"].growth == (0.0,) * len(sensitivity.LEVELS)  # all zero already
    assert all(curve.growth[0] == 0.0 for curve in curves.values())
    assert max(max(curve.growth) for curve in curves.values()) > 0
    assert all(list(curve.growth) == sorted(curve.growth) for curve in curves.values())


class _Noting(tfmot.sparsity.keras.UpdatePruningStep):
    """Notes how many weights of a layer are zero after each epoch."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.zeros = layer, []

    def on_epoch_end(self, batch, logs=None):
        super().on_epoch_end(batch, logs)
        kernel = next(w for w in self.layer.trainable_weights if len(w.shape) == 4).numpy()
        self.zeros.append(int((kernel == 0).sum()))


@pytest.mark.parametrize(("batch", "epochs"), [(16, 5), (64, 20)])  # 64 images are two towers: two calls
def test_zeros_grow_for_60_percent_of_the_steps(tmp_path, batch, epochs):
    mine = settings()
    mine = dataclasses.replace(mine, train=dataclasses.replace(mine.train, batch=batch))
    stage = SimpleNamespace(config=mine, train=Set(X, Y), epochs=epochs)
    wrapped = pruning._wrapped(stage, build(mine), {"fire2_expand3x3": 0.8})
    noting = _Noting(wrapped.get_layer("prune_low_magnitude_fire2_expand3x3"))
    fit(job(wrapped, tmp_path, epochs, batch=batch, callback=noting))
    weights, steps = 4 * 9 * 8, 64 // batch
    # Zhu and Gupta 2017, equation 1, over 12 of 20 steps.
    grown = [0.8 * (1 - (1 - min(1, steps * (epoch + 1) / 12)) ** 3) for epoch in range(epochs)]
    assert noting.zeros == pytest.approx([weights * share for share in grown], abs=1)


def test_blocks():
    kernel = np.zeros((1, 1, 6), np.int8)
    kernel[..., :2] = 1
    kernel[..., 4:] = 1
    assert guarantees.blocks_kept(kernel, (2, 4))  # the last block has two channels of four
    kernel[..., 2] = 1
    assert not guarantees.blocks_kept(kernel, (2, 4)) and guarantees.blocks_kept(kernel, (1, 4))


def clustered(values):
    model = trained_looking(build(settings()))
    norm = model.get_layer("fire2_expand3x3_bn")
    norm.gamma.assign(norm.gamma * np.array([1, -1, 1, -1, 1, 1, 1, 1], np.float32))
    make_positive(model)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = layer.kernel.numpy()
            edges = np.quantile(kernel, np.linspace(0, 1, values + 1)[1:-1])
            middles = np.linspace(kernel.min(), kernel.max(), values)
            middles[values // 2] = 0
            layer.kernel.assign(middles[np.digitize(kernel, edges)])
    return model


def after_training(source, aware, constraints, tmp_path):
    fit(job(aware, tmp_path, 2, constraints))
    return to_tflite.to_int8_tflite(aware)


def test_negative_factors_are_mirrored_away():
    model = trained_looking(build(settings()))
    norm = model.get_layer("fire2_expand3x3_bn")
    norm.gamma.assign(norm.gamma * np.array([1, -1, 1, -1, 1, 1, 1, 1], np.float32))
    x = X.astype(np.float32) / 255
    before = model(x).numpy()
    make_positive(model)
    assert (norm.gamma.numpy() > 0).all()
    np.testing.assert_allclose(model(x), before, rtol=0, atol=1e-6)


def test_clusters_reach_the_tflite(tmp_path):
    source = clustered(9)
    mine = settings(cluster=Cluster(1, 0.01, 9, {}), prune=Prune(1, 0.1, 0.0, {}, 0.0, "free", "even"))
    wanted = guarantees.made(source, mine)
    assert wanted["fire2_expand3x3"].values == 9 and wanted["fire2_expand3x3"].zeros > 0
    aware = quantization_aware(source, X, set(wanted))
    before = {name: kernel.numpy() for name, kernel in kernels_of(aware).items()}
    tflite = after_training(source, aware, kept(source, aware, set(wanted)), tmp_path)
    assert any((before[name] != kernel.numpy()).any() for name, kernel in kernels_of(aware).items())
    seen = guarantees.check(tflite, wanted, "x")
    assert all(2 < layer.values <= 9 for layer in seen.values())


def test_clusters_that_tfmot_loses_are_an_error_that_names_the_layer(tmp_path):
    source = clustered(9)
    wanted = guarantees.made(source, settings(cluster=Cluster(1, 0.01, 9, {})))
    tflite = after_training(source, quantization_aware(source, X), [], tmp_path)
    with pytest.raises(UserError, match=r"x: \w+ has \d+ (zeros|different weights).*quantization lost them"):
        guarantees.check(tflite, wanted, "x")


def test_a_broken_block_names_the_layer():
    source = clustered(9)
    tflite = to_tflite.to_int8_tflite(quantization_aware(source, X))
    guarantee = {"fire2_expand3x3": guarantees.Guarantee(0, None, (3, 4))}
    with pytest.raises(UserError, match=r"x: fire2_expand3x3 has fewer than 3 zeros in some 4 consecutive"):
        guarantees.check(tflite, guarantee, "x")


def test_untrained_quantization_has_the_ranges_of_the_float_network():
    source = trained_looking(build(settings()))
    tflite = to_tflite.to_int8_tflite(quantization_aware(source, X))
    logits = logits_of(source)(X.astype(np.float32) / 255).numpy()
    # Random weights put classes close together: where the float network is sure, int8 agrees.
    margin = np.sort(logits, axis=1)
    sure = margin[:, -1] - margin[:, -2] > 0.1 * (logits.max() - logits.min())
    assert sure.sum() >= 10
    assert (to_tflite.predictions(tflite, X)[sure] == logits.argmax(axis=1)[sure]).all()


def test_a_channel_of_zeros_keeps_its_bias(tmp_path):
    """With TFMOT's ranges its scale is 1e-9 and its bias is cut off at int32."""
    source = trained_looking(build(settings()))
    for name in ("fire2_squeeze1x1", "fire3_expand3x3"):
        kernel = source.get_layer(name).kernel.numpy()
        kernel[..., 1] = 0
        source.get_layer(name).kernel.assign(kernel)
    aware = quantization_aware(source, X)
    for tflite in (to_tflite.to_int8_tflite(aware), after_training(source, aware, [], tmp_path)):
        interpreter = litert.interpreter(tflite)
        interpreter.allocate_tensors()
        biases = [
            interpreter.get_tensor(tensor["index"])
            for tensor in interpreter.get_tensor_details()
            if tensor["dtype"] is np.int32 and len(tensor["quantization_parameters"]["scales"]) > 1
        ]
        assert len(biases) == 8  # of every convolution
        assert max(np.abs(bias.astype(np.int64)).max() for bias in biases) < 1 << 30
        lower(parse(tflite, "x"))  # the engine takes it


def test_constraints():
    values = np.array([[[[0.0, 1.0], [1.0, 2.0]]]], np.float32)
    kernel = tf.Variable(np.array([[[[9.0, 3.0], [5.0, 7.0]]]], np.float32))
    keep_clusters(kernel, values)()
    assert kernel.numpy().ravel().tolist() == [0, 4, 4, 7]
    kernel.assign(np.array([[[[9.0, 3.0], [5.0, 7.0]]]], np.float32))
    keep_zeros(kernel, values)()
    assert kernel.numpy().ravel().tolist() == [0, 3, 5, 7]


def test_the_loss_of_distillation(tmp_path):
    student, teacher = RNG.normal(size=(2, 8, 4)).astype(np.float32)
    y = Y[:8]
    taught = job(
        None,
        tmp_path,
        1,
        class_weights=np.array([1, 2, 3, 4], np.float32),
        teacher=lambda images: tf.constant(teacher),
        distill=Distill("t", 0.25, 3.0),
    )
    taught = dataclasses.replace(taught, settings=dataclasses.replace(taught.settings, label_smoothing=0.0))

    def softmax(z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    hard = -np.log(softmax(student)[np.arange(8), y])
    soft = (softmax(teacher / 3) * np.log(softmax(teacher / 3) / softmax(student / 3))).sum(axis=1)
    expected = np.mean((y + 1) * (0.75 * hard + 0.25 * 9 * soft))
    assert float(_loss_of(taught, 4)(None, tf.constant(student), tf.constant(y))) == pytest.approx(
        expected, rel=1e-5
    )


def test_a_teacher_that_sees_mirror_images_too(tmp_path):
    network = trained_looking(build(settings()))
    keras_files.save(network, tmp_path / "teacher.keras")
    shape, images = X.shape[1:], tf.constant(X[:8].astype(np.float32) / 255)
    alone = teacher_logits(tmp_path / "teacher.keras", shape, 4)
    both = teacher_logits(tmp_path / "teacher.keras", shape, 4, mirror=True)
    mirrored = tf.constant(X[:8, :, ::-1].astype(np.float32) / 255)
    seen, other = alone(images).numpy(), alone(mirrored).numpy()
    assert np.abs(seen - other).max() > 1e-3  # or nothing would be seen here
    assert both(images).numpy() == pytest.approx((seen + other) / 2, abs=1e-6)


def test_class_weights():
    y = np.repeat([0, 1, 2], [80, 15, 5])
    assert splits.class_weights(y, 0.0).tolist() == [1, 1, 1]
    balanced = splits.class_weights(y, 1.0)
    assert balanced * [80, 15, 5] == pytest.approx([100 / 3] * 3)
    half = splits.class_weights(y, 0.5)
    assert half[1] / half[0] == pytest.approx((80 / 15) ** 0.5)
    assert (half * [80, 15, 5]).sum() == pytest.approx(100)


def test_reserve_and_validation_are_apart():
    x = np.arange(300, dtype=np.int64).reshape(-1, 1)
    y = np.repeat([0, 1, 2], 100)
    parts = splits.split(Set(x, y), 0.2, 0.1, 10)
    every = np.concatenate([parts.train.x, parts.validation.x, parts.reserve.x]).ravel()
    assert sorted(every.tolist()) == list(range(300))
    assert len(parts.reserve.y) == 60 and len(parts.validation.y) == 30
    other = splits.split(Set(x, y), 0.2, 0.0, 10)
    assert other.validation is None and (other.reserve.x == parts.reserve.x).all()
