"""The files of a class that are kept for testing are those that docs/data.md says."""

import numpy as np
from PIL import Image

from squeezenet_mcu.common.data import sources

# In the order of their paths: capitals first, "10" before "2", a folder's files where its name stands.
SORTED = (
    "Z.png", "a.png", "more/a.png", "more/b.JPG", "n10.png", "n2.png", "x.png", "y.png", "z.png", "za.png",
)  # fmt: skip


def test_every_fifth_of_the_paths(tmp_path):
    for number, name in enumerate(SORTED):
        path = tmp_path / "cat" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = "JPEG" if path.suffix == ".JPG" else "PNG"
        Image.fromarray(np.full((8, 8), 20 * number, np.uint8)).save(path, kind)
    (tmp_path / "cat" / "x.png").write_bytes(b"cannot be read, and is counted")
    for not_counted in (".hidden.png", "b.txt", "c.svg"):
        (tmp_path / "cat" / not_counted).write_bytes(b"")
    (tmp_path / "dog").mkdir()
    for number in range(5):
        Image.fromarray(np.full((8, 8), 250, np.uint8)).save(tmp_path / "dog" / f"{number}.png")
    test = sources.load(str(tmp_path), "test", 8, 8, 1)
    assert test.labels == ["cat", "dog"]
    assert test.x[:, 0, 0, 0].tolist() == [20 * SORTED.index("n10.png"), 20 * SORTED.index("za.png"), 250]
