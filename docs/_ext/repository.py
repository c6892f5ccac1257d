"""Pages that are texts of the repository, such as its README and those of the studies and networks."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def page_of() -> dict[str, str]:
    """The page, without its ending, that each text of the repository becomes."""
    found = {
        "README.md": "generated/readme",
        "CHANGELOG.md": "generated/changelog",
        "CONTRIBUTING.md": "generated/contributing",
        "benchmarks/README.md": "generated/benchmarks",
    }
    for path in ROOT.glob("studies/*/README.md"):
        found[f"studies/{path.parent.name}/README.md"] = f"generated/studies/{path.parent.name}"
    for path in ROOT.glob("fecnn/nets/zoo/*/README.md"):
        found[f"fecnn/nets/zoo/{path.parent.name}/README.md"] = f"generated/networks/{path.parent.name}"
    return found


def pages() -> dict[str, str]:
    """Copies, whose links are changed when they are read; see `_ext.links`."""
    return {
        f"{page.removeprefix('generated/')}.md": (ROOT / path).read_text(encoding="utf-8")
        for path, page in page_of().items()
    }
