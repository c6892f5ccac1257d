"""Single frames behind a study's results, made again from its results file: sent, seen and decided."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn._version import __version__
from fecnn.analysis.compare import block_errors, points_of
from fecnn.arrays import LLR, Bits
from fecnn.channels.axis import EBN0
from fecnn.channels.stream import FrameStream
from fecnn.codes.code import Code
from fecnn.decoders import decoder
from fecnn.decoders.contract import Decoder
from fecnn.errors import StaleError, StoreError
from fecnn.simulation.frames import AnyEngine
from fecnn.simulation.simulate import chunk_of, prepared
from fecnn.simulation.store import Store
from fecnn.simulation.task import Point
from fecnn.studies.run import store_path
from fecnn.studies.study import Study


@dataclass(frozen=True)
class DecodedFrames:
    """Frames of one point of a study, with what its decoder and exact ML decide.

    Attributes:
        point: The point of the study.
        llr: What the decoder saw, (F, n) float32; positive means 0.
        sent: The sent codewords, (F, n) uint8.
        decided: What the decoder decided, (F, n) uint8: code bits, also if it returns messages.
        ml: What exact ML decides, (F, n) uint8; None if the code is too large for it, or it was not asked
            for.
        proved: Where ``ml`` is proved to be ML, (F,) bool; elsewhere the search gave up. None without ``ml``.
        frame: Index of each frame in the point's noise, (F,) int64, ascending; frame ``f`` is frame ``f % B``
            of batch ``f // B``, where B is ``point.task.batch``.
    """

    point: Point
    llr: LLR
    sent: Bits
    decided: Bits
    ml: Bits | None
    proved: NDArray[np.bool_] | None
    frame: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Whether each decision is wrong, (F,) bool."""
        differs: NDArray[np.bool_] = np.any(self.decided != self.sent, axis=1)
        return differs

    @property
    def batch(self) -> NDArray[np.int64]:
        """Index of each frame's batch, (F,) int64."""
        return self.frame // self.point.task.batch

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as named arrays, as in the ``.npz`` of ``fecnn frames``.

        Besides the arrays of this class: ``G`` and ``H`` of the code, and ``about``, a JSON text with the
        curve, code, channel, decoder, options, Eb/N0, seed and batch size.
        """
        task, code = self.point.task, self.point.code
        about = {
            "curve": self.point.curve,
            "code": code.name,
            "fingerprint": code.fingerprint,
            "channel": task.told_channel,
            "decoder": task.decoder,
            "options": task.all_options,
            "ebn0_db": task.ebn0_db,
            "seed": task.seed,
            "batch_size": task.batch,
            "task": task.id,
            "fecnn": __version__,
        }
        found: dict[str, NDArray[Any]] = {
            name: getattr(self, name)
            for name in ("llr", "sent", "decided", "ml", "proved", "frame", "batch", "wrong")
            if getattr(self, name) is not None
        }
        return found | {"G": code.G, "H": code.H, "about": np.array(json.dumps(about))}


def frames(
    study: Study,
    curve: str,
    *,
    ebn0_db: float | None = None,
    wrong: bool = False,
    most: int = 1000,
    ml: bool = True,
    store: str | Path | None = None,
) -> DecodedFrames:
    """The frames behind a point of a study's results, for example those that its decoder got wrong.

    Results files record which frames were wrong. Frames are made again from their addresses in the noise, so
    even rare errors are found at once. They are decoded again, and exactly those that the file records as
    wrong must be decided wrong.

    Args:
        study: The study.
        curve: Name of a curve.
        ebn0_db: Eb/N0 of a point in dB, or its value on the study's own axis; may be left out if the curve
            has only one.
        wrong: Only frames that the decoder got wrong.
        most: Most frames; the first ones are taken.
        ml: Whether exact ML decodes them as well; it may take a second per frame on large codes.
        store: A results file; ``fecnn-results/<study>.sqlite`` by default.

    Raises:
        LookupError: If the study has no such curve, or the point has no results.
        ValueError: If the curve is estimated, it has no such point, or ``most`` is not positive.
        FileNotFoundError: If there is no results file; shipped results do not record single frames.
        StaleError: If the results were made by another version of the decoder.
        StoreError: If the results file cannot be used, or the decoder now decides otherwise than it says.

    Example:
        >>> import fecnn, tempfile
        >>> study = fecnn.load_study("optimal-hamming-7-4")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = folder + "/demo.sqlite"
        ...     for progress in fecnn.run(study, store=file, seconds=0.01):
        ...         pass
        ...     found = fecnn.frames(study, "ml", ebn0_db=2, wrong=True, most=10, store=file)
        >>> found.llr.shape, bool((found.decided == found.ml).all())
        ((10, 7), True)
    """
    if most < 1:
        raise ValueError(f"most must be at least 1, got {most}")
    point = _point(study, curve, ebn0_db)
    with Store(store or store_path(study)) as results:
        flags = block_errors(results, point)
        if not len(flags):
            for (_, part), stale in results.other_versions([point]).items():
                raise StaleError(
                    f"{results.path} has {stale:,} batches of {curve} at {point.axis.said(point.at, '')}, "
                    f"but by another version of {point.task.called(part)}; its frames cannot be decoded again"
                )
            raise LookupError(f"{results.path} has no results of {curve} at {point.axis.said(point.at, '')}")
        path = results.path
    index = (np.flatnonzero(flags) if wrong else np.arange(len(flags)))[:most].astype(np.int64)
    engine, decode = prepared(point.task)
    llr, sent = _made(engine, point, index)
    decided = _in_chunks(decode, point.code, llr)
    for row in np.flatnonzero(np.any(decided != sent, axis=1) != flags[index]):
        decided[row] = _as_simulated(engine, decode, point, int(index[row]))
    if len(other := index[np.any(decided != sent, axis=1) != flags[index]]):
        kind = "wrong" if flags[other[0]] else "right"
        raise StoreError(
            f"{path} says that {curve} got frame {other[0]} at {point.said} {kind}, but it does not "
            f"when it decodes it again ({len(other):,} of {len(index):,} frames differ): the file was "
            "edited, or the decoder decides differently here; see fecnn verify"
        )
    best, proved = _ml(point, llr) if ml else (None, None)
    return DecodedFrames(point, llr, sent, decided, best, proved, index)


def _point(study: Study, curve: str, ebn0_db: float | None) -> Point:
    points = points_of(study, curve)
    if ebn0_db is None and len(points) == 1:
        return next(iter(points.values()))
    if ebn0_db is None or ebn0_db not in points:
        asked = (
            f"several points: name one as ebn0_db{'' if study.axis is EBN0 else f', its {study.axis.label}'}"
            if ebn0_db is None
            else f"no point at {study.axis.said(ebn0_db)}"
        )
        raise ValueError(f"{curve} has {asked}; known: {', '.join(f'{known:g}' for known in points)}")
    return points[ebn0_db]


def _made(engine: AnyEngine, point: Point, index: NDArray[np.int64]) -> tuple[LLR, Bits]:
    """The LLRs and sent codewords of frames, each made alone from its address."""
    n = point.code.n
    llr, sent = np.empty((len(index), n), np.float32), np.empty((len(index), n), np.uint8)
    for row, (first, count) in _runs(index):
        frames = engine.frames(FrameStream(point.task.stream, first), count)
        llr[row : row + count], sent[row : row + count] = frames.llr, frames.codewords
    return llr, sent


def _runs(index: NDArray[np.int64]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Runs of successive indices: the row of the first, its index, and how many there are."""
    starts = np.flatnonzero(np.diff(index, prepend=-2) != 1)
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(index)], strict=True):
        yield start, (int(index[start]), stop - start)


