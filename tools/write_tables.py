"""Write the tables of the built-in decoders and channels into the docs: ``python tools/write_tables.py``."""

from collections.abc import Sequence
from pathlib import Path

from fecnn._files.atomic import write
from fecnn.channels.registry import channel_rows
from fecnn.decoders.registry import decoder_rows

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- made by tools/write_tables.py -->\n", "<!-- end of table -->\n"


def table(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    lines += [f"| `{name}` | " + " | ".join(cells) + " |" for name, *cells in rows]
    return "\n".join(lines) + "\n"


def put(page: Path, made: str) -> None:
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page} lacks {BEGIN.strip()} or {END.strip()}, which mark the table's place")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    write(page, before + BEGIN + made + END + after)


def main() -> None:
    heads = ("decoder", "what it is", "codes", "soft", "list", "source")
    put(DOCS / "decoders.md", table(heads, decoder_rows()))
    put(DOCS / "channels.md", table(("channel", "what it is", "options"), channel_rows()))


if __name__ == "__main__":
    main()
