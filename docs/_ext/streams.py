"""What a command prints in a cell, in one piece and without the terminal's codes.

MyST-NB puts a line break between the pieces in which the output arrives, wherever they end.
"""

import re

import myst_nb.core.render

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Codes for bold, colour and the cursor."""


def joined(outputs):
    """The outputs of a cell, with all that goes to one stream as one output where it begins."""
    found, streams = [], {}
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] in streams:
            streams[output["name"]]["text"] += output["text"]
            continue
        if output["output_type"] == "stream":
            streams[output["name"]] = output
        found.append(output)
    for output in streams.values():
        output["text"] = CODES.sub("", output["text"])
    if len(streams) == 2:  # which comes first is chance
        places = sorted(found.index(output) for output in streams.values())
        for place, name in zip(places, ("stdout", "stderr"), strict=True):
            found[place] = streams[name]
    return found


def setup(app):
    """Let MyST-NB join streams this way."""
    myst_nb.core.render.coalesce_streams = joined
    return {"parallel_read_safe": True}