def _in_chunks(decode: Decoder, code: Code, llr: LLR) -> Bits:
    """A decoder's decisions, with as many frames at once as a simulation decodes."""
    size = chunk_of(code.n)
    parts = [decode(llr[i : i + size].copy()) for i in range(0, len(llr), size)]
    return np.concatenate([np.zeros((0, code.n), np.uint8), *parts])


def _as_simulated(engine: AnyEngine, decode: Decoder, point: Point, frame: int) -> Bits:
    """The decision of a frame among those that were decoded together with it when it was simulated.

    The sums of a network may depend on them, and so may its decision where it is all but undecided.
    """
    size, batch = chunk_of(point.code.n), point.task.batch
    start = frame // batch * batch
    first = start + (frame - start) // size * size
    frames = engine.frames(FrameStream(point.task.stream, first), min(size, start + batch - first))
    word: Bits = decode(frames.llr)[frame - first]
    return word


def _ml(point: Point, llr: LLR) -> tuple[Bits, NDArray[np.bool_]] | tuple[None, None]:
    """What exact ML decides, and whether that is proved; None if the code is too large for it."""
    try:
        decode = decoder("ml", point.code)
    except ValueError:
        return None, None
    decided, effort = decode.measure(llr.copy())
    return decided, ~effort.uncertified
