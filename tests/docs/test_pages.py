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


@pytest.mark.parametrize(
    "page",
    [REPO / "README.md", REPO / "CONTRIBUTING.md", *sorted((REPO / "docs").rglob("*.md"))],
    ids=lambda page: page.relative_to(REPO).as_posix(),
)
def test_named_files_exist(page):
    """A path in back quotes that begins with a folder of ours is a file or folder of the repository.

    Boards include headers as "common/hooks.h", from firmware_cpp/boards/.
    """
    folders = "common|model|convert|host_tools|firmware_cpp|tests|tools|docs"
    named = re.findall(rf"`((?:{folders})/[\w./-]*)`", prose(page.read_text(encoding="utf-8")))
    roots = (REPO, REPO / "firmware_cpp" / "boards")
    assert [path for path in named if not any((root / path).exists() for root in roots)] == []
