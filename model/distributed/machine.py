"""What a training ran on, for its record: processor, cores, accelerators."""

import os
import platform
from pathlib import Path


def processor(cpuinfo: str) -> str:
    """The processor's name in the text of Linux's /proc/cpuinfo; "" where it has none."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model"):
            return " ".join(value.replace("(R)", "").replace("(TM)", "").split())
    return ""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> str:
    """Like "2 cores of Intel Xeon Processor @ 2.50GHz"; with TensorFlow's accelerators, where it has any."""
    from squeezenet_mcu.common.tf import tf

    try:
        name = processor(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:  # not Linux
        name = ""
    parts = [f"{cores()} cores of {name or platform.processor() or platform.machine()}"]
    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        parts.append(details.get("device_name", "a GPU"))
    return ", ".join(parts)
