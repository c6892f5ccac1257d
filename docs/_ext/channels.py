"""A page for each channel: what it is, its options and errors, and what it does to uncoded bits."""

import inspect
import textwrap

import numpy as np
from sphinx.ext.napoleon import Config, GoogleDocstring

from fecnn.channels.registry import REGISTRY, built_in, channel_at, channel_rows
from fecnn.channels.stream import FrameStream

from .markdown import contents, link, table

HEAD = """# Channels

A study names one (`channel = "bsc"`); in Python they are classes of `fecnn`.
[Channels](/channels.md) explains what they have in common, and how to write one.

"""


def about(thing: object, what: str) -> str:
    config = Config(napoleon_use_rtype=False)
    text = str(GoogleDocstring(inspect.getdoc(thing) or "", config, what=what))
    return textwrap.indent(text, "   ")


def signature(make: object) -> str:
    """A signature without types, which the description of the arguments has."""
    found = inspect.signature(make)
    bare = [it.replace(annotation=it.empty) for it in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=found.empty)).replace("'", '"')


def uncoded(name: str) -> str:
    """Counted error rates of hard decisions on uncoded bits."""
    rows = []
    for ebn0_db in (0.0, 4.0, 8.0):
        stream = FrameStream("page", 0)
        bits = stream.messages(4096, 96)
        llr = channel_at(name, ebn0_db, 1.0).transmit(bits, stream)
        lost = llr == 0
        wrong = ((llr < 0) != bits) & ~lost
        rows.append((f"{ebn0_db:g}", f"{np.mean(wrong):.2g}", f"{np.mean(lost):.2g}"))
    return table(("Eb/N0 [dB]", "wrong bits", "lost bits (LLR 0)"), rows)


def page(name: str) -> str:
    ours = built_in(name)
    return f"""# {name}

```{{eval-rst}}
.. py:currentmodule:: fecnn

.. py:class:: {ours.__name__}{signature(ours)}
   :no-index:

{about(ours, "class")}

.. py:method:: {ours.__name__}.at{signature(ours.at)}
   :no-index:

{about(ours.at, "method")}
```

## Uncoded bits

Hard decisions on 393,216 uncoded bits (R = 1), counted:

{uncoded(name)}"""


def pages() -> dict[str, str]:
    made = {f"channels/{name}.md": page(name) for name in REGISTRY}
    rows = [(link("channels", name), *cells) for name, *cells in channel_rows()]
    listing = table(("channel", "what it is", "options"), rows)
    return made | {"channels/index.md": HEAD + listing + contents(sorted(REGISTRY))}
