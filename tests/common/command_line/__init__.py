"""Of squeezenet_mcu.common.command_line."""
