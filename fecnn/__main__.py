"""``python -m fecnn``: the command line."""

from fecnn_command import main

main()
