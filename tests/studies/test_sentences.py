"""What the pages compare is recomputed, sentence by sentence, and no comparison goes without."""

import importlib
import pkgutil
import re

import pytest
import sentences

for module in pkgutil.iter_modules(sentences.__path__):
    importlib.import_module(f"sentences.{module.name}")

PAGES = [
    str(path.relative_to(sentences.ROOT))
    for pattern in ("README.md", "docs/*.md", "docs/tutorials/*.md", "studies/*/README.md")
    for path in sorted(sentences.ROOT.glob(pattern))
]

COMPARES = re.compile(
    r"\b(better|best|worse|worst|fewer(?! than 100 (block|undetected) errors)"
    r"|faster|slower|cheaper|closer|closest|nowhere"
    r"|beats?|loses?|outperforms?|within [\d.]+ dB|as (good|few|many|far off) as"
    r"|times (as|that|those|less|lower|higher)|(more|less) (complex|(block |bit )?errors)"
    r"|(lower|higher) (BLER|BER|bit error rates?))\b"
)
"""How a sentence compares."""

NOT_COUNTED = {
    "docs/conventions.md": (
        "A decoder that works in other threads or on another device appears faster than it is.",  # time
        "linear programming (Delsarte 1973) finds the worst",  # how a bound is computed
    ),
    "docs/decoders.md": (
        "`words` are the four best codewords, best first.",  # what a list holds
        "Where fewer words are found, the remaining places are zeros",  # what a list holds
        "how good is the best code of its size?",  # a question
    ),
    "docs/networks.md": ("With `order=1` it lists the 8 best words within one flip.",),  # an algorithm
    "docs/scaling.md": (
        "Copy the `-wal` file with it to lose nothing",  # how results are copied
        "fewer towards the end of a point",  # how work is handed out
    ),
    "docs/write-a-decoder.md": ("is not worse than hard decisions.",),  # what check_decoder asks for
    "docs/tutorials/two-papers.md": ("says that transformers lose to ordered statistics decoding",),  # quoted
    "studies/complexity-slnn-mlnn/README.md": (
        "claims that the training-free architectures are less complex than the literature's.",  # quoted
    ),
    "studies/published-nets-table/README.md": (
        "A decoder is *better* on a code if its 95 % interval lies below the values of all of them, "
        "*worse* if it lies above one, and else *even*",  # a definition
        "scaled by the best of a scan at 4 dB on other noise",  # how the study was made
        "500,000 or fewer",  # how the study was made
    ),
    "studies/verdict-bch-31-21/README.md": ("the grey line joins the decoders that no other beats in both.",),
    "studies/verdict-bch-63-45/README.md": ("the grey line joins the decoders that no other beats in both.",),
}
"""Sentences that compare nothing that could be recomputed, or define the words."""


def prose(page):
    """A page without its code, tables, captions of figures, and what is made from results."""
    text = (sentences.ROOT / page).read_text()
    text = re.sub(r"^```.*?^```|<!-- results -->.*<!-- end of results -->", "", text, flags=re.M | re.S)
    return [line for line in text.splitlines() if not re.match(r"[|#]|\*\*(Question|Figures?)\.", line)]


def uncovered(lines, covered):
    """The comparisons in lines, with what stands around them, that are in none of the covered sentences."""
    text = " ".join(" ".join(lines).split())
    for sentence in covered:
        text = text.replace(sentence, "")
    return [text[max(0, it.start() - 100) : it.end() + 100] for it in COMPARES.finditer(text)]


@pytest.mark.parametrize("claim", sentences.CLAIMS.values(), ids=sentences.CLAIMS)
def test_what_is_said_holds(claim):
    for sentence in claim.sentences:
        assert sentence in sentences.text(claim.page), sentence
    claim.holds()


@pytest.mark.parametrize("page", PAGES)
def test_every_comparison_is_recomputed(page):
    quoted = [it for claim in sentences.CLAIMS.values() if claim.page == page for it in claim.sentences]
    assert uncovered(prose(page), [*quoted, *NOT_COUNTED.get(page, ())]) == []


@pytest.mark.parametrize("page", NOT_COUNTED)
def test_sentences_that_are_not_counted_are_there(page):
    for sentence in NOT_COUNTED[page]:
        assert uncovered([sentence], []), sentence
        assert sentence in sentences.text(page), sentence


def test_a_comparison_without_a_claim_is_found():
    lines = ["OSD is better than BP.", "BP has fewer errors", "than hard decisions."]
    assert len(uncovered(lines, [])) == 2
    assert len(uncovered(lines, ["BP has fewer errors than hard decisions."])) == 1
