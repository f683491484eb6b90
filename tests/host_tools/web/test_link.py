"""The page's side of the link in Node.js, with boards that lie: it ends, whatever they say."""

import pytest

from tests.host_tools.liars import lying_board
from tests.host_tools.liars.link_lies import LIES
from tests.host_tools.web import in_node

# In place of the constants of link.js: a test does not wait ten minutes.
_PATIENCE = {
    "OPEN_MS = 7000": "OPEN_MS = 1500", "SILENCE_MS = 30000": "SILENCE_MS = 2000",
    "NO_PROGRESS_MS = 6000": "NO_PROGRESS_MS = 1000", "IMAGE_MS = 600000": "IMAGE_MS = 3000",
}  # fmt: skip
_RUN = """
const socket = require("net").connect(PORT, "127.0.0.1");
const line = {
  write: (bytes) => new Promise((resolve) => socket.write(bytes, resolve)),
  close: async () => socket.destroy(),
};
socket.on("data", (bytes) => line.onBytes(bytes));
socket.on("close", () => line.onEnd(new Error("gone")));
socket.on("connect", async () => {
  let images = 0;
  let said = "exact";
  try {
    const board = new Board(line);
    await board.hello();
    for (; images < 3; ++images) await board.infer(Int8Array.from({ length: 12 }, (_, i) => i * images));
  } catch (error) {
    said = error.message;
  }
  console.log(JSON.stringify({ images, said }));
  process.exit(0);
});
"""


@pytest.mark.parametrize(
    ("lie", "images", "said"),
    [
        ("a window of 4 GB", 3, "exact"),
        ("reset, same again", 3, "exact"),
        ("back and forth", 0, "the board answers, but the image is not done after 3 s; reset it"),
        ("reset, fewer classes", 1, "the board was reset and now runs another model; connect again"),
        (
            "FAULT at ROWS",
            0,
            "the board's program has faulted: FAULT exception=00000003 pc=08001234 lr=08005679 sp=20000700",
        ),
    ],
)
def test_a_board_that_lies(lie, images, said, tmp_path):
    told = LIES[lie]
    with lying_board.speaking(lying_board.conversation(told.board(), told.says, told.first())) as url:
        script = f'globalThis.crypto ??= require("crypto").webcrypto;\n{_RUN}'
        port = url.rpartition(":")[2]
        found = in_node.run(script.replace("PORT", port), tmp_path, "frames.js", "link.js", changed=_PATIENCE)
    assert found == {"images": images, "said": said}
