"""OSD: the cost of a test pattern, pruning, and Sionna's decoder on the same LLRs."""

import pytest
from frames import bler, frames_of
from sketches import sketches

import fecnn


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("prune", [False, True])
def test_lists_against_the_sketch(order, prune, race, size):
    codes, lcpb = sketches("codes", "lcpb")
    G, H = codes.get("ebch128_64")
    code = fecnn.Code(G, H, minimum_distance=codes.DMIN["ebch128_64"])
    theirs = lcpb.Dec(G, H, codes.DMIN["ebch128_64"])
    count = size(512)
    llr = frames_of(code, 2.5, count).llr
    decode = fecnn.decoder("osd", code, order=order, prune=prune)
    mode = lcpb.PRUNE if prune else lcpb.PLAIN
    words = theirs(llr, order=order, mode=mode, b1=1 << 60)[0]
    assert (lcpb.pack(decode(llr)) == words).all()
    race(
        f"osd {order}{' pruned' if prune else ' plain'} ebch128_64 2.5 dB",
        "sketch lcpb.py",
        lambda: decode(llr),
        lambda: theirs(llr, order=order, mode=mode, b1=1 << 60),
        count,
        target=0.9,
    )


@pytest.mark.parametrize(
    ("name", "order", "frames", "peer_frames", "target"),
    [
        ("bch-63-45", 2, 1 << 14, 64, 300.0),
        ("bch-63-45", 3, 1 << 14, 4, 3000.0),
        ("bch-31-21", 2, 1 << 15, 256, 1.0),
    ],
)
@pytest.mark.filterwarnings("ignore")  # of torch.compile, about torch
def test_osd_against_sionna(name, order, frames, peer_frames, target, race, size, benchmark):
    """Ours is the pruned list: the same decisions as the textbook's, hence never a higher BLER.

    Where it is timed, the peer is compiled (torch.compile), which makes it about twice as fast.
    """
    torch = pytest.importorskip("torch")
    linear = pytest.importorskip("sionna.phy.fec.linear", reason="sionna-no-rt is not installed")
    torch.set_num_threads(1)
    code = fecnn.load_code(name)
    theirs = linear.OSDecoder(code.G.astype(float), t=order, device="cpu")
    theirs = theirs if benchmark.disabled else torch.compile(theirs)
    count, few = size(frames), min(size(peer_frames), peer_frames)
    frames_ = frames_of(code, 3.0, count)
    decode = fecnn.decoder("osd", code, order=order)
    logits = -torch.from_numpy(frames_.llr[:few].copy())  # Sionna's LLRs are positive for bit 1

    def peer():
        with torch.no_grad():
            return theirs(logits)

    decided, sent = peer().numpy(), frames_.codewords[:few]
    ours = decode(frames_.llr[:few])
    assert bler(ours, sent) <= bler(decided, sent) + 1e-12
    race(
        f"osd {order} {name} 3 dB",
        "Sionna OSDecoder, compiled",
        lambda: decode(frames_.llr),
        peer,
        count,
        few,
        target,
        repeats=5,
    )


def test_ml_against_a_matrix_product(race, size):
    """Exact ML of BCH (31,21) by correlation with all codewords, as a product of matrices."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    code = fecnn.load_code("bch-31-21")
    count = size(1 << 15)
    frames = frames_of(code, 4.0, count)
    few = 16
    symbols = torch.from_numpy(fecnn.bpsk(code.codebook()))
    llr = torch.from_numpy(frames.llr[:few].copy())

    def peer():
        best, index = torch.full((few,), -1e30), torch.zeros(few, dtype=torch.int64)
        for first in range(0, len(symbols), 1 << 15):  # blocks that stay in cache: faster than one product
            value, at = (llr @ symbols[first : first + (1 << 15)].T).max(dim=1)
            index = torch.where(value > best, at + first, index)
            best = torch.maximum(value, best)
        return code.codebook()[index.numpy()]

    decode = fecnn.decoder("ml", code)
    assert (peer() == decode(frames.llr[:few])).all()
    race(
        "ml bch-31-21 4 dB",
        "codebook product (torch)",
        lambda: decode(frames.llr),
        peer,
        count,
        few,
        5000.0,
        repeats=5,
    )
