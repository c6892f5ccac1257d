"""Evaluating results: tables, comparisons, gaps to maximum likelihood, and costs."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
