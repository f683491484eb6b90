"""The host's side of the cable: link, device client, emulators, firmware build, validation."""
