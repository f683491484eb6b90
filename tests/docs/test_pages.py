"""Links of the documents lead somewhere: each file exists, each heading too."""

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    return sorted([*REPO.glob("*.md"), *(REPO / "docs").rglob("*.md")])


def prose(text: str) -> str:
    """The page without its fenced blocks: what looks like a link there is code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", prose(page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(REPO).as_posix())
def test_links_lead_somewhere(page):
    dead = []
    for link in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (heading and heading not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_the_index_names_every_page():
    """docs/README.md links to each page of docs/, and docs/kernels/README.md to each of its own."""
    for folder in (REPO / "docs", REPO / "docs" / "kernels"):
        links = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
        missing = {page.name for page in folder.glob("*.md") if page.name not in links} - {"README.md"}
        assert missing == set()
