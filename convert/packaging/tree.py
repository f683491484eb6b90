"""A package's files on the disk: as a folder, and as a zip that comes out the same every time."""

import io
import shutil
import tempfile
import zipfile
from pathlib import Path

from squeezenet_mcu.common import files

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's first moment


def write_folder(folder: Path, content: dict[str, bytes]) -> None:
    """Replaces `folder`, older files and all, by one with `content`: path within -> bytes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
        made = Path(place) / folder.name
        for name, data in content.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        shutil.rmtree(folder, ignore_errors=True)
        made.replace(folder)


def write_zip(path: Path, top: str, content: dict[str, bytes]) -> None:
    """Writes a zip of `content` under the folder `top`: sorted, without time and owner, so reproducible."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(f"{top}/{name}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, so that the mode counts
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content[name])
    files.write_bytes(path, stream.getvalue())
