"""A page for each decoder: how it is called, its options and errors, the codes it takes, and its cost."""

import inspect
import textwrap
from functools import cache
from typing import Any

import pandas as pd
from sphinx.ext.napoleon import Config, GoogleDocstring

from fecnn import load_code
from fecnn.decoders.complexity import complexity
from fecnn.decoders.cost import KINDS
from fecnn.decoders.registry import REGISTRY, BuiltIn, built_in, decoder_rows

from .markdown import contents, link, table
from .pictures import COLOURS, picture
from .repository import ROOT
from .studies import naming

HEAD = """# Decoders

`fecnn.decoder(NAME, code, channel, ...)` makes one; `fecnn decoders` lists them.
[Codes, decoders and bounds](/decoders.md) explains soft outputs and lists, and
[write a decoder](/write-a-decoder.md) adds yours.

"""

TIMED = (
    "As the studies measured it, with the options that they use most: one thread of a shared machine, so "
    "take it as an indication. [Benchmarks](/generated/benchmarks.md) has comparisons.\n"
)


def call(name: str, ours: BuiltIn) -> str:
    options = [
        f"{option.name}={option.default!r}"
        for option in inspect.signature(ours.hard).parameters.values()
        if option.kind is option.KEYWORD_ONLY
    ]
    return f"decoder({', '.join([repr(name), 'code', 'channel', *options])})".replace("'", '"')


def cost(name: str, ours: BuiltIn) -> str:
    code = load_code(ours.example.code)
    try:
        found = complexity(name, code, **ours.example.options)
    except ValueError:
        return (
            "How much it does depends on the noise: "
            "`fecnn complexity` counts it from a study's measured work.\n"
        )
    rows = [(kind, f"{getattr(found, kind):,.0f}") for kind in KINDS]
    rows += [
        ("stored numbers", f"{found.parameters:,}"),
        ("memory while decoding [bit]", f"{found.memory_bits:,}"),
    ]
    given = "".join(f", {option}={value!r}" for option, value in ours.example.options.items())
    return (
        f"For a frame of {link('codes', code.name)}{given}, and for the most work that a frame can take:\n\n"
        + table(("operations", "at most"), rows)
    )


MOST_CURVES = 7


@cache
def measured() -> pd.DataFrame:
    """The points of all studies that have a time."""
    tables = [pd.read_csv(path) for path in sorted(ROOT.glob("studies/*/results.csv"))]
    rows = pd.concat([one for one in tables if "us_per_frame" in one])
    return rows[rows["us_per_frame"].notna() & (rows["channel"] == "awgn")]


@cache
def times_figure(name: str) -> bytes | None:
    """Time per frame over Eb/N0 as the studies measured it, one curve a code; None if they do not have it."""
    rows = measured()[measured()["decoder"] == name]
    options = rows["options"].mode()
    rows = rows[rows["options"].isin(options[:1])]
    codes = rows["code"].value_counts().index[:MOST_CURVES]
    if rows.empty or rows["code"].value_counts().max() < 3:
        return None

    def draw(axes: Any) -> None:
        for colour, code in zip(COLOURS, sorted(codes), strict=False):
            curve = rows[rows["code"] == code].groupby("ebn0_db")["us_per_frame"].median()
            axes.plot(curve.index, curve, "o-", color=colour, label=code, lw=1.2, ms=3)
        axes.set(yscale="log", xlabel="Eb/N0 [dB]", ylabel="us per frame")

    return picture(draw)


def page(name: str) -> str:
    ours = built_in(name)
    gives = ["bits (`fecnn.decoder`)"]
    gives += ["a-posteriori LLRs (`fecnn.soft_decoder`)"] * (ours.soft is not None)
    gives += ["lists of codewords (`fecnn.list_decoder`)"] * (ours.lister is not None)
    rows = [
        ("codes", ours.reach),
        ("gives", ", ".join(gives)),
        *([("work", f"{ours.unit} per frame")] if ours.unit else []),
        ("source", ours.cites),
        ("studies", ", ".join(link("studies", study) for study in naming(name)) or "none"),
    ]
    timed = ""
    if times_figure(name) is not None:
        timed = f"\n![Time per frame over Eb/N0]({name}-times.svg)\n\n" + TIMED
    config = Config(napoleon_use_rtype=False)
    text = str(GoogleDocstring(inspect.getdoc(ours.hard) or "", config, what="function"))
    return f"""# {name}

{table(("", ""), rows)}
```{{eval-rst}}
.. py:currentmodule:: fecnn

.. py:function:: {call(name, ours)}
   :no-index:

{textwrap.indent(text, "   ")}
```

## Cost

{cost(name, ours)}
The [cost model](/generated/api/more.rst) says what is counted.
{timed}"""


def pages() -> dict[str, str | bytes]:
    made: dict[str, str | bytes] = {f"decoders/{name}.md": page(name) for name in REGISTRY}
    figures = {f"decoders/{name}-times.svg": times_figure(name) for name in REGISTRY}
    made |= {path: figure for path, figure in figures.items() if figure is not None}
    heads = ("decoder", "what it is", "codes", "soft", "list")
    rows = [(link("decoders", name), *cells[:-1]) for name, *cells in decoder_rows()]
    return made | {"decoders/index.md": HEAD + table(heads, rows) + contents(sorted(REGISTRY))}
