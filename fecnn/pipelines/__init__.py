"""Decoders in the links of other ecosystems: one file per world, imported only when it is asked for."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
