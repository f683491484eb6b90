"""Programs and Python packages that the project calls, and what to say where one is missing."""

import os
import shutil
import sys

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.version import requirement


class MissingPackageError(UserError):
    """A Python package that this command needs is not installed."""

    def __init__(self, package: str, extra: str = "full") -> None:
        """`extra`: the one of pyproject.toml that brings it."""
        super().__init__(
            f"needs the Python package {package}, which is not installed; "
            f"run: pip install '{requirement(extra)}'"
        )
        self.package = package


def missing_package(error: ModuleNotFoundError, extra: str = "full") -> MissingPackageError:
    """The user's error for an import that failed; raises `error` again where it is a module of our own."""
    package = (error.name or "").partition(".")[0]
    if not package or package == "squeezenet_mcu":
        raise error
    return MissingPackageError(package, extra)


_WHILE_OURS = 'test "$PPID" = "$1" && shift && exec "$@"'


def ending_with_us(command: list[str]) -> list[str]:
    """`command` so that its program ends when this one does, even by SIGKILL (on Linux; else as it is).

    Who is killed so cannot tidy up; the kernel does it (prctl(2), PR_SET_PDEATHSIG). It tells of no death
    before it was asked to: so the shell looks, after that, whether its parent is still this process, and
    only then becomes the program.
    """
    starter = shutil.which("setpriv") if sys.platform == "linux" else None
    if not starter:
        return command
    return [starter, "--pdeathsig", "KILL", "--", "sh", "-c", _WHILE_OURS, "sh", str(os.getpid()), *command]


def missing_program(program: str, package: str) -> UserError:
    """The user's error for a program that is not on PATH. `package`: Debian's, that has it."""
    if sys.platform.startswith("linux"):
        return UserError(f"{program} is not installed; run: sudo apt-get install {package}")
    windows = "; on Windows, WSL has them all" if sys.platform == "win32" else ""
    return UserError(
        f"{program} is not installed; install it so that it is on PATH (Debian's package: {package}{windows})"
    )
