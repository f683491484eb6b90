"""The one version number of the project: pyproject.toml's, as installed."""

from importlib import metadata

from squeezenet_mcu.common.paths import ROOT

DISTRIBUTION = "squeezenet-mcu"


def version() -> str:
    """The version, like "0.2.0"."""
    return metadata.version(DISTRIBUTION)


def license_text() -> bytes:
    """The project's license, for what is made to be passed on."""
    own = ROOT / "LICENSE"
    if own.is_file():
        return own.read_bytes()
    installed = metadata.distribution(DISTRIBUTION).read_text("licenses/LICENSE")
    assert installed is not None, "pyproject.toml names the file, so the wheel holds it"
    return installed.encode()
