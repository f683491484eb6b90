"""What can go wrong between host and device, a class each, so that a program can tell the cases apart.

Every message is one line for a user, as that of any UserError.
"""

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.link.faults import Fault


class LinkError(UserError):
    """Any trouble between this host and the device."""


class PortError(LinkError):
    """The port cannot be opened, or went away: a wrong name, no permission, in use, unplugged."""


class LinkTimeoutError(LinkError):
    """The device does not answer, takes no bytes, or makes no progress."""


class DamagedError(LinkError):
    """Bytes arrive, but no message of this link, or none that can be true.

    A wrong baud rate, other firmware, a line that echoes, a device that lies.
    """


class VersionError(LinkError):
    """The device speaks another version of the link."""


class RefusedError(LinkError):
    """The device understood a request and refused it, or its engine failed on the image."""


class UploadRefusedError(RefusedError):
    """The device does not take a new model, and goes on with its own. `reason`: why, an UploadReason."""

    def __init__(self, message: str, reason: int) -> None:
        super().__init__(message)
        self.reason = reason


class ResetError(LinkError):
    """The device was reset too often during one image, or is another one since a reset."""


class FaultError(LinkError):
    """The device's program has faulted. The board restarts by itself, where it can.

    `fault`: its registers; `where`: the function, for those who know the firmware's ELF.
    """

    def __init__(self, who: str, fault: Fault, where: str = "", cause: str = "") -> None:
        """`who`: the line's name; `cause`: in words, for those who know better than the registers tell."""
        place = f" in {where}" if where else "" if fault.pc is None else f" at 0x{fault.pc:08x}"
        super().__init__(
            f"{who}: the firmware faulted{place}: {cause or fault.cause}; the board restarts by itself; "
            "try again, and report what it says if it comes back"
        )
        self.who = who
        self.fault = fault
