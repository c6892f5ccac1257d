"""The command line, from what ``--help`` prints in a terminal of 80 columns without colours."""

import os
from unittest.mock import patch

from typer.testing import CliRunner

from .markdown import table

PLAIN = {"TERMINAL_WIDTH": "80", "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}

HEAD = """# Command line

`fecnn COMMAND --help` prints what stands here, and `fecnn --install-completion` completes commands and names.

## Exit codes

"""


def pages() -> dict[str, str]:
    with patch.dict(os.environ, PLAIN):  # read when typer's formatting is imported
        from fecnn.cli.app import app
        from fecnn.cli.ending import EXIT_CODES

        def said(*command: str) -> str:
            done = CliRunner().invoke(app, [*command, "--help"], prog_name="fecnn", env=PLAIN)
            assert done.exit_code == 0, done.output
            lines = [line.rstrip() for line in done.output.strip("\n").splitlines()]
            return "\n".join(line for last, line in zip(["", *lines], lines, strict=False) if line or last)

        names = [str(command.name) for command in app.registered_commands]
        text = HEAD + table(("code", "meaning"), EXIT_CODES.items())
        text += f"\n## fecnn\n\n```text\n{said()}\n```\n"
        text += "".join(f"\n## fecnn {name}\n\n```text\n{said(name)}\n```\n" for name in names)
    return {"commands.md": text}
