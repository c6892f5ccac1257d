"""Write the table of the built-in decoders into docs/decoders.md: ``python tools/write_decoders.py``."""

from pathlib import Path

from fecnn._files.atomic import write
from fecnn.decoders.registry import decoder_rows

DOCS = Path(__file__).parents[1] / "docs" / "decoders.md"
BEGIN, END = "<!-- made by tools/write_decoders.py -->\n", "<!-- end of table -->\n"


def table() -> str:
    lines = ["| decoder | what it is | codes | soft | list | source |", "|---|---|---|---|---|---|"]
    lines += [f"| `{name}` | " + " | ".join(cells) + " |" for name, *cells in decoder_rows()]
    return "\n".join(lines) + "\n"


def main() -> None:
    text = DOCS.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{DOCS} lacks {BEGIN.strip()} or {END.strip()}, which mark the table's place")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    write(DOCS, before + BEGIN + table() + END + after)


if __name__ == "__main__":
    main()
