"""A page for each code family: how it is built, its arguments and errors, and a code of it."""

import inspect
import textwrap

from sphinx.ext.napoleon import Config, GoogleDocstring

from fecnn import code_names
from fecnn.codes.catalogue import code_file
from fecnn.codes.registry import FAMILIES, Family

from .markdown import contents, link, table

HEAD = """# Code families

Each is a function of `fecnn`; in a study or with `fecnn.load_code`, a table with its name and arguments.
[Codes and decoders](/decoders.md#codes) says where else a code may come from, and what can be done to any.

"""


def call(name: str, family: Family) -> str:
    return f"{name}{inspect.signature(family.build)}".partition(" ->")[0]


def said(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def page(name: str, family: Family) -> str:
    code = family.build(**family.example)
    shipped = [other for other in code_names() if code_file(other).family == name]
    rows = [
        ("source", family.cites),
        ("codes in the catalogue", ", ".join(link("codes", other) for other in shipped) or "none"),
        ("an example", f"`{code}`"),
        ("its minimum distance", code.minimum_distance or "not known"),
    ]
    if code.mother is not None:
        rows.append(("decoded as", f"{code.mother.how} from `{code.mother.code}`"))
    given = ", ".join(f"{key}={value!r}" for key, value in family.example.items())
    keys = "".join(f", {key} = {said(value)}" for key, value in family.example.items())
    config = Config(napoleon_use_rtype=False)
    text = str(GoogleDocstring(inspect.getdoc(family.build) or "", config, what="function"))
    return f"""# {name}

{table(("", ""), rows)}
```python
code = fecnn.{name}({given})
```

In a study: `code = {{ family = "{name}"{keys} }}`.

```{{eval-rst}}
.. py:currentmodule:: fecnn

.. py:function:: {call(name, family)}
   :no-index:

{textwrap.indent(text, "   ")}
```
"""


def pages() -> dict[str, str]:
    made = {f"families/{name}.md": page(name, family) for name, family in FAMILIES.items()}
    rows = [(link("families", name), family.summary, family.cites) for name, family in FAMILIES.items()]
    index = table(("family", "what it is", "source"), rows) + contents(sorted(FAMILIES))
    return made | {"families/index.md": HEAD + index}
