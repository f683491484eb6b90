"""The models that somebody who mistyped MODEL= may have meant."""

from pathlib import Path

from squeezenet_mcu.common.command_line.nearest import did_you_mean
from squeezenet_mcu.common.paths import BUILD, CONFIGS


def did_you_mean_model(typed: str | Path) -> str:
    """ "; did you mean digits?", to follow what is wrong with `typed`, a name or the path of a TOML; or "".

    The models that there are: those that come with the project, those in build/, and TOMLs beside `typed`.
    """
    path = Path(typed)
    names = {toml.stem for toml in CONFIGS.glob("*.toml")}
    names |= {manifest.parent.name for manifest in BUILD.glob("*/manifest.json")}
    tomls = {str(toml) for toml in path.parent.glob("*.toml")} - {"pyproject.toml"}
    if path.suffix == ".toml":  # a path was meant, or a shipped model by a TOML that is not there
        return did_you_mean(str(path), tomls) or did_you_mean(path.stem, names)
    return did_you_mean(str(typed), names) or did_you_mean(f"{typed}.toml", tomls)
