"""Execute docs/notebook.ipynb in an empty folder, and write it with what its cells show.

Run from the root of a checkout: python tools/write_notebook.py
"""

import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from fecnn._files.atomic import write

PATH = Path("docs/notebook.ipynb")


def main() -> None:
    """Write the notebook."""
    notebook = nbformat.read(PATH, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
        )
        client.execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    write(PATH, nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    main()
