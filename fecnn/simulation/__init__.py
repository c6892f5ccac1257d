"""The Monte-Carlo engine: a task's frames and counts, the workers that make them, and the results file."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
