"""The three command lines, `python -m model`, `-m convert` and `-m host_tools`, and all verbs in one.

A command's module is imported when its verb is typed, and all of them only for --help: a light host has no
TensorFlow, and the verbs that need what it lacks must not be in the way of the others.
"""

import importlib
import sys
from collections.abc import Sequence

from squeezenet_mcu.common import cli
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.programs import MissingPackageError, missing_package

_MODEL = {
    "train": "model.commands.train",
    "prune": "model.commands.prune",
    "cluster": "model.commands.cluster",
    "quantize": "model.commands.quantize",
    "preview": "model.commands.preview",
    "import": "model.commands.import_weights",
    "weights": "model.commands.weights",
    "evaluate": "host_tools.studies.evaluate",
    "info": "model.commands.info",
    "search": "host_tools.studies.search.command",
    "curves": "model.card.curves",
    "ship": "model.card.publish",
    "card": "model.card.card",
}
_CONVERT = {"convert": "convert.command"}
_HOST_TOOLS = {
    "analyze": "host_tools.analyze.command",
    "bench": "host_tools.bench",
    "boards": "host_tools.studies.board_table",
    "claims": "host_tools.claims.command",
    "classify": "host_tools.classify.command",
    "compare": "host_tools.compare.command",
    "completion": "host_tools.completion",
    "demo": "host_tools.validate.demo",
    "firmware": "host_tools.firmware.build",
    "flash": "host_tools.firmware.flash",
    "key": "host_tools.signing.keys",
    "profile": "host_tools.profile.command",
    "report": "host_tools.report.command",
    "report-hardware": "host_tools.hardware.command",
    "selftest": "host_tools.selftest.command",
    "simulate": "host_tools.emulate.simulate",
    "link_speed": "host_tools.studies.link_speed",
    "live": "host_tools.live.command",
    "sizes": "host_tools.studies.sizes",
    "summary": "host_tools.summary.command",
    "upload": "host_tools.upload.command",
    "validate": "host_tools.validate.command",
    "web": "host_tools.web.command",
}
_DOORS = {"python -m model": _MODEL, "python -m convert": _CONVERT, "python -m host_tools": _HOST_TOOLS}
_LIGHT = {
    "analyze", "classify", "completion", "flash", "live", "profile", "report-hardware", "selftest",
    "validate",
}  # fmt: skip
"""What `pip install .[host]` is enough for; all else needs [full]."""


def _load(verb: str, module: str) -> cli.Command:
    """The command of a verb. MissingPackageError: its module needs a package that is not installed."""
    try:
        return importlib.import_module(f"squeezenet_mcu.{module}")
    except ModuleNotFoundError as error:
        raise missing_package(error, "host" if verb in _LIGHT else "full") from error


def _listed(verbs: dict[str, str]) -> tuple[list[cli.Command], list[str]]:
    """The commands that can be imported here, for --help; and a line for each of the others."""
    commands, missing = [], []
    for verb, module in verbs.items():
        try:
            commands.append(_load(verb, module))
        except MissingPackageError as error:
            missing.append(f"  {verb}: {error}")
    return commands, missing


def commands() -> list[cli.Command]:
    """Those of the console command that can be used here."""
    return _listed(_MODEL | _CONVERT | _HOST_TOOLS)[0]


def _main(prog: str, description: str, verbs: dict[str, str], argv: Sequence[str] | None) -> int:
    given = sys.argv[1:] if argv is None else list(argv)
    verb = given[0] if given else ""
    if verb in verbs:
        try:
            return cli.main(prog, description, [_load(verb, verbs[verb])], given)
        except MissingPackageError as error:
            return cli.failed(error, f"{prog} {verb}")
    for door, others in _DOORS.items():
        if verb in others and verb not in verbs:
            whole = door if door.endswith(verb) else f"{door} {verb}"
            return cli.failed(UserError(f"{verb} is a verb of {door}; run: {whole} --help"), prog)
    commands, missing = ([], []) if verb == "--version" else _listed(verbs)
    epilog = "\n".join(["not usable here:", *missing]) if missing else None
    return cli.main(prog, description, commands, given, epilog)


def model(argv: Sequence[str] | None = None) -> int:
    """`python -m model`; returns the exit status."""
    return _main("python -m model", "Train and compress a SqueezeNet.", _MODEL, argv)


def host_tools(argv: Sequence[str] | None = None) -> int:
    """`python -m host_tools`; returns the exit status."""
    return _main("python -m host_tools", "The host's side of a board.", _HOST_TOOLS, argv)


def main(argv: Sequence[str] | None = None) -> int:
    """`squeezenet-mcu`: every verb; returns the exit status."""
    return _main(
        "squeezenet-mcu",
        "Take a SqueezeNet from Keras to a development board, and prove that it gives the same answers.",
        _MODEL | _CONVERT | _HOST_TOOLS,
        argv,
    )
