"""The training loop of all stages: schedule, augmentation, progress, checkpoint each epoch, resume."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.data import images
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.tf import keras, tf
from squeezenet_mcu.model.distributed.workers import ALONE, Alone
from squeezenet_mcu.model.network.logits import logits_of
from squeezenet_mcu.model.settings.compression import Distill
from squeezenet_mcu.model.settings.config import Train
from squeezenet_mcu.model.train import checkpoint
from squeezenet_mcu.model.train.augment import augmented
from squeezenet_mcu.model.train.divergence import DivergedError, Rate, Watch, loss_of_guessing
from squeezenet_mcu.model.train.scoring import same_answers, scorer

_SEEN = 64  # images, by which a network is asked whether it still looks at them
_TOWER_IMAGES = 32  # at least; batch norm needs some, and a smaller batch gains nothing


@dataclass(frozen=True)
class Job:
    """One training: `model` ends in Softmax and is trained in place.

    `constraints`: called within the graph after every step, see model/compress/constraints.py.
    `class_weights`: float32 [classes], of each class's images in the loss; None = 1 each.
    `teacher`: logits [n, classes] of images [n, h, w, c] in [0, 1], to learn from as `distill` says.
    `callback`: a Keras callback told of the beginning and the end of each epoch (TFMOT's pruning has one).
    `fresh`: see checkpoint.save.
    `team`: the processes that train together; each takes its share of every batch.
    `rate`: where the learning rate stands, for whom it breaks the training; None: nobody watches.
    """

    name: str
    model: Any
    settings: Train
    epochs: int
    learning_rate: float
    warmup_epochs: int
    train: Set
    validation: Set | None
    checkpoint: Path
    fingerprint: str
    constraints: Sequence[Callable[[], None]] = ()
    class_weights: npt.NDArray[np.float32] | None = None
    teacher: Callable[[Any], Any] | None = None
    distill: Distill | None = None
    callback: Any = None
    fresh: bool = False
    team: Alone = ALONE
    rate: Rate | None = None
    report: Callable[[str], None] = field(default=print)


def learning_rate(step: int, steps_per_epoch: int, epochs: int, warmup_epochs: int, peak: float) -> float:
    """Linear warm-up to `peak`, then half a cosine to 0 (Loshchilov and Hutter 2017)."""
    warmup = min(warmup_epochs, epochs - 1) * steps_per_epoch
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (epochs * steps_per_epoch - warmup)))


def _loss_of(job: Job, classes: int) -> Callable[[Any, Any, Any], Any]:
    """(images [b, h, w, c] in [0, 1], logits [b, classes], y int64 [b]) -> mean loss, weight decay apart."""
    smoothing = job.settings.label_smoothing
    weights = np.ones(classes, np.float32) if job.class_weights is None else job.class_weights

    def loss(x: Any, found: Any, y: Any) -> Any:
        target = tf.one_hot(y, classes) * (1 - smoothing) + smoothing / classes
        each = tf.nn.softmax_cross_entropy_with_logits(target, found)
        if job.teacher is not None and job.distill is not None:
            heat, share = job.distill.temperature, job.distill.weight
            softened = tf.nn.softmax(tf.stop_gradient(job.teacher(x)) / heat)
            apart = tf.nn.softmax_cross_entropy_with_logits(softened, found / heat)
            apart -= tf.nn.softmax_cross_entropy_with_logits(softened, tf.math.log(softened + 1e-20))
            each = (1 - share) * each + share * heat**2 * apart
        return tf.reduce_mean(tf.gather(weights, y) * each)

    return loss


def towers(batch: int, team: Alone = ALONE) -> int:
    """In how many parts a process of `team` computes its `batch` images of a step, at the same time.

    Every layer is called so often in a step, and whatever it counts or averages by itself with it.
    """
    return team.towers if batch // team.towers >= _TOWER_IMAGES else 1


def _step(job: Job, optimizer: Any) -> Any:
    """The compiled step: (x uint8 [b, h, w, c], y int64 [b]) -> mean loss, images right.

    x and y are this process's share of the batch, what comes back is of the whole. It is computed in two
    halves (towers), which TensorFlow runs at the same time on half of the cores each (see tf_environment.py):
    a quarter faster than one after the other with all cores for each operator. Batch norm normalizes by the
    half.
    """
    logits = logits_of(job.model)
    variables = job.model.trainable_variables
    kernels = [variable for variable in variables if len(variable.shape) == 4]
    loss_of = _loss_of(job, logits.output_shape[-1])

    def tower(x: Any, y: Any) -> tuple[list[Any], Any, Any]:
        x = tf.cast(x, tf.float32) / 255
        with tf.GradientTape() as tape:
            found = logits(x, training=True)
            loss = loss_of(x, found, y)
            total = loss + job.settings.weight_decay * tf.add_n([tf.nn.l2_loss(k) for k in kernels])
        right = tf.reduce_sum(tf.cast(tf.argmax(found, axis=1) == y, tf.int64))
        return tape.gradient(total, variables), loss, right

    def gradients(x: Any, y: Any) -> tuple[list[Any], Any, Any]:
        if towers(x.shape[0], job.team) == 1:
            return tower(x, y)
        half = x.shape[0] // 2
        of = [tower(x[:half], y[:half]), tower(x[half:], y[half:])]
        share = half / x.shape[0]
        mean = [share * one + (1 - share) * other for one, other in zip(of[0][0], of[1][0], strict=True)]
        return mean, share * of[0][1] + (1 - share) * of[1][1], of[0][2] + of[1][2]

    summed = job.team.summed(gradients, _batch(job))

    @tf.function  # type: ignore[untyped-decorator]
    def step(x: Any, y: Any) -> Any:
        found, loss, right = summed(x, y)
        optimizer.apply_gradients(zip(found, variables, strict=True))
        for constrain in job.constraints:
            constrain()
        return loss, right

    return step


def _batch(job: Job) -> int:
    """Images of a step, all workers' together."""
    return min(job.settings.batch, len(job.train.y))


def _kept(job: Job, done: int) -> str:
    """How far a training that ends early has come; only the chief has a checkpoint to look at."""
    if job.team.is_chief:
        return checkpoint.kept(job.checkpoint, job.fingerprint, job.epochs)
    return f"{done} of {job.epochs} epochs are done: the same command on every machine goes on from there"


def fit(job: Job) -> list[dict[str, float]]:
    """Trains `job.model`, from its checkpoint if it has one; returns one entry per epoch.

    Every epoch draws from its own random stream, so that a resumed training sees the same batches as one
    that was never interrupted. Ctrl-C or a kill loses the epoch under way, no more.
    """
    # Each worker drops out other activations; alone, it is the seed itself.
    keras.utils.set_random_seed(job.settings.seed + job.team.number)
    optimizer = keras.optimizers.SGD(job.learning_rate, job.settings.momentum, nesterov=True)
    optimizer.build(job.model.trainable_variables)
    job.model.optimizer = optimizer  # where TFMOT's callback looks for the number of steps
    state = [*job.model.weights, *optimizer.variables]
    history: list[dict[str, float]] = []
    if job.team.is_chief:
        history = checkpoint.restore(job.checkpoint, job.fingerprint, state, job.epochs)
    try:
        with job.team.watched(lambda: _kept(job, len(history))):
            history = job.team.begin(history, state, count_parameters(job.model))
            _epochs(job, optimizer, state, history)
    except KeyboardInterrupt:
        job.report(f"\n{job.name}: interrupted; {_kept(job, len(history))}")
        raise
    job.model.optimizer = None  # else Keras saves its state with the model
    return history


def count_parameters(model: Any) -> int:
    """The trainable ones: those that have a gradient."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def _epochs(job: Job, optimizer: Any, state: Sequence[Any], history: list[dict[str, float]]) -> None:
    """Those that `history` lacks."""
    if history:
        job.report(f"{job.name}: resuming after epoch {len(history)} of {job.epochs} ({job.checkpoint})")
    if job.callback is not None:
        job.callback.set_model(job.model)
        job.callback.on_train_begin()
    step, score, watch = _step(job, optimizer), scorer(job.model), _watch(job)
    try:
        steps = len(job.train.y) // _batch(job)
        while len(history) < job.epochs:
            entry = _epoch(job, step, score, watch, optimizer, state, len(history))
            history.append(entry)
            if watch is not None:
                watch.epoch(len(history), steps, entry["loss"], entry["accuracy"])
            if job.team.is_chief:
                checkpoint.save(job.checkpoint, job.fingerprint, history, state, job.fresh)
        if watch is not None:
            watch.end(steps, history)
    except DivergedError:
        if job.team.is_chief:  # with another rate it is of no use, and in the way
            job.checkpoint.unlink(missing_ok=True)
        raise


def _watch(job: Job) -> Watch | None:
    if job.rate is None:
        return None
    some = job.train.x[images.spread(len(job.train.y), _SEEN)]
    return Watch(
        name=job.name,
        rate=job.rate,
        y=job.train.y,
        classes=job.model.output_shape[-1],
        guess=loss_of_guessing(job.train.y, job.class_weights),
        taught=job.teacher is not None,
        same_answers=lambda: same_answers(job.model, some),
        finite=lambda: all(bool(np.isfinite(v.numpy()).all()) for v in job.model.trainable_variables),
    )


def _epoch(
    job: Job,
    step: Any,
    score: Callable[[Set], float],
    watch: Watch | None,
    optimizer: Any,
    state: Sequence[Any],
    epoch: int,
) -> dict[str, float]:
    count = len(job.train.y)
    batch, share = _batch(job), job.team.share(_batch(job))
    steps = count // batch
    rng = np.random.default_rng([job.settings.seed, epoch])
    order = rng.permutation(count)
    rng = job.team.stream(rng, job.settings.seed, epoch)

    def make(number: int) -> tuple[Any, Any]:
        chosen = order[number * batch : (number + 1) * batch][share]
        return augmented(job.train.x[chosen], job.settings, rng), job.train.y[chosen]

    job.team.begin_steps()
    loss, right, start = 0.0, 0, time.monotonic()
    if job.callback is not None:
        job.callback.on_epoch_begin(epoch)
    with ThreadPoolExecutor(1) as pool:  # one batch ahead, on one thread: the random stream stays in order
        coming = pool.submit(make, 0)
        for number in range(steps):
            x, y = coming.result()
            if number + 1 < steps:
                coming = pool.submit(make, number + 1)
            rate = learning_rate(
                epoch * steps + number, steps, job.epochs, job.warmup_epochs, job.learning_rate
            )
            optimizer.learning_rate.assign(rate)
            batch_loss, batch_right = step(x, y)
            loss += float(batch_loss)
            if watch is not None:
                watch.step(epoch + 1, loss)
            right += int(batch_right)
            if sys.stdout.isatty() and number % 10 == 0:
                terminal.echo(
                    f"\r{job.name} {epoch + 1}/{job.epochs}: {number + 1}/{steps}", end="", flush=True
                )
    if job.callback is not None:
        job.callback.on_epoch_end(epoch)
    speed = steps * batch / (time.monotonic() - start)
    exchanged = job.team.end_steps(state, steps, batch)
    entry = {
        "epoch": epoch + 1,
        "loss": round(loss / steps, 5),
        "accuracy": round(right / (steps * batch), 5),
        "images_per_s": round(speed),
    }
    text = f"loss {entry['loss']:.4f}  accuracy {entry['accuracy']:.4f}"
    if job.validation is not None and job.team.is_chief:
        entry["validation_accuracy"] = round(score(job.validation), 5)
        text += f"  validation {entry['validation_accuracy']:.4f}"
    start_of_line = "\r" if sys.stdout.isatty() else ""
    job.report(f"{start_of_line}{job.name} {epoch + 1}/{job.epochs}: {text}  {speed:.0f} images/s")
    if exchanged:
        job.report(f"{job.name}: {exchanged}")
    return entry
