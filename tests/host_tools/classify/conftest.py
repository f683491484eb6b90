"""For the tests of the command: those of validate, which has the same boards and the same artefacts."""

from tests.host_tools.validate.conftest import build, same_model, url

__all__ = ["build", "same_model", "url"]
