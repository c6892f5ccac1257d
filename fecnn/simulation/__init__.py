"""The Monte-Carlo engine: a task's frames, their counts, who makes them, and where they are kept."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
