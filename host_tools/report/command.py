"""`python -m host_tools report`: one page about a model, and the figures in it as JSON."""

import argparse
import json
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.report import content, evidence, page
from squeezenet_mcu.host_tools.report.sections import claims
from squeezenet_mcu.model.settings import config

NAME = "report"
HELP = "one page about a model: proof, memory, flash, layers, mistakes, and the same figures as JSON"
EXAMPLES = """\
  python -m host_tools report --model digits
  python -m host_tools report --model gtsrb --data my_signs/ --board rp2040
It writes build/<model>/report/report.html, one file that needs no network, and report.json beside it.
What a command has not measured yet is said there, with the command."""

FOLDER = "report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME|TOML", help="that is converted (digits)")
    parser.add_argument("--board", default="stm32f405", metavar="NAME", help="(stm32f405)")
    parser.add_argument("--data", metavar="SOURCE", help="folder, .npz or name of images (the model's own)")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="at most N of their test images (up to 1,000: some 20 seconds)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    if args.limit is not None and args.limit < 1:
        raise UserError(f"--limit {args.limit}: want at least 1 image")
    console = Console()
    board = board_toml.load(args.board)
    model = BUILD / config.name_of(args.model)
    if args.json:
        read = [model / evidence.VALIDATED, model / evidence.PROFILE, claims.FILE]
        files.outputs(args.json, inputs=read)
    folder = model / FOLDER
    files.check_folder(folder)
    found = evidence.of(args.model, board, args.data, args.limit)
    written = files.as_json(content.gather(found))
    report = json.loads(written)  # the page has what others read there, and nothing else
    outputs = {"report.html": page.render(report).encode(), "report.json": written}
    files.write_together(folder, outputs, record="report.json")
    for path in (folder / "report.html", folder / "report.json"):
        console.print(f"wrote {path}", soft_wrap=True)
    if args.json:
        files.write_json(args.json, report)
        console.print(f"wrote {args.json}", soft_wrap=True)
    return 0
