"""Write every file of codes/. Run from the root of a checkout: python tools/write_codes.py [NAME ...]."""

import dataclasses
import itertools
import sys
from pathlib import Path

import numpy as np

from fecnn.codes import gf2
from fecnn.codes.bit_order import search_bit_order, trellis_states
from fecnn.codes.code import MAX_SPECTRUM_DIMENSION, Code
from fecnn.codes.codefile import save_code
from fecnn.codes.convolutional import output_bits, tail_biting_taps
from fecnn.codes.registry import build
from fecnn.decoders.trellis import MAX_STATES

HAMMING = "Hamming, Error detecting and error correcting codes, Bell System Tech. J. 29(2), 1950."
GOLAY = "Golay, Notes on digital coding, Proc. IRE 37, 1949."
REED_MULLER = (
    "Muller 1954; Reed 1954. Rows of the Kronecker power of [[1, 0], [1, 1]] whose weight is at least the "
    "minimum distance."
)
POLAR_16_8 = (
    "Arikan 2009. ASSUMED information set {7, 9, 10, 11, 12, 13, 14, 15} (0-based, natural order): the "
    "Bhattacharyya construction for a BEC of erasure probability 0.5. The papers that report this (16, 8) "
    "polar code do not state their construction; this set was inferred independently of them."
)


def polar_source(design_snr_db: float) -> str:
    return (
        "Arikan 2009; Gaussian approximation (Chung, Richardson & Urbanke 2001; Trifonov 2012) at Es/N0 = "
        f"{design_snr_db} dB. The design SNR is our choice: the frozen sets of published papers differ or "
        "are not stated."
    )


PRIMITIVE = {15: "x^4 + x + 1", 31: "x^5 + x^2 + 1", 63: "x^6 + x + 1", 127: "x^7 + x^3 + 1"}


def bch_source(n: int) -> str:
    return (
        "Primitive narrow-sense BCH code (Hocquenghem 1959; Bose & Ray-Chaudhuri 1960), systematic, as built "
        f"by galois: alpha is a root of {PRIMITIVE[n]}; the first column of G and H is the highest power "
        "of x."
    )


EBCH = "The primitive BCH code bch-{n}-{k} of this catalogue with an overall parity bit appended, its last."
CCSDS = (
    "The (128, 64) LDPC code for telecommand of CCSDS 231.0-B: a 4 by 8 array of 16 by 16 circulants. The "
    "circulants were recalled from memory, not copied from the standard. Checked: the systematic generator "
    "is the one tabulated for CCSDS 231.1-O-1, TC128, by labrador-ldpc (A. Greig); minimum distance 14; "
    "layered sum-product of 50 iterations has the published FER of 0.333 at 2 dB and 0.0496 at 3 dB (AFF3CT)."
)

ARRAY = (
    "Array LDPC code (Fan, Array codes as low-density parity-check codes, Turbo Codes symposium, Brest "
    "2000): {rows} by {p} blocks P^(i j), P the {p} by {p} left shift. H keeps its {dependent} dependent "
    "rows. It is the matrix of the ECCT repository (github.com/yoniLc/ECCT, Codes_DB), row by row."
)
POLAR_ECCT = (
    "Arikan 2009; Gaussian approximation (Chung, Richardson & Urbanke 2001; Trifonov 2012) at Es/N0 = 3 dB, "
    "which gives the frozen set of the matrix in the ECCT repository (github.com/yoniLc/ECCT, Codes_DB): the "
    "same code, theirs with its bits in bit-reversed order."
)
PRODUCT = (
    "Product code (Elias 1954) of {a} of this catalogue with itself: rectangles, row by row, whose rows and "
    "columns are its words."
)

NR = "3GPP TS 38.212, sections {sections}; equal to the code of Sionna's 5G encoder, bit for bit."
PAC = (
    "Arikan, From sequential decoding to channel polarization and back again, arXiv:1908.09594, 2019: the "
    "convolution 0o133 before the polar transform, information bits by the weight of rows (Reed-Muller "
    "profile)."
)
TAILBITING = (
    "Ma & Wolf, On tail biting convolutional codes, IEEE Trans. Comm. 34(2), 1986, with the polynomials "
    "0o133 and 0o171 of memory 6 (Odenwalder 1970)."
)

