"""One decoder in several processes: it is sent to each of them, and decides the same there.

Run it with ``python examples/processes.py``. To decode in threads instead, use a ``ThreadPoolExecutor``: a
decoder may be called from several threads at once, and its kernels run beside each other.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

import fecnn

PARTS = 4


def main():
    """Decode a batch in two spawned processes and compare it with this one's decisions."""
    code = fecnn.load_code("bch-63-45")
    channel = fecnn.AWGN.at(3.0, code.rate)
    rng = np.random.default_rng(1)
    words = code.encode(rng.integers(0, 2, (4000, code.k), dtype=np.uint8))
    llr = channel.transmit(words, rng)
    decode = fecnn.decoder("ml", code)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        decided = np.concatenate(list(pool.map(decode, np.array_split(llr, PARTS))))
    print(f"{(decided == decode(llr)).all()}: {PARTS} parts from 2 processes equal one call")
    print(f"{int((decided != words).any(axis=1).sum())} block errors of {len(words):,} frames")


if __name__ == "__main__":
    main()
