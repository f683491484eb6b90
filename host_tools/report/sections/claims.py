"""The paper's claims, as `make claims JSON=build/claims.json` has computed them."""

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import one_of
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.host_tools.report.evidence import Evidence

FILE = BUILD / "claims.json"
_NEEDS = f"make claims JSON={FILE}"
_Text = Annotated[str, Meta(max_length=4096)]
_Figure = Annotated[float, Meta(ge=-1e15, le=1e15)]  # of more digits than a page has room for otherwise
_KEYS = ("topic", "says", "place", "rule", "paper", "ours", "unit", "verdict", "how", "needs")


class _Claim(TypedDict):
    topic: _Text
    says: _Text
    place: _Text
    rule: _Text
    paper: _Figure
    ours: _Figure | None
    unit: _Text
    verdict: Annotated[str, one_of("holds", "does not hold", "not computed")]
    how: _Text
    needs: _Text


class _File(TypedDict):
    claims: Annotated[list[_Claim], Meta(max_length=200)]


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    if not FILE.is_file():
        return {"claims": None, "needs": _NEEDS}
    found = json_files.read(FILE, _File, f"run: {_NEEDS}")["claims"]
    return {"claims": [{key: dict(claim)[key] for key in _KEYS} for claim in found], "needs": _NEEDS}
