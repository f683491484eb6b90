"""A stand-in of navigator.serial: its port is a line of Python's, an emulated board's or a lying one's."""

import base64

from squeezenet_mcu.host_tools.link.transport import Transport
from tests.browser.chromium import Page

_STAND_IN = """
(() => {
  let feed = null;
  const port = {
    readable: null,
    writable: null,
    async open(options) {
      if (options.baudRate !== 115200) throw new Error("another baud rate");
      if (port.readable || port.writable) {
        throw new DOMException("The port is already open.", "InvalidStateError");
      }
      port.readable = new ReadableStream({ start: (controller) => { feed = controller; } });
      port.writable = new WritableStream({
        write: (bytes) => window.serialWrite(btoa(String.fromCharCode(...bytes))),
      });
    },
    async setSignals() {},
    async close() {
      if (port.readable?.locked || port.writable.locked) throw new TypeError("a stream is in use");
      port.readable = port.writable = null;
    },
  };
  window.serialFeed = (text) => feed.enqueue(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
  window.serialUnplug = () => {
    const stream = feed;
    port.readable = null;
    stream.error(new DOMException("The device has been lost.", "NetworkError"));
  };
  Object.defineProperty(navigator, "serial", {
    value: { requestPort: async () => port },
    configurable: true,
  });
})();
"""


class Cable:
    """Between `page`, which is opened after this, and a line."""

    def __init__(self, page: Page, line: Transport) -> None:
        self._page, self._line = page, line
        page.before_scripts(_STAND_IN)
        page.bind("serialWrite", lambda text: self._line.write(base64.b64decode(text)))

    def carry(self) -> None:
        """What the board has said since, to the page."""
        if data := self._line.read(0.01):
            self._page.evaluate(f"serialFeed({base64.b64encode(data).decode()!r})")

    def wait(self, expression: str, seconds: float = 60) -> None:
        """Until the expression holds in the page; what the board says meanwhile reaches it."""
        self._page.wait(expression, seconds, self.carry)
