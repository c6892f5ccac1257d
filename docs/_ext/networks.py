"""The list of trained networks; the page of each is the README in its folder."""

from fecnn.nets.card import checkpoint_folder, read_card, zoo_names

from .markdown import contents, link, table

HEAD = """# Trained networks

The networks that ship with fecnn, as `fecnn nets` lists them.
[Networks](/networks.md) compares them with OSD and exact ML, and [train a network](/train.md) adds yours.

"""


def pages() -> dict[str, str]:
    rows = []
    for name in zoo_names():
        card = read_card(checkpoint_folder(name))
        rows.append(
            (link("networks", name), link("codes", card.code), f"{card.parameters:,}", f"{card.frames:,}")
        )
    heads = ("network", "code", "parameters", "training frames")
    return {"networks/index.md": HEAD + table(heads, rows) + contents(zoo_names())}
