"""The one version number of the project, pyproject.toml's, and what else the installed package tells."""

import json
import tomllib
from importlib import metadata
from urllib.parse import urlparse
from urllib.request import url2pathname

from squeezenet_mcu.common.paths import ROOT

DISTRIBUTION = "squeezenet-mcu"


def version() -> str:
    """The version, like "0.2.0"."""
    source = ROOT / "pyproject.toml"
    if source.is_file():  # a checkout: what was installed from it may be older
        found: str = tomllib.loads(source.read_text(encoding="utf-8"))["project"]["version"]
        return found
    return metadata.version(DISTRIBUTION)


def requirement(extra: str) -> str:
    """What `pip install` takes to add an extra: of a package from a checkout, that checkout's path."""
    place = DISTRIBUTION
    try:
        origin = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        return f"{ROOT}[{extra}]"
    url = urlparse(json.loads(origin)["url"]) if origin else None
    if url and url.scheme == "file" and not url.path.endswith(".whl"):
        place = url2pathname(url.path)
    return f"{place}[{extra}]"


def license_text() -> bytes:
    """The project's license, for what is made to be passed on."""
    own = ROOT / "LICENSE"
    if own.is_file():
        return own.read_bytes()
    installed = metadata.distribution(DISTRIBUTION).read_text("licenses/LICENSE")
    assert installed is not None, "pyproject.toml names the file, so the wheel holds it"
    return installed.encode()
