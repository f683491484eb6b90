"""What a record says of the machine."""

import os

from squeezenet_mcu.model.distributed import machine


def test_processor():
    x86 = (
        "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz\nflags : fpu\n"
    )
    assert machine.processor(x86) == "Intel Xeon Gold 6130 CPU @ 2.10GHz"
    pi = "processor\t: 0\nBogoMIPS\t: 108.00\n\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
    assert machine.processor(pi) == "Raspberry Pi 5 Model B Rev 1.0"
    assert machine.processor("processor\t: 0\n") == machine.processor("") == ""


def test_describe():
    text = machine.describe()
    assert text.startswith(f"{len(os.sched_getaffinity(0))} cores of ")
