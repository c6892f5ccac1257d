"""``python -m fecnn``: the command line."""

from fecnn.cli.app import app

app(prog_name="fecnn")
