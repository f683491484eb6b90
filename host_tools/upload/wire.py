"""Counts what travels on a line, both ways."""

from squeezenet_mcu.host_tools.link.transport import SerialTransport, Transport


class Counted:
    """A Transport that counts its bytes."""

    def __init__(self, line: Transport) -> None:
        self._line = line
        self.name = line.name
        self.sent = 0
        self.received = 0

    @property
    def total(self) -> int:
        """Bytes in both directions."""
        return self.sent + self.received

    def read(self, timeout: float) -> bytes:
        """See Transport."""
        data = self._line.read(timeout)
        self.received += len(data)
        return data

    def write(self, data: bytes) -> None:
        """See Transport."""
        self.sent += len(data)
        self._line.write(data)

    def close(self) -> None:
        """See Transport."""
        self._line.close()

    def reopen(self) -> None:
        """Of a serial port: see there."""
        if isinstance(self._line, SerialTransport):
            self._line.reopen()