COUNTED = "Weight spectrum, counted exactly over the code or its dual (MacWilliams 1963)."
ROW_WEIGHT = (
    "Minimum row weight over the information set: the minimum distance of any code spanned by rows of the "
    "Kronecker power of [[1, 0], [1, 1]] (Korada 2009, thesis EPFL 4461; Hussami, Korada & Urbanke, ISIT "
    "2009). The witness is such a row."
)
GLEASON = (
    "RM(3, 7) is self-dual and doubly even, so its weight enumerator is a combination of phi8^(16 - 3j) "
    "xi24^j, j = 0..5 (Gleason 1971), fixed by A_0 = 1, A_4 = A_8 = A_12 = 0 (minimum distance 2^(m - r) = "
    "16), A_16 = 94488 (MacWilliams & Sloane 1977, ch. 13) and A_20 = 0 (weights below 2d are of the form "
    "2d - 2^i: Kasami & Tokura 1970)."
)


def bch_bound(distance: int) -> str:
    return (
        f"At least {distance} by the BCH bound: alpha^1 .. alpha^{distance - 1} are roots of the generator "
        f"polynomial (Bose & Ray-Chaudhuri 1960). At most {distance} by the witness."
    )


EBCH_128_64 = (
    "At least 21 without the parity bit by the BCH bound: alpha^1 .. alpha^20 are roots of the generator "
    "polynomial (Bose & Ray-Chaudhuri 1960); with it all weights are even. At most 22 by the witness."
)
TRANSFER = (
    "Weight spectrum, counted exactly over the tail-biting trellis: the sum over all first states of the "
    "weight enumerators of the paths that return (Wolf & Viterbi 1996)."
)


def disjoint(distance: int, sums: int) -> str:
    return (
        f"At least {distance}: all sums of at most {sums} rows of two generators, systematic on disjoint "
        f"sets of 64 positions, were counted, and a word that is no such sum has {sums + 1} ones in each "
        f"(Zimmermann 1996; fecnn.codes.low_weight.distance_bound). At most {distance} by the witness."
    )


def translated(distance: int, sums: int) -> str:
    return (
        f"At least {distance}: all sums of at most {sums} rows of a systematic generator were counted; any "
        "other word has more ones in the information positions wherever it is moved by the translations of "
        "the plane, which are automorphisms, and all weights are even "
        f"(fecnn.codes.low_weight.distance_bound). At most {distance} by the witness."
    )


@dataclasses.dataclass(frozen=True)
class Entry:
    name: str
    family: str
    parameters: dict[str, bool | int | float | str | list[int]]
    source: str


def bch(n: int, k: int) -> Entry:
    return Entry(f"bch-{n}-{k}", "bch", {"n": n, "k": k}, bch_source(n))


def ebch(n: int, k: int) -> Entry:
    parameters = {"n": n - 1, "k": k, "extended": True}
    return Entry(f"ebch-{n}-{k}", "bch", parameters, EBCH.format(n=n - 1, k=k))


def polar(n: int, k: int, design_snr_db: float, source: str = "") -> Entry:
    parameters = {"n": n, "k": k, "design_snr_db": design_snr_db}
    return Entry(f"polar-{n}-{k}", "polar", parameters, source or polar_source(design_snr_db))


def polar_ecct(n: int, k: int) -> Entry:
    parameters = {"n": n, "k": k, "design_snr_db": 3.0}
    return Entry(f"polar-ecct-{n}-{k}", "polar", parameters, POLAR_ECCT)


def array_ldpc(p: int, rows: int, k: int) -> Entry:
    source = ARRAY.format(rows=rows, p=p, dependent=rows - 1)
    return Entry(f"ldpc-{p * p}-{k}", "array_ldpc", {"p": p, "rows": rows}, source)


