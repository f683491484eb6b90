"""A second result beside the first: a copy of a model's TOML under another name, in build/<name>/.

config.load finds it there, so that the name is a model's, for every verb.
"""

import re
from pathlib import Path

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.settings import config, naming

_OF = re.compile(r"# MODEL=([^\n]*) under a name of its own, by NAME=; yours to change\.\n")
_MOST = 1 << 16  # bytes, as of every TOML
_NAME_LINE = re.compile(r"^[ \t]*name[ \t]*=[^\n]*$", re.MULTILINE)


def model_of(model: str, name: str | None) -> str:
    """The model that --model and --name mean: `name`, whose TOML is made if there is none; without, `model`.

    UserError: `name` is no name, is that of a model that comes with the project, or of something else that is
    in build/.
    """
    if name is None:
        return model
    if not naming.is_name(name):
        raise UserError(f'--name "{name}": want {naming.NAMES}')
    if name in config.names():
        raise UserError(f"--name {name}: is the name of a model that comes with the project; want another")
    settings = config.load(model)
    if settings.name == name:
        return model
    path = naming.toml_of(name)
    if not path.is_file():
        _check_free(path.parent, name)
        _write(settings, path)
        said = f"{path}: {settings.name}'s settings; from now on, {name} is a model: MODEL={name}"
        terminal.echo(as_typed(said))
        return name
    text = files.read_input(path, _MOST, "want a model's TOML").decode(errors="replace")
    made_of = _OF.match(text)
    if made_of is None or made_of[1] != settings.name:
        was = made_of[1] if made_of else "another model"
        raise UserError(
            f"--name {name}: {path} was made of {was}, not of {settings.name}; want another name, or leave "
            f"--name out and train --model {name}"
        )
    return name


def _check_free(folder: Path, name: str) -> None:
    """UserError where `folder` holds the result of a model whose TOML is elsewhere, or of another file."""
    if name in naming.TAKEN:
        raise UserError(f"--name {name}: {folder} is no model's, but the project's own; want another name")
    taken = next((path.name for path in sorted(folder.glob("*")) if path.suffix in (".json", ".keras")), None)
    if taken:
        raise UserError(
            f"--name {name}: {folder / taken} is another model's result; want another name, or "
            f"remove {folder}"
        )


def _write(settings: config.Config, path: Path) -> None:
    """Writes the TOML of `settings` to `path`, with the name that the file has."""
    text = settings.path.read_text(encoding="utf-8")
    renamed, count = _NAME_LINE.subn(f'name = "{path.stem}"', text, count=1)
    if not count:
        raise UserError(f'{settings.path}: no line name = "{settings.name}" to copy; want one')
    of = f"# MODEL={settings.name} under a name of its own, by NAME=; yours to change.\n"
    files.write_text(path, of + renamed)
    try:
        config.load(path)
    except UserError:
        path.unlink(missing_ok=True)  # the line was within a table, or within quotes
        raise
