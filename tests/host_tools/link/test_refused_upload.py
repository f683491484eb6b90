"""What a user reads who has given other settings than the firmware was made with."""

from squeezenet_mcu.host_tools.link.upload import kernels, refusals
from squeezenet_mcu.host_tools.link.upload_messages import UploadReason, UploadState, UploadStatus


def test_lacking_kernels_name_the_settings():
    seen, wanted = kernels.word(["winograd"], 0), kernels.word(["gemm"], 0)
    status = UploadStatus(1, UploadState.REFUSED, UploadReason.KERNELS, 0, seen, wanted)
    said = str(refusals.refused("x", status))
    assert "lacks kernels of the new one: winograd; it has gemm; give the FLASH_BYTES=, " in said
    assert "make flash UPDATE=1" in said
