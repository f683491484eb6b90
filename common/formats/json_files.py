"""JSON that was written before, here or elsewhere, is read back by type and range: mistakes are one line."""

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import msgspec
from msgspec import Meta

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError

T = TypeVar("T")

MOST_BYTES = 16 << 20  # of a file: a record with the confusion of 1,000 classes; the shipped ones have 70 KB
_MOST_PARTS = 200_000  # lists and tables, which take thirty times the memory of their two bytes
_MOST = 1 << 48

Count = Annotated[int, Meta(ge=0, le=_MOST)]
Positive = Annotated[int, Meta(ge=1, le=_MOST)]
Share = Annotated[float, Meta(ge=0, le=1)]
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Int8 = Annotated[int, Meta(ge=-128, le=127)]
ClassName = Annotated[str, Meta(max_length=4096, pattern=r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z")]
Scale = Annotated[float, Meta(gt=0, le=3.4e38)]  # a positive float32


def one_of(*names: str) -> Meta:
    """For Annotated[str, ...]: one of these."""
    return Meta(pattern=rf"\A({'|'.join(names)})\Z")


def decode(data: bytes, kind: type[T], where: object, fix: str) -> T:
    """The JSON text `data` as `kind`: a TypedDict, a dict or list of such, with the ranges of its Meta.

    Keys that `kind` does not name stay as they are. UserError, of one line that begins with `where` and ends
    with `fix`: not JSON, a value of another type or out of its range, a key that is missing.
    """
    parts = data.count(b"[") + data.count(b"{")
    if parts > _MOST_PARTS:
        raise UserError(f"{where}: {parts:,} lists and tables; want at most {_MOST_PARTS:,}; {fix}")
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}; {fix}") from error
    check(found, kind, where, fix)
    return cast(T, found)


def check(found: Any, kind: Any, where: object, fix: str) -> Any:
    """`found`, of JSON's or TOML's types, as msgspec makes it a `kind`. UserError: see decode."""
    try:
        return msgspec.convert(found, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UserError(f"{where}: {_explained(str(error), found)}; {fix}") from error


def read(path: Path, kind: type[T], fix: str) -> T:
    """The JSON file `path` as `kind`; see decode. UserError where it is missing, too, or no ordinary file."""
    if not path.exists():
        raise UserError(f"{path}: missing; {fix}")
    return decode(files.read_input(path, MOST_BYTES, fix), kind, path, fix)


def _explained(said: str, found: Any) -> str:
    """msgspec's message with the place first, and with the value that is there where that is plain."""
    message, _, place = said.partition(" - at ")
    place = place.strip("`")
    wanted = re.sub(r", got .*", "", message).replace("`", "").replace("Expected", "want")
    if "x7f" in wanted:  # of ClassName
        wanted = "want it without control characters"
    if chosen := re.search(r"regex '\\\\A\(([\w|]+)\)\\\\Z'", wanted):
        wanted = f"want one of {chosen[1].replace('|', ', ')}"
    wanted = re.sub(r"Object missing required field (.*)", r"\1 is missing", wanted)
    wanted = re.sub(r"Object contains unknown field (.*)", r"\1: no such key", wanted)
    known, unknown, _ = place.partition("[...]")  # a key of a table whose keys are free
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", known):
        found = found[name or int(index)]
    where = place.removeprefix("$").removeprefix(".") or "the whole"
    if unknown or isinstance(found, dict | list):  # or a key is missing
        return f"{where}: {wanted}"
    seen = msgspec.json.encode(found).decode()
    return f"{where} = {seen if len(seen) <= 60 else seen[:57] + '...'}; {wanted}"
