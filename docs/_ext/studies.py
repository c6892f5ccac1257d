"""The gallery of studies: of each its figure, its question, and the first sentence of its answer."""

import re

from fecnn import study_names

from .markdown import contents
from .repository import ROOT

HEAD = """# Studies

Each has its question, its counts, its figure and its answer, and the command that makes it again.
[Studies](/studies.md) shows how to write your own.

"""


def said(text: str, what: str) -> str:
    """The first sentence after ``**Question.**`` or ``**Answer.**``, and after a short one the next.

    Texts have one sentence a line.
    """
    found = re.search(rf"^\*\*{what}\.\*\* (.{{0,60}}\n(?=\S).*|.*)$", text, flags=re.MULTILINE)
    if found is None:
        raise ValueError(f"no **{what}.** in the study that begins {text[:60]!r}")
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", found[1])  # a card is one link


def card(name: str) -> str:
    text = (ROOT / "studies" / name / "README.md").read_text(encoding="utf-8")
    title = text.splitlines()[0].removeprefix("# ")
    return f"""::::{{grid-item-card}} {title}
:link: /generated/studies/{name}
:link-type: doc
:link-alt: {name}
:img-top: ../../../studies/{name}/figure.svg
:img-alt: The figure of {name}

{said(text, "Question")}
:::{{card-footer}}
{said(text, "Answer")}
:::
::::
"""


def pages() -> dict[str, str]:
    names = sorted(path.parent.name for path in ROOT.glob("studies/*/README.md"))
    grid = f":::::{{grid}} 1 1 2 2\n:gutter: 3\n\n{''.join(map(card, names))}:::::\n"
    return {"studies/index.md": HEAD + grid + contents(names)}


def naming(word: str) -> list[str]:
    """The studies whose file names a code or a decoder, in quotes."""
    return [
        name
        for name in study_names()
        if f'"{word}"' in (ROOT / "studies" / name / "study.toml").read_text(encoding="utf-8")
    ]
