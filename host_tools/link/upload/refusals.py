"""Why a device does not take a model, in one line that says what to do."""

from squeezenet_mcu.convert.verify.engine_status import describe
from squeezenet_mcu.host_tools.link.errors import UploadRefusedError
from squeezenet_mcu.host_tools.link.upload.kernels import names_of
from squeezenet_mcu.host_tools.link.upload_messages import UploadReason, UploadStatus

_FLASH = "flash firmware of the new model (make flash UPDATE=1)"
_AGAIN = "upload it again"


def _pair(value: int) -> str:
    return f"{value >> 16} x {value & 0xFFFF}"


def refused(who: str, status: UploadStatus) -> UploadRefusedError:
    """The error for a refusal by `who`, the device's port."""
    return UploadRefusedError(f"{who}: the device keeps its model: {_why(status)}", status.reason)


def _why(status: UploadStatus) -> str:
    seen, wanted = status.seen, status.wanted
    missing = names_of(seen)
    words = {
        UploadReason.TOO_LARGE: f"the new one has {seen:,} bytes, a slot {wanted:,}; make it smaller "
        "(OPTIMIZE=flash)",
        UploadReason.OLDER: f"the new one's counter {seen:,} is below {wanted:,}, so it is older; sign it "
        "anew if you mean it (FRESH=1)",
        UploadReason.MANIFEST: f"its description has version {seen}, the device wants {wanted}; {_FLASH}",
        UploadReason.FORMAT: f"the new one has version {seen} of the engine's format, the device wants "
        f"{wanted}; {_FLASH}",
        UploadReason.SIZE: f"the new one's input is {_pair(seen)} pixels, the device's {_pair(wanted)}; "
        f"{_FLASH}",
        UploadReason.CHANNELS: f"the new one has {seen >> 16} channels and {seen & 0xFFFF} classes, the "
        f"device wants {wanted >> 16} and {wanted & 0xFFFF}; {_FLASH}",
        UploadReason.ARENA: f"the new one needs an arena of {seen:,} bytes, the device has {wanted:,}; make "
        f"it leaner (SRAM_BYTES={wanted})",
        UploadReason.KERNELS: "its firmware lacks kernels of the new one: "
        f"{', '.join(missing)}; it has {', '.join(names_of(wanted))}; give the FLASH_BYTES=, "
        f"OPTIMIZE=, ENCODING= that it was made with (its model's TOML may have flash_bytes), or {_FLASH}",
        UploadReason.SIGNATURE: "the new one is not signed by the key that its firmware trusts; want KEY= "
        "with the private key that belongs to it",
        UploadReason.NOT_BEGUN: f"no upload is under way; {_AGAIN}",
        UploadReason.INCOMPLETE: f"{seen:,} of {wanted:,} bytes have arrived; {_AGAIN}",
        UploadReason.TOO_MUCH: f"{seen:,} bytes were sent, {wanted:,} announced; {_AGAIN}",
        UploadReason.WRONG_SHA: "what has arrived has another SHA-256 than was announced; " + _AGAIN,
        UploadReason.MODEL: f"its engine refuses the new one: {describe(seen)}; {_FLASH}",
        UploadReason.ANSWER: f"the new one gives a wrong answer there (CRC-32 {seen:08x}, want "
        f"{wanted:08x}); {_FLASH}",
        UploadReason.FLASH: f"its flash reports an error; {_AGAIN}, and replace the board if that fails, too",
        UploadReason.NO_SLOTS: "its board has no slots for models; docs/update.md says which boards have",
        UploadReason.OTHER_MODEL: f"the new one is not the model that was announced; {_AGAIN}",
        UploadReason.UNCONFIRMED: "the model that it runs has not answered yet; reset it, then try again",
    }  # fmt: skip
    return words.get(status.reason, f"reason {status.reason}")
