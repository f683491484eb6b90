"""`python -m host_tools claims`: the SqueezeNet paper, recomputed claim by claim."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.common.version import version
from squeezenet_mcu.host_tools.claims import accuracy, claim, compression, family, measured_network, show
from squeezenet_mcu.host_tools.claims.claim import Found
from squeezenet_mcu.host_tools.claims.measured_network import Measured
from squeezenet_mcu.host_tools.claims.paper import ARXIV, CLAIMS, TITLE
from squeezenet_mcu.model import importers
from squeezenet_mcu.model.settings import config

NAME = "claims"
HELP = "the SqueezeNet paper recomputed, claim by claim: the paper's figure, ours, how, and whether it holds"
EXAMPLES = """\
  python -m host_tools claims                                    # what needs no data: up to 2 minutes
  python -m host_tools claims --weights compressed_SqueezeNet.net
  python -m host_tools claims --weights squeezenet_v1.0.caffemodel --data imagenet_val --limit 1000
  python -m host_tools claims --json claims.json
exit status: 0 what can be computed is computed, whether it holds or not; 1 something could not be measured,
or a user's mistake; 130 interrupted"""

FORMAT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="of SqueezeNet v1.0: the authors' .net or .caffemodel, or an .npz (docs/weights.md)",
    )
    parser.add_argument(
        "--data", metavar="SOURCE", help="with --weights: ImageNet's labelled validation images, a folder"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="at most N images for accuracy (all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all claims to FILE")
    parser.add_argument(
        "--no-measuring",
        action="store_true",
        help="only count: leave out training, link and firmware, which take a minute or two",
    )


def _check(args: argparse.Namespace) -> None:
    """UserError: options that do not go together, weights or images that are not there or damaged."""
    for option in ("data", "limit"):
        if getattr(args, option) is not None and args.weights is None:
            raise UserError(f"--{option}: is for the accuracy of given weights; want --weights, too")
    if args.limit is not None and args.limit < 1:
        raise UserError(f"--limit {args.limit}: want at least 1 image")
    if args.limit is not None and args.data is None:
        raise UserError("--limit: is of the images of --data; want that, too")
    if args.weights is not None:
        importers.load(args.weights, config.load("imagenet_v1_0").kernels)
        if args.data is None and args.weights.suffix != compression.SUFFIX:
            raise UserError(
                f"--weights {args.weights}: of float weights, accuracy is all that is asked; want --data, too"
            )
    if args.data is not None:
        _check_images(args.data)


def _check_images(source: str) -> None:
    """By a look at one. UserError: they are not there, of other classes than ImageNet's, or of none."""
    if not sources.is_there(source):
        raise UserError(f"--data {source}: no such folder or file; want labelled images (docs/data.md)")
    size = config.load("imagenet_v1_0")
    shape = (size.input.height, size.input.width, size.input.channels)
    one = sources.load(source, "test", *shape, limit=1, classes=size.architecture.classes)
    if (one.y < 0).all():
        raise UserError(f"--data {source}: nobody says of what classes they are; want labels (docs/data.md)")


class _Steps:
    """What is being done, for who waits; and what could not be done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.failed: dict[str, str] = {}

    def __call__(
        self, what: str, ids: tuple[str, ...], step: Callable[[], dict[str, Found]]
    ) -> dict[str, Found]:
        """What `step` finds; for the claims `ids` the reason why not, where it fails: the others go on."""
        self._console.print(f"{what} ...", soft_wrap=True)
        started = time.monotonic()
        try:
            found = step()
        except UserError as error:
            self.failed |= dict.fromkeys(ids, str(error))
            self._console.print(f"  failed: {error}", soft_wrap=True)
            return {}
        self._console.print(f"  {time.monotonic() - started:.0f} s", soft_wrap=True)
        return found


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    console = Console()
    _check(args)
    outputs = files.outputs(args.json)
    steps = _Steps(console)
    found: dict[str, Found] = {}
    real: Measured | None = None
    if args.weights is not None and args.weights.suffix == compression.SUFFIX:
        found |= compression.of_file(args.weights)
    if args.data is not None:  # the user's files first: what is wrong with them is said before the long work
        real = measured_network.with_weights(args.weights, args.data, console)
        if args.weights.suffix == compression.SUFFIX:
            found |= compression.of_engine_model(real)
        found |= accuracy.measure(real, args.weights, args.data, args.limit, console)
    members = family.members()
    found |= family.answers(members)
    if not args.no_measuring:
        found |= _measured(real, steps, console)
    report = as_json(found, steps.failed, members)
    show.claims(console, report["claims"])
    show.family(console, report["family"])
    show.needed(console, report["claims"])
    console.print(
        f"\n{show.summary(report['claims'])}; what each verdict means: docs/claims.md", soft_wrap=True
    )
    for path in outputs:
        files.write_json(path, report)
        console.print(f"wrote {path}", soft_wrap=True)
    return 1 if steps.failed else 0


def _measured(real: Measured | None, steps: _Steps, console: Console) -> dict[str, Found]:
    """The three advantages."""
    from squeezenet_mcu.host_tools.claims import export, on_board, training

    found = steps(
        "two workers train a few steps of v1.0",
        ("training-bytes",),
        lambda: {"training-bytes": training.measure()},
    )
    networks: list[Measured] = [] if real is None else [real]

    def converted() -> dict[str, Found]:
        networks.append(measured_network.with_random_weights(console))
        return {}

    if real is None:
        steps("v1.0 is converted", ("memory", "export-bytes", "export-difference-bytes"), converted)
    if not networks:
        return found
    (network,) = networks
    found |= steps(
        f"firmware for {on_board.BOARD}", ("memory",), lambda: {"memory": on_board.measure(network)}
    )
    return found | steps(
        f"two new models to the emulated {export.BOARD}",
        ("export-bytes", "export-difference-bytes"),
        lambda: export.measure(network, console),
    )


def as_json(found: dict[str, Found], failed: dict[str, str], members: list[family.Member]) -> dict[str, Any]:
    """The report. `found` and `failed`, why not, by the id of a claim."""

    def answer(name: str) -> Found:
        return found.get(name) or Found(None, f"it failed: {failed[name]}" if name in failed else "")

    return {
        "format": FORMAT,
        "project": version(),
        "paper": {"title": TITLE, "arxiv": ARXIV, "url": f"https://arxiv.org/abs/{ARXIV}"},
        "claims": [claim.as_json(each, answer(each.id)) for each in CLAIMS],
        "family": family.as_json(members),
    }
