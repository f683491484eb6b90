"""The host's end of the serial link, as docs/link.md describes it. It needs pyserial only."""
