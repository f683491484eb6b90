"""What the figures of a training mean, in sentences: each follows from the figures and names them."""

from squeezenet_mcu.common.terminal import printable
from squeezenet_mcu.host_tools.summary.figures import Outcome, Row, Share, best_epoch, surely_worse

_GAP = 0.03  # a smaller one between training and test images is no matter
_FEW_A_CLASS = 300  # images of a class; with more, a gap hardly comes from too few of them
_KNOWN = 0.9  # of the training images; a network that knows fewer has not learnt them
_BETTER = 0.03  # points of validation accuracy that an earlier epoch had more
_WIDE = 0.1  # an interval from which one cannot tell much
_PAIR = 0.5  # of all mistakes, between two classes
_PAIR_MISTAKES = 6


def percent(share: float) -> str:
    """A fraction of 1 as "93.1 %"."""
    return f"{100 * share:.1f} %"


def gap(found: Outcome) -> list[str]:
    """Training images against test images, what the gap comes from, and what would help."""
    row = found.int8
    if row.training is None:
        return ["training against test images: not known, as the records are of an earlier version"]
    known, unseen = row.training.right, row.test.right
    shares = f"{percent(known)} of the training images, {percent(unseen)} of the test images"
    lines = []
    if unseen <= found.chance:
        lines.append(
            f"it gets {shares} right, no better than always the same class ({percent(found.chance)}): it has "
            "learnt nothing that holds: look whether images lie in the right folders; else lower the "
            "learning_rate"
        )
    elif row.test.interval[0] <= found.chance:
        lines.append(
            f"it gets {shares} right; always the same class is right in {percent(found.chance)}: so few test "
            f"images cannot tell them apart; more images, or more epochs than {len(found.history)} (leave "
            "EPOCHS= out), may"
        )
    elif known - unseen > _GAP and surely_worse(row.test, row.training):
        lines.append(f"it gets {shares} right, {100 * (known - unseen):.1f} points less: {_reason(found)}")
    elif known - unseen > _GAP and known >= _KNOWN:
        lines.append(
            f"it gets {shares} right, {100 * (known - unseen):.1f} points less, which may be chance: too few "
            "images to tell"
        )
    elif known < _KNOWN:
        lines.append(
            f"it gets {shares} right, so new images are no harder than known ones, but it has not learnt "
            f"these either: {_not_learnt(found)}"
        )
    else:
        lines.append(f"it gets {shares} right: new images are about as easy as known ones")
    low, high = row.test.interval
    if high - low > _WIDE:
        lines.append(
            f"{row.test.images} test images are few: the true share may be anywhere from {percent(low)} to "
            f"{percent(high)}; with four times as many, the interval is half as wide"
        )
    return lines


def _reason(found: Outcome) -> str:
    best = best_epoch(found.history)
    if best and best[1] - best[2] > _BETTER and best[0] <= 0.8 * len(found.history) and _told(found, best):
        epoch, then, now = best
        return (
            f"too many epochs: after epoch {epoch} of {len(found.history)} it got {percent(then)} of the "
            f"validation images right, at the end {percent(now)}: try EPOCHS={epoch}"
        )
    alike = _alike(found)
    if alike:
        return alike
    each = found.train_images / len(found.labels)
    if each < _FEW_A_CLASS:
        return (
            f"too few images: {each:.0f} a class to learn from; more images help the most, then more "
            "augmentation ([train] flip, shift, zoom)"
        )
    return (
        f"it knows its {found.train_images:,} training images by heart: more augmentation ([train] flip, "
        "shift, zoom, cutout) or a smaller network help, or images that are more like the test images"
    )


def _told(found: Outcome, best: tuple[int, float, float]) -> bool:
    """Whether so many validation images tell the best epoch from the last one: of 20, one is 5 points."""
    _, then, now = best
    images = found.validation_images
    return images > 0 and surely_worse(Share(now, images), Share(then, images))


def _not_learnt(found: Outcome) -> str:
    return _alike(found) or (
        f"more epochs than {len(found.history)} (EPOCHS=), a larger network or larger images may help"
    )


def _alike(found: Outcome) -> str:
    pairs = found.pairs()
    if len(found.labels) < 3 or not pairs:
        return ""
    one, other, count = pairs[0]
    if count < max(_PAIR_MISTAKES, _PAIR * found.mistakes):
        return ""
    names = f"{printable(found.labels[one])} and {printable(found.labels[other])}"
    return (
        f"classes alike: {count} of the {found.mistakes} mistakes are between {names}: look at mistakes.png, "
        "then make one class of them, or add images that show the difference"
    )


def cost(found: Outcome, stored_bytes: int | None, again: str) -> list[str]:
    """What was pruned, what it costs in points, what it saves in bytes, and how to do without.

    `stored_bytes`: that the weights take of a flash for which they are made small; None: not known. `again`:
    the line that trains without.
    """
    if found.asked:
        what = " and ".join({"prune": "pruned", "cluster": "clustered"}[name] for name in found.asked)
        return [f"not {what}, as asked (COMPRESS=none); without it, the TOML's compression comes back"]
    if len(found.rows) < 3:
        return []
    parts = []
    left, all_channels = found.channels
    if all_channels > left:
        parts.append(f"{all_channels - left:,} of {all_channels:,} channels are gone")
    if found.weights:
        zeros = f"{found.zeros:,} of {found.weights:,} weights are zero ({found.zeros / found.weights:.0%})"
        parts.append(zeros)
    if found.values:
        parts.append(f"at most {found.values} different weights a layer")
    last = found.rows[-2]
    lost = 100 * (found.float_row.test.right - last.test.right)
    what = "pruned and clustered" if found.values else "pruned"
    shares = _shares(found.float_row, last)
    price = f"{lost:.1f} points" if lost >= 0.05 else "nothing"
    text = f"{what}: {', '.join(parts)}. It costs {price} ({shares} of the test images)"
    if lost >= 0.05 and not surely_worse(last.test, found.float_row.test):
        text += ", no more than chance may explain"
    if stored_bytes is not None and found.weights:
        text += (
            f". The weights, biases included, take {stored_bytes:,} B where made for flash, "
            f"{found.weights:,} B at one byte each"
        )
    return [text, f"to do without: {again}"]


def _shares(one: Row, other: Row) -> str:
    return f"{one.name} {percent(one.test.right)}, {other.name} {percent(other.test.right)}"
