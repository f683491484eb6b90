"""`python -m host_tools summary`: what a training has come to, and what to do next."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.table import Table

from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.terminal import Console, printable
from squeezenet_mcu.convert.encode.weights import stored_bytes
from squeezenet_mcu.convert.target import Optimize
from squeezenet_mcu.host_tools.analyze import fit, subject
from squeezenet_mcu.host_tools.analyze.fit import Fit
from squeezenet_mcu.host_tools.boards import attached, board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.summary import figures, next_steps, sentences
from squeezenet_mcu.host_tools.summary.figures import Outcome, Share
from squeezenet_mcu.host_tools.summary.sentences import percent
from squeezenet_mcu.model.card import confusion, mistakes
from squeezenet_mcu.model.settings import config

NAME = "summary"
HELP = "what a training has come to: accuracies, mistakes, what was pruned, what to do next"
EXAMPLES = """\
  python -m host_tools summary --model digits --board rp2040
  python -m host_tools summary --model mine.toml --data my_images/"""

_ALL = 20  # classes at most that are all listed; of more, the worst
_WORST = 10
_CONFUSIONS = 5
_OPTIMIZE: tuple[Optimize, ...] = ("speed", "flash")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME|TOML", help="which was trained (digits)")
    parser.add_argument("--board", default="stm32f405", metavar="NAME", help="(stm32f405)")
    parser.add_argument("--data", metavar="SOURCE", help="for the lines to paste: as it was typed for train")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    board = board_toml.load(args.board)
    settings = config.load(args.model)
    folder = BUILD / settings.name
    found = figures.gather(settings, folder)
    console = Console()
    console.print()
    show_accuracies(console, settings.name, found)
    for line in sentences.gap(found):
        console.print(as_typed(line), soft_wrap=True)
    show_classes(console, found, folder)
    made = None
    try:
        made = fits_of(args.model, board, found.tflite_sha256)
        flash = in_flash(made, args.model)
    except UserError as error:  # the rest is worth reading all the same
        flash = f"flash of {board.name}: not known: {error}"
    again = next_steps.command("train", model=args.model, data=args.data, compress="none")
    for line in sentences.cost(found, made.weights if made else None, again):
        console.print(as_typed(line), soft_wrap=True)
    console.print(as_typed(flash), soft_wrap=True)
    console.print("next:")
    ports = [port for port in attached.serial_ports() if "ttyS" not in port]  # a PC's own are no board
    for step in next_steps.steps(args.model, args.board, settings.name, board, args.data, ports):
        console.print(f"  {step.line}   # {step.why}", soft_wrap=True)
    return 0


def show_accuracies(console: Console, name: str, found: Outcome) -> None:
    """A row a stage: training images, test images with their interval."""
    console.print(f"{name}: images that are right", style="bold", soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("network", no_wrap=True)
    sample = found.int8.training
    of = f"training (a sample of {sample.images:,})" if sample else "training"
    of = of if sample is None or sample.images < found.train_images else f"training ({sample.images:,})"
    for column in (of, f"test ({found.int8.test.images:,})", "95 % interval"):
        table.add_column(column, justify="right")
    for row in found.rows:
        training = percent(row.training.right) if row.training else "not known"
        table.add_row(row.name, training, percent(row.test.right), _interval(row.test))
    console.print(table)


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{100 * low:.1f} to {100 * high:.1f}"


def show_classes(console: Console, found: Outcome, folder: Path) -> None:
    """Of each class the share of its test images that the int8 network knows; the worst confusions."""
    shares = confusion.recall(found.confusion)
    known = sorted((share, label) for label, share in enumerate(shares) if share is not None)
    worst_of = f"the {_WORST} worst of " if len(known) > _ALL else ""
    console.print(f"int8, class by class ({worst_of}{len(shares):,} classes)", style="bold", soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("class", overflow="fold")
    for column in ("right", "of", ""):
        table.add_column(column, justify="right", no_wrap=True)
    chosen = known[:_WORST] if len(known) > _ALL else sorted(known, key=lambda pair: pair[1])
    for share, label in chosen:
        row = found.confusion[label]
        table.add_row(printable(found.labels[label]), f"{row[label]:,}", f"{sum(row):,}", percent(share))
    console.print(table)
    for worst in confusion.worst(found.confusion, _CONFUSIONS):
        names = (printable(found.labels[label]) for label in (worst.label, worst.taken))
        of, taken = names
        console.print(f"  {of} taken for {taken}: {worst.images:,} of {worst.of:,}", soft_wrap=True)
    pictures = [folder / name for name in (mistakes.CONFUSION, mistakes.MISTAKES)]
    drawn = [str(path) for path in pictures if path.is_file()]
    if drawn:
        console.print(f"as pictures: {', '.join(drawn)}", soft_wrap=True)


@dataclass(frozen=True)
class Fits:
    """The model on a board, made for speed and made for flash. `weights`: bytes of these in the latter."""

    board: Board
    fast: Fit
    small: Fit

    @property
    def weights(self) -> int:
        return sum(stored_bytes(layer) for layer in self.small.made.network.layers)


def fits_of(model: str, board: Board, tflite_sha256: str) -> Fits:
    """Nothing is compiled. UserError: it is not converted, or our engine does not take it."""
    found = subject.of_model(model)
    if found.sha256 != tflite_sha256:
        fix = f"run: make convert MODEL={model}"
        raise UserError(f"{found.path}: of another network than the training has made; {fix}")
    if found.maker is None:
        raise found.problems[0]
    fast, small = (
        fit.on(board, found.manifest, found.maker, ModelRequest(optimize=optimize)) for optimize in _OPTIMIZE
    )
    return Fits(board, fast, small)


def in_flash(found: Fits, model: str) -> str:
    """One line: what the firmware takes of the board's flash made for speed and made for flash."""
    fast, small = found.fast, found.small
    name = found.board.name
    line = f"flash of {name}: {_shown(fast, 'speed')}; {_shown(small, 'flash')}; of {fast.flash_total:,} B: "
    if fast.missing and small.missing:
        return line + f"it does not fit: {next_steps.command('analyze', model=model, board=name)}"
    if fast.missing:
        return line + "only OPTIMIZE=flash fits"
    if fast.flash_used <= small.flash_used:
        return line + "the default, OPTIMIZE=speed, is the smallest, too"
    return line + "take the default, OPTIMIZE=speed, unless you need the flash: then OPTIMIZE=flash"


def _shown(one: Fit, name: str) -> str:
    time = "" if one.milliseconds is None else f", about {one.milliseconds:,.1f} ms an image"
    return f"{one.flash_used:,} B made for {name}{time}"
