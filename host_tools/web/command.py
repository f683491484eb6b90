"""`python -m host_tools web`: the network in one static page, by the engine compiled to WebAssembly."""

import argparse

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import printable
from squeezenet_mcu.host_tools.classify.runners import engine_model
from squeezenet_mcu.host_tools.validate.inputs import load_artefacts
from squeezenet_mcu.host_tools.web import example, page, wasm
from squeezenet_mcu.model.settings import config

NAME = "web"
HELP = "the network in one static page, which runs it in a browser and compares it with a board"
EXAMPLES = "  python -m host_tools web --model digits"
MOST_CHANNELS = 4
"""Of a network that a page can show pictures to: gray, RGB, RGBA."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    artefacts = load_artefacts(config.name_of(args.model))
    manifest, model = artefacts.manifest, engine_model(artefacts)
    if model is None:
        raise UserError(
            f"{artefacts.model} was converted for TFLite Micro alone (ENGINE=tflm): our engine has no model; "
            f"run: make convert MODEL={artefacts.model}"
        )
    channels = manifest["input"]["channels"]
    if channels not in (1, 3, MOST_CHANNELS):
        raise UserError(
            f"{artefacts.model} takes images of {channels} channels, which no picture has; want a network of "
            "1, 3 or 4"
        )
    engine = wasm.build().read_bytes()
    path = artefacts.folder / "web" / "index.html"
    content = page.html_of(manifest, model, engine, example.load(artefacts)).encode()
    files.write_bytes(path, content)
    terminal.echo(
        f"wrote {printable(str(path))}: {len(content):,} bytes, the model {page.base64_bytes(model):,}, "
        f"the engine {page.base64_bytes(engine):,} of them"
    )
    terminal.echo(
        "Open it in a browser, from disk or from any web server. It asks for nothing from the network."
    )
    return 0
