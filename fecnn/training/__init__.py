"""Training of networks: the recipe, its frames, the trainer, and the page of a trained network."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
