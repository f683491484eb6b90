"""What pip calls to build the wheel: setuptools, but its scratch files go to a temporary folder.

Left to itself, setuptools leaves build/lib and an egg-info in the checkout. Our models lie in build/, and the
next wheel would get whatever an old build/lib holds, modules that are long gone too.
"""

import tempfile
from collections.abc import Callable
from typing import Any

from setuptools import build_meta

Settings = dict[str, Any] | None


def _apart(hook: Callable[[Settings], Any], settings: Settings) -> Any:
    """`hook` with settings that name a temporary folder for setuptools' commands."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = ["egg_info", "--egg-base", scratch, "build", "--build-base", scratch]
        given = (settings or {}).get("--global-option", [])
        given = [given] if isinstance(given, str) else given
        return hook({**(settings or {}), "--global-option": [*given, *folders]})


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """See PEP 517; as all below. setuptools needs nothing more, and asking it would leave an egg-info."""
    return []


get_requires_for_build_editable = get_requires_for_build_sdist = get_requires_for_build_wheel
prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable


def build_wheel(
    directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    return _apart(lambda s: build_meta.build_wheel(directory, s, metadata_directory), config_settings)


def build_editable(
    directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    return _apart(lambda s: build_meta.build_editable(directory, s, metadata_directory), config_settings)


def build_sdist(directory: str, config_settings: Settings = None) -> str:
    return _apart(lambda s: build_meta.build_sdist(directory, s), config_settings)
