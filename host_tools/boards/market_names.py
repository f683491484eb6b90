"""What shops and forums call boards, for who types that as BOARD=."""

# Compared without regard to case, hyphens, underscores and blanks.
ALIASES = {
    "pico": "rp2040",
    "pico w": "rp2040",
    "pico1": "rp2040",
    "raspberry pi pico": "rp2040",
    "rpi pico": "rp2040",
    "rp2350": "pico2",
    "pico 2 w": "pico2",
    "raspberry pi pico 2": "pico2",
    "stm32f407": "stm32f405",
    "stm32f4": "stm32f405",
    "stm32f4 discovery": "stm32f405",
    "feather": "feather_f405",
    "feather stm32f405": "feather_f405",
    "adafruit feather": "feather_f405",
    "nano33": "nano33ble",
    "nano 33 ble sense": "nano33ble",
    "arduino nano 33 ble": "nano33ble",
    "nrf52840": "nano33ble",
    "f446re": "nucleo_f446re",
    "stm32f446": "nucleo_f446re",
    "stm32f446re": "nucleo_f446re",
    "nucleo64": "nucleo_f446re",
    "h743zi": "nucleo_h743zi",
    "stm32h743": "nucleo_h743zi",
    "nucleo144": "nucleo_h743zi",
    "an386": "mps2_an386",
    "an500": "mps2_an500",
    "an505": "mps2_an505",
    "an521": "mps2_an521",
    "an547": "mps3_an547",
    "riscv": "riscv_virt",
    "riscv32": "riscv_virt",
}

_PORT = "docs/porting.md says how to add it"
_XTENSA = "an Xtensa CPU, for which there is no compiler here"
_BLUE = f"its STM32F103 is a Cortex-M3 with 20 KB of SRAM; {_PORT}"
_BLACK = f"its CPU is a Cortex-M4F; {_PORT}"
NOT_HERE = {
    "bluepill": _BLUE,
    "stm32f103": _BLUE,
    "blackpill": _BLACK,
    "stm32f411": _BLACK,
    "microbit": _BLACK,
    "nrf52833": _BLACK,
    "teensy": f"its CPU is a Cortex-M7; {_PORT}",
    "esp32": _XTENSA,
    "esp32s2": _XTENSA,
    "esp32s3": _XTENSA,
    "esp8266": _XTENSA,
    "esp32c3": f"its CPU is a RISC-V; {_PORT}",
    "uno": "its ATmega328P has 2 KB of SRAM, too little for any network here",
    "arduino uno": "its ATmega328P has 2 KB of SRAM, too little for any network here",
}
"""Boards that people ask for that have no folder here; in small letters, without hyphens and underscores."""
