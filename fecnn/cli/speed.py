"""Speed of decoders and of whole simulations on this machine."""

import json
import os
import platform
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fecnn._files.atomic import write
from fecnn.channels.awgn import AWGN
from fecnn.channels.stream import FrameStream
from fecnn.codes.catalogue import load_code
from fecnn.decoders import decoder
from fecnn.decoders.registry import REGISTRY, built_in
from fecnn.simulation.frames import Engine
from fecnn.simulation.simulate import chunk_of, one_torch_thread
from fecnn.simulation.tally import Tally

ROUNDS = 5
"""Minimum number of rounds; times are medians over rounds."""


@dataclass(frozen=True)
class Case:
    """A decoder with options, on a code, at an Eb/N0 in dB."""

    decoder: str
    code: str
    ebn0_db: float
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Decoder and options, as shown in tables."""
        options = ", ".join(f"{key} {value}" for key, value in self.options.items())
        return f"{self.decoder} ({options})" if options else self.decoder


CHOSEN = [
    Case("ml", "hamming-7-4", 4.0),
    Case("ml", "polar-16-8", 3.0),
    Case("ml", "bch-31-21", 2.4),
    Case("ml", "bch-31-21", 4.8),
    Case("ml", "bch-63-45", 2.6),
    Case("ml", "bch-63-45", 4.3),
    Case("ml", "ebch-64-36", 1.7),
    Case("ml", "ebch-64-36", 3.5),
    Case("ml", "ebch-128-64", 2.5),
    Case("near-ml", "ebch-128-64", 2.5),
    Case("osd", "bch-63-45", 3.0, {"order": 2}),
    Case("osd", "bch-63-45", 3.0, {"order": 3}),
    Case("osd", "ebch-128-64", 2.5, {"order": 3, "prune": False}),
    Case("osd", "ebch-128-64", 2.5, {"order": 3}),
    Case("fs-osd", "ebch-128-64", 2.5, {"order": 3}),
    Case("pb-osd", "ebch-128-64", 2.5, {"order": 3}),
    Case("lc-osd", "ebch-128-64", 2.5),
    Case("map", "bch-31-21", 3.0, {"bits": "code"}),
    Case("map", "polar-64-32", 3.0, {"bits": "code"}),
    Case("map", "bch-63-51", 3.0, {"bits": "code"}),
    Case("bp", "ccsds-128-64", 4.0),
    Case("osd", "bch-31-16", 4.0, {"order": 2}),
    Case("fecnn-net", "bch-31-16", 4.0),
    Case("ecct", "bch-31-16", 4.0),
    Case("crossmpt", "bch-31-16", 4.0),
    Case("osd", "bch-63-45", 4.0, {"order": 2}),
    Case("fecnn-net", "bch-63-45", 4.0),
    Case("bp", "bch-63-45", 4.0, {"checks": "overcomplete", "scale": 0.2}),
    Case("sc", "polar-128-64", 3.0),
    Case("scl", "polar-128-64", 3.0),
    Case("chase2", "bch-63-45", 4.0),
    Case("orbgrand", "bch-63-45", 4.0),
    Case("berlekamp-massey", "bch-127-64", 4.0),
]
"""Selected cases; `cases` adds the example of every other decoder."""


def cases() -> list[Case]:
    """All timed cases: every built-in decoder appears at least once."""
    chosen = {case.decoder for case in CHOSEN}
    examples = [(name, built_in(name).example) for name in sorted(REGISTRY) if name not in chosen]
    return CHOSEN + [Case(name, e.code, e.ebn0_db, dict(e.options)) for name, e in examples]


@dataclass(frozen=True)
class Measurement:
    """Timings of one case, as CPU times of one thread.

    Attributes:
        case: The case.
        ready_seconds: Wall time to the first decision: building the decoder, and compiling or loading it.
        decode_us: Decoding time in microseconds per frame: (median, minimum, maximum) over rounds.
        frames_per_second: Speed of a whole simulation (messages, noise, decoding, counting), likewise.
        total: Counts over all frames.
    """

    case: Case
    ready_seconds: float
    decode_us: tuple[float, float, float]
    frames_per_second: tuple[float, float, float]
    total: Tally


def measure(case: Case, seconds: float = 1.0) -> Measurement:
    """Time one case for about this many seconds, and for at least five rounds."""
    began = time.perf_counter()
    run = Run(case)
    ready = time.perf_counter() - began
    run.round()
    rounds: list[tuple[float, float]] = []
    total, spent = Tally(), 0.0
    while spent < seconds or len(rounds) < ROUNDS:
        whole, decoding, counts = run.round()
        rounds.append((whole / counts.frames, decoding / counts.frames))
        total, spent = total + counts, spent + whole
    whole_time, decode_time = np.array(rounds).T
    return Measurement(case, ready, _spread(1e6 * decode_time), _spread(1 / whole_time), total)


class Run:
    """A case ready to run, round by round."""

    def __init__(self, case: Case) -> None:
        code = load_code(case.code)
        channel = AWGN.at(case.ebn0_db, code.rate)
        self._engine = Engine(code, channel)
        self._decode = decoder(case.decoder, code, channel, **case.options)
        one_torch_thread()
        self._decode(np.ones((1, code.n), np.float32))
        self._stream = f"bench {code.fingerprint} {case.ebn0_db}"
        self._chunk, self._first = chunk_of(code.n), 0

    def round(self) -> tuple[float, float, Tally]:
        """Run one chunk of frames; return total CPU seconds, decoding CPU seconds, and the counts."""
        first, self._first = self._first, self._first + self._chunk
        began = time.thread_time()
        frames = self._engine.frames(FrameStream(self._stream, first), self._chunk)
        made = time.thread_time()
        decided, effort = self._decode.measure(frames.llr)
        done = time.thread_time()
        counts = self._engine.count(frames, decided, done - made, effort)
        return time.thread_time() - began, done - made, counts


def thread_gain(case: Case, seconds: float = 1.0) -> float:
    """Throughput (frames per second of wall time) of two threads, relative to one."""
    runs = [Run(case), Run(case)]

    def rate(run: Run) -> float:
        frames, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            frames += run.round()[2].frames
        return frames / (time.perf_counter() - began)

    gains = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            alone = rate(runs[0])
            gains.append(sum(pool.map(rate, runs)) / alone)
    return float(np.median(gains))


def machine() -> dict[str, str]:
    """The properties of this machine that affect speed: processor, cores, load and versions."""
    import llvmlite
    import numba

    from fecnn._version import __version__

    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown",
        "system": platform.platform(),
        "fecnn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
    }


def save(measurements: Sequence[Measurement], gain: float | None, path: Path) -> None:
    """Write measurements with their machine as JSON."""
    rows = [asdict(m) for m in measurements]
    for row in rows:
        del row["total"]["flags"]
    write(path, json.dumps({"machine": machine(), "two_threads": gain, "cases": rows}, indent=1) + "\n")


def _spread(values: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    return float(np.median(values)), float(values.min()), float(values.max())


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