def reed_muller(r: int, m: int, k: int) -> Entry:
    return Entry(f"rm-{2**m}-{k}", "reed_muller", {"r": r, "m": m}, REED_MULLER)


ENTRIES = [
    Entry("hamming-7-4", "hamming", {"r": 3}, HAMMING),
    Entry("hamming-15-11", "hamming", {"r": 4}, HAMMING),
    Entry("hamming-31-26", "hamming", {"r": 5}, HAMMING),
    Entry("ext-hamming-8-4", "hamming", {"r": 3, "extended": True}, HAMMING),
    *(bch(15, k) for k in (7, 11)),
    *(bch(31, k) for k in (11, 16, 21, 26)),
    *(bch(63, k) for k in (30, 36, 39, 45, 51, 57)),
    *(bch(127, k) for k in (64, 85, 106)),
    ebch(64, 36),
    ebch(128, 64),
    Entry("ccsds-128-64", "ccsds_128_64", {}, CCSDS),
    Entry("polar-16-8", "polar", {"n": 16, "k": 8, "erasure": 0.5}, POLAR_16_8),
    polar(32, 16, 0.0),
    polar(64, 32, 0.0),
    polar(64, 48, 3.0, POLAR_ECCT),
    polar(128, 64, 0.0),
    polar(128, 86, 2.0),
    polar(128, 96, 3.0, POLAR_ECCT),
    polar_ecct(64, 32),
    polar_ecct(128, 64),
    polar_ecct(128, 86),
    array_ldpc(7, 4, 24),
    array_ldpc(11, 6, 60),
    array_ldpc(11, 5, 70),
    array_ldpc(11, 4, 80),
    Entry("golay-24-12", "golay", {}, GOLAY),
    Entry("product-64-16", "product", {"a": "ext-hamming-8-4"}, PRODUCT.format(a="ext-hamming-8-4")),
    reed_muller(2, 5, 16),
    reed_muller(3, 6, 42),
    reed_muller(3, 7, 64),
    Entry("nr-ldpc-128-64", "nr_ldpc", {"k": 64, "n": 128}, NR.format(sections="5.3.2 and 5.4.2")),
    Entry(
        "nr-polar-uplink-128-64",
        "nr_polar",
        {"k": 64, "e": 128, "link": "uplink"},
        NR.format(sections="5.3.1 and 5.4.1") + " Uplink, with CRC11.",
    ),
    Entry("pac-128-64", "pac", {"n": 128, "k": 64}, PAC),
    Entry("tailbiting-133-171-128-64", "tailbiting", {"k": 64, "polynomials": [0o133, 0o171]}, TAILBITING),
]

DISTANCES = {
    "bch-127-64": (21, bch_bound(21)),
    "bch-127-85": (13, bch_bound(13)),
    "ebch-128-64": (22, EBCH_128_64),
    "ccsds-128-64": (14, disjoint(14, 6)),
    "nr-ldpc-128-64": (11, disjoint(11, 5)),
    "nr-polar-uplink-128-64": (12, disjoint(12, 5)),
    "pac-128-64": (16, disjoint(16, 7)),
    "ldpc-121-60": (16, translated(16, 6)),
    "ldpc-121-70": (10, translated(10, 4)),
    "ldpc-121-80": (10, translated(10, 5)),
}


def write(entry: Entry, folder: Path) -> None:
    code = dataclasses.replace(build(entry.family, entry.parameters), name=entry.name)
    witness = None
    if min(code.k, code.n - code.k) <= MAX_SPECTRUM_DIMENSION:
        code, proof = with_spectrum(code, code.weight_spectrum()), COUNTED
    elif entry.family == "tailbiting":
        code, proof = with_spectrum(code, tail_biting_spectrum(code)), TRANSFER
    elif entry.name == "rm-128-64":
        code, proof = with_spectrum(code, self_dual_spectrum(128, {0: 1, 16: 94488})), GLEASON
    elif entry.name in DISTANCES:
        distance, proof = DISTANCES[entry.name]
        code = dataclasses.replace(code, minimum_distance=distance)
        witness = np.flatnonzero(light_word(code, distance)).tolist()
    else:
        proof = ROW_WEIGHT
        witness = np.flatnonzero(code.G[code.G.sum(axis=1) == code.minimum_distance][0]).tolist()
    if not entry.name.endswith(f"-{code.n}-{code.k}"):
        raise ValueError(f"entry {entry.name} builds an ({code.n}, {code.k}) code")
    save_code(
        with_bit_order(code),
        folder / f"{entry.name}.toml",
        family=entry.family,
        source=entry.source,
        parameters=entry.parameters,
        minimum_distance_proof=proof,
        witness=witness,
    )


