"""What is plugged into this machine: USB devices, serial ports, drives for UF2 files."""

import fnmatch
import os
import string
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

_SYS_USB = Path("/sys/bus/usb/devices")
_MOUNTS = Path("/proc/mounts")
_USB_NODES = Path("/dev/bus/usb")
_UF2_INFO = "INFO_UF2.TXT"  # on the drive of every UF2 boot loader


@dataclass(frozen=True)
class UsbDevice:
    """`id`: "vendor:product", four hexadecimal digits each; `product`: its name, as far as it gives one.

    `node`: the file that programs open to use it; None where there is no such thing.
    """

    id: str
    product: str
    node: Path | None = None

    def matches(self, patterns: Iterable[str]) -> bool:
        """True if one of them is its id ("0483:37*") or in its name ("CMSIS-DAP")."""
        return any(fnmatch.fnmatch(self.id, p) or p.lower() in self.product.lower() for p in patterns)


def usb_devices(folder: Path = _SYS_USB) -> list[UsbDevice] | None:
    """All USB devices; None where this system does not say. `folder`: Linux's, which needs no rights."""
    if folder.is_dir():
        return [_linux_device(path.parent) for path in sorted(folder.glob("*/idVendor"))]
    try:
        import libusb_package  # pyocd brings both
    except ImportError:
        return None
    return [
        UsbDevice(f"{device.idVendor:04x}:{device.idProduct:04x}", _name(device))
        for device in libusb_package.find(find_all=True) or ()
    ]


def _name(device: object) -> str:
    try:
        return getattr(device, "product", None) or ""
    except Exception:  # pyusb's, whatever the system's backend raises: a name we may not read is no name
        return ""


def _linux_device(folder: Path) -> UsbDevice:
    def text(name: str) -> str:
        try:
            return (folder / name).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:  # it has no such text, or has just been unplugged
            return ""

    # The CMSIS-DAP of a second version is found by its interface's name: the product may have any.
    interfaces = sorted(folder.parent.glob(f"{folder.name}:*/interface"))
    names = [text("product"), *(text(f"../{path.parent.name}/{path.name}") for path in interfaces)]
    bus, number = text("busnum"), text("devnum")
    node = _USB_NODES / bus.zfill(3) / number.zfill(3) if bus and number else None
    return UsbDevice(f"{text('idVendor')}:{text('idProduct')}", " ".join(filter(None, names)), node)


def refused(node: Path) -> bool:
    """True if this user may not read and write a device's file."""
    return node.exists() and not os.access(node, os.R_OK | os.W_OK)


def serial_ports() -> dict[str, str]:
    """Device name -> what it says it is."""
    return {port.device: port.description for port in list_ports.comports()}


def serial_ports_of(usb_id: str) -> list[str]:
    """Device names of those on USB with this "vendor:product", sorted."""
    return sorted(
        port.device
        for port in list_ports.comports()
        if port.vid is not None and port.pid is not None and f"{port.vid:04x}:{port.pid:04x}" == usb_id
    )


def uf2_drives(words: Iterable[str] = (), mounts: Iterable[Path] | None = None) -> list[Path]:
    """Mounted drives of UF2 boot loaders. `words`: one of them must be in its INFO_UF2.TXT, if any is given.

    `mounts`: where to look, instead of all that is mounted.
    """
    words = tuple(words)
    found = []
    for mount in mount_points() if mounts is None else mounts:
        if not is_uf2_drive(mount):
            continue
        try:
            info = (mount / _UF2_INFO).read_text(encoding="ascii", errors="replace")
        except OSError:  # has just gone
            continue
        if not words or any(word in info for word in words):
            found.append(mount)
    return found


def is_uf2_drive(mount: Path) -> bool:
    """True while the boot loader shows its drive there.

    What was mounted by hand stays so when the drive has gone, and Linux answers from its cache: then the
    drive's device says it.
    """
    source = Path(_linux_mounts().get(mount, ("", ""))[0])
    if source.is_absolute() and not source.exists():
        return False
    try:
        return (mount / _UF2_INFO).is_file()
    except OSError:
        return False


def mount_points() -> list[Path]:
    """Where drives may be: Linux's mount points, macOS's volumes, Windows' letters."""
    if sys.platform == "win32":
        return [Path(f"{letter}:/") for letter in string.ascii_uppercase[2:]]
    if sys.platform == "darwin":
        return sorted(Path("/Volumes").glob("*"))
    return [mount for mount, (_, kind) in _linux_mounts().items() if kind in ("vfat", "msdos", "exfat")]


def _linux_mounts() -> dict[Path, tuple[str, str]]:
    """Mount point -> its device and its type of file system; empty on other systems."""
    lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines() if _MOUNTS.is_file() else []
    # proc(5): device, mount point, type, ...; a space in a path is \040.
    fields = [line.split() for line in lines]
    return {Path(f[1].replace("\\040", " ")): (f[0], f[2]) for f in fields}
