"""Zip files that people bring: opened within limits."""

import io
import zipfile
from pathlib import Path

_MOST_DIRECTORY = 1 << 20  # bytes of the list of members; 26 arrays of weights take 2 KB
# Those that Keras and numpy write; others unpack whole blocks at once, however little is asked for.
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _Bounded(io.BufferedReader):
    """A file that refuses to be read in large pieces while `opening`."""

    opening = True

    def read(self, size: int | None = -1, /) -> bytes:
        if self.opening and size is not None and size > _MOST_DIRECTORY:
            raise ValueError(f"its list of members has {size:,} bytes; want at most {_MOST_DIRECTORY:,}")
        return super().read(size)


class _Zip(zipfile.ZipFile):
    """Closes the file that it was opened with."""

    _file: _Bounded | None = None

    def close(self) -> None:
        super().close()
        if self._file is not None:
            self._file.close()


def opened(source: Path | bytes) -> zipfile.ZipFile:
    """The zip in a file, or in bytes, for reading.

    What zipfile raises, or ValueError: its list of members would take much memory, or a member is packed in
    another way than stored or deflated.
    """
    raw = io.BytesIO(source) if isinstance(source, bytes) else io.FileIO(source)
    file = _Bounded(raw)
    try:
        archive = _Zip(file)
        archive._file = file
        file.opening = False
        for member in archive.infolist():
            if member.compress_type not in _KINDS:
                raise ValueError(f"a member is packed by method {member.compress_type}; want it deflated")
    except BaseException:
        file.close()
        raise
    return archive
