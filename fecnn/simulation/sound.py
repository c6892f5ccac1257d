"""Consistency checks on the counts of a batch, since results files come from anywhere and disks fail."""

from fecnn.simulation.tally import Tally

MOST_FRAMES = 1 << 53
"""Most frames of a run; beyond this, frames would share random numbers (docs/scaling.md)."""

MOST_SECONDS = 1e9
"""Longest credible decoding time of a batch: about thirty years."""


def contradiction(
    counts: Tally, batch: int, i: int, k: int | None = None, n: int | None = None
) -> str | None:
    """How the counts of batch i contradict each other, the batch size, the flags (if any) or the code.

    Args:
        counts: The counts.
        batch: Frames per batch.
        i: Index of the batch.
        k: Message bits per frame, if known.
        n: Code bits per frame, if known.

    Returns:
        A clause for an error message; None if the counts are consistent.

    Example:
        >>> contradiction(Tally(frames=8, block_errors=9), batch=8, i=0)
        '9 block errors in 8 frames'
    """
    errors = counts.block_errors
    if counts.work > MOST_FRAMES or counts.seconds > MOST_SECONDS:
        return f"work {counts.work:,} in {counts.seconds:g} s"
    if (i + 1) * batch > MOST_FRAMES:
        return f"its index is beyond {MOST_FRAMES:,} frames"
    if counts.frames != batch:
        return f"{counts.frames:,} frames where a batch has {batch:,}"
    if errors > batch:
        return f"{errors:,} block errors in {batch:,} frames"
    if counts.uncertified > batch:
        return f"{counts.uncertified:,} uncertified frames of {batch:,}"
    if counts.refusals > batch:
        return f"{counts.refusals:,} refused frames of {batch:,}"
    if counts.refused_errors > min(errors, counts.refusals):
        return f"{counts.refused_errors:,} refused block errors of {errors:,} in {counts.refusals:,} refusals"
    if counts.ml_errors > errors:
        return f"{counts.ml_errors:,} ML errors among {errors:,} block errors"
    if counts.code_bit_errors < errors:
        return f"{counts.code_bit_errors:,} wrong code bits in {errors:,} block errors"
    for name, total, squares, width in (
        ("bit errors", counts.bit_errors, counts.bit_errors_sq, k),
        ("code bit errors", counts.code_bit_errors, counts.code_bit_errors_sq, n),
    ):
        if width is not None and (total > width * errors or squares > width * total):
            return f"{total:,} {name}, squares {squares:,}, in {errors:,} block errors of {width} bits"
        # Only frames with block errors have wrong bits, and a square has the parity of its root.
        if not total <= squares or total * total > squares * errors or (squares - total) % 2:
            return f"{total:,} {name} with squares {squares:,} in {errors:,} block errors"
    if counts.flags is not None:
        if len(counts.flags) != -(-batch // 8):
            return f"{len(counts.flags)} bytes of flags for {batch:,} frames"
        flags = int.from_bytes(counts.flags, "big")
        if flags.bit_count() != errors or flags & ((1 << (-batch % 8)) - 1):
            return f"{flags.bit_count():,} flags for {errors:,} block errors"
    return None
