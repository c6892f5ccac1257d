"""A page for each decoder: how it is called, its options and errors, the codes it takes, and its cost."""

import inspect
import textwrap

from sphinx.ext.napoleon import Config, GoogleDocstring

from fecnn import load_code
from fecnn.decoders.complexity import complexity
from fecnn.decoders.cost import KINDS
from fecnn.decoders.registry import REGISTRY, BuiltIn, built_in, decoder_rows

from .markdown import contents, link, table
from .studies import naming

HEAD = """# Decoders

`fecnn.decoder(NAME, code, channel, ...)` makes one; `fecnn decoders` lists them.
[Codes, decoders and bounds](/decoders.md) explains soft outputs and lists, and
[write a decoder](/write-a-decoder.md) adds yours.

"""


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


def page(name: str) -> str:
    ours = built_in(name)
    gives = ["bits (`fecnn.decoder`)"]
    gives += ["a-posteriori LLRs (`fecnn.soft_decoder`)"] * (ours.soft is not None)
    gives += ["lists of codewords (`fecnn.list_decoder`)"] * (ours.lister is not None)
    rows = [
        ("codes", ours.reach),
        ("gives", ", ".join(gives)),
        ("source", ours.cites),
        ("studies", ", ".join(link("studies", study) for study in naming(name)) or "none"),
    ]
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
"""


def pages() -> dict[str, str]:
    made = {f"decoders/{name}.md": page(name) for name in REGISTRY}
    heads = ("decoder", "what it is", "codes", "soft", "list")
    rows = [(link("decoders", name), *cells[:-1]) for name, *cells in decoder_rows()]
    return made | {"decoders/index.md": HEAD + table(heads, rows) + contents(sorted(REGISTRY))}