def with_spectrum(code: Code, spectrum: tuple[int, ...]) -> Code:
    first = next(weight for weight, count in enumerate(spectrum) if weight and count)
    return dataclasses.replace(code, minimum_distance=first, known_spectrum=spectrum)


def with_bit_order(code: Code) -> Code:
    """The code with a searched bit order, if that makes its trellis a tenth smaller and small enough."""
    order = search_bit_order(code)
    worthwhile = trellis_states(code, order) <= min(MAX_STATES, 0.9 * trellis_states(code))
    return dataclasses.replace(code, bit_order=order if worthwhile else None)


def light_word(code: Code, weight: int) -> np.ndarray:
    """A codeword of this weight: sums of two rows of G reduced at random positions (Lee & Brickell 1988)."""
    rng = np.random.default_rng(1)
    while True:
        basis = gf2.rref(code.G, order=rng.permutation(code.n).tolist())[0]
        for row, other in itertools.combinations(basis, 2):
            if (row ^ other).sum() == weight:
                return row ^ other


def tail_biting_spectrum(code: Code) -> tuple[int, ...]:
    """Weight spectrum from the weight enumerators of the paths that return to each state.

    No count of such a code reaches 2**64, so sums may wrap around.
    """
    taps = tail_biting_taps(code)
    assert taps is not None
    heights = output_bits(taps).sum(axis=0)
    states = len(heights) // 2
    found = np.zeros(code.n + 1, np.uint64)
    for start in range(states):
        paths = np.zeros((states, code.n + 1), np.uint64)  # by the present state and the weight so far
        paths[start, 0] = 1
        for _ in range(code.k):
            longer = np.zeros_like(paths)
            for window, height in enumerate(heights):
                before = paths[window >> 1]
                longer[window % states, height:] += before[: len(before) - height]
            paths = longer
        found += paths[start]
    return tuple(map(int, found))


def self_dual_spectrum(n: int, known: dict[int, int]) -> tuple[int, ...]:
    """Weight spectrum of a doubly even self-dual code from A_0, A_4, .. A_4j, j = n // 24 (Gleason 1971).

    Counts missing in ``known`` are 0.
    """
    phi8 = [1, 14, 1]  # in powers of y^4
    xi24 = [0, 1, -4, 6, -4, 1]
    total = [0] * (n // 4 + 1)
    for j in range(n // 24 + 1):
        term = [1]
        for factor in [phi8] * (n // 8 - 3 * j) + [xi24] * j:
            term = multiply(term, factor)
        # The term starts with y^(4j), so it alone determines A_4j.
        scale = known.get(4 * j, 0) - total[j]
        total = [a + scale * b for a, b in itertools.zip_longest(total, term, fillvalue=0)]
    return tuple(total[weight // 4] if weight % 4 == 0 else 0 for weight in range(n + 1))


def multiply(a: list[int], b: list[int]) -> list[int]:
    product = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    return product


def main(names: list[str]) -> None:
    folder = Path("codes")
    if not folder.is_dir():
        raise FileNotFoundError("there is no folder codes/ here; run this from the root of a checkout")
    if unknown := set(names) - {entry.name for entry in ENTRIES}:
        raise LookupError(f"no such entries: {', '.join(sorted(unknown))}; add them to ENTRIES")
    for entry in ENTRIES:
        if not names or entry.name in names:
            print(entry.name, flush=True)
            write(entry, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
