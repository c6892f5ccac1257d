"""What objects show in a notebook: true, escaped, complete in itself, and readable on any background."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import fecnn
from fecnn._notebook.html import MOST_ONES, picture
from fecnn.simulation.simulate import Progress
from fecnn.simulation.tally import Tally
from fecnn.studies.estimates import Estimation

HOSTILE = "<script>alert('x')</script>\"&"


class Read(HTMLParser):
    """The text, the rows of tables and the squares of pictures; elements must be properly nested."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.rows, self.squares, self._open = "", set(), [], 0, []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self._open.append(tag)
        self.rows += [[]] if tag == "tr" else []
        self.squares += dict(attributes).get("d", "").count("M")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self._open and self._open[-1] in ("td", "th"):
            self.rows[-1].append(data)

    def cell(self, column):
        """The entry below a head, in the first row."""
        return self.rows[1][self.rows[0].index(column)]


def mine(llr):
    """Hard <i>decisions</i>."""
    return (llr < 0).astype(np.uint8)


def hostile_study():
    ml = {"decoder": "ml", "label": HOSTILE}
    rare = {"decoder": "ml", "method": "rare", "ebn0_db": 8}
    code = fecnn.Code.from_generator(np.eye(3, 5, dtype=int) + np.eye(3, 5, 2, dtype=int), name=HOSTILE)
    return fecnn.make_study(
        "s", title=HOSTILE, question=HOSTILE, code=code, ebn0_db=[1, 2], curves=[ml, rare]
    )


ESTIMATE = fecnn.Estimate(2.0923e-11, 2.0915e-11, 2.0926e-11, "union", 16384, 5.7e7)

SHOWN = {
    "code": lambda study: study.points[0].code,
    "study": lambda study: study,
    "decoder": lambda study: fecnn.decoder("osd", study.points[0].code, order=1),
    "measured": lambda study: fecnn.decoder("grand", study.points[0].code),
    "soft decoder": lambda study: fecnn.soft_decoder("map", study.points[0].code),
    "function": lambda study: fecnn.decoder(mine, study.points[0].code),
    "nothing yet": lambda study: Progress(study.points[0], Tally(), False),
    "progress": lambda study: Progress(study.points[0], Tally(frames=1000, block_errors=20), True),
    "failure": lambda study: Progress(study.points[0], Tally(), False, failure=HOSTILE),
    "refusal": lambda study: Estimation(study.rare_points[0], refusal=HOSTILE),
    "estimation": lambda study: Estimation(study.rare_points[0], ESTIMATE),
    "estimate": lambda study: ESTIMATE,
}


@pytest.mark.parametrize("kind", SHOWN)
def test_all_text_is_escaped_and_nothing_is_fetched_or_coloured(kind):
    html = SHOWN[kind](hostile_study())._repr_html_()
    read = Read(html)
    assert read.tags <= set("b div path span svg table tbody td th thead title tr".split())
    assert HOSTILE in read.text or kind.startswith("estimat")  # which have no name
    markup = re.sub(">[^<]*<", "><", html)
    assert not re.search(r"https?:|src=|href=|url\(|@import|\son\w+=", markup)
    assert not re.search(r"(?<!-)color:|background|#[0-9a-f]{3}", markup)
    assert len(html) < 10_000


def test_a_code_shows_its_size_its_distance_and_its_checks():
    code = fecnn.load_code("bch-31-21")
    read = Read(code._repr_html_())
    shown = [read.cell(name) for name in ("n", "k", "rate", "minimum distance", "H")]
    assert shown == ["31", "21", "0.677", "5", "10 x 31"]
    assert read.squares == code.H.sum()


def test_a_distance_is_shown_only_if_it_is_known():
    code = fecnn.Code.from_generator([[1, 0, 1], [0, 1, 1]])
    assert "minimum distance" not in Read(code._repr_html_()).text
    code.weight_spectrum()
    assert Read(code._repr_html_()).cell("minimum distance") == "2"
    long = fecnn.load_code("bch-127-64")  # which nobody counts
    assert Read(long._repr_html_()).cell("minimum distance") == f"{long.minimum_distance} (stated)"


def test_large_matrices_are_not_drawn():
    assert Read(picture(np.eye(200, dtype=np.uint8), "H")).squares == 200
    assert picture(np.eye(257, dtype=np.uint8), "H") == ""
    assert picture(np.ones((MOST_ONES + 1, 1), np.uint8), "H") == ""
    assert picture(np.ones((0, 3), np.uint8), "H") == ""


def test_a_decoder_says_how_it_was_made_and_who_published_it():
    code = fecnn.hamming(3)
    read = Read(fecnn.decoder("osd", code, fecnn.AWGN.at(3.0, code.rate), order=1)._repr_html_())
    assert read.cell("options") == "order=1"
    assert read.cell("channel") == "AWGN, sigma 0.662"
    assert read.text.count("Fossorier and Lin") == 1
    assert "soft decoder of hamming-7-4" in Read(fecnn.soft_decoder("map", code)._repr_html_()).text
    own = Read(fecnn.decoder(mine, code)._repr_html_())
    assert "Hard <i>decisions</i>." in own.text


def test_your_own_function_is_not_taken_for_the_built_in_of_its_name():
    def osd(llr):
        return (llr < 0).astype(np.uint8)

    osd.__qualname__ = "osd"
    assert "Fossorier" not in fecnn.decoder(osd, fecnn.hamming(3))._repr_html_()


def test_a_study_has_a_row_for_each_curve():
    study = hostile_study()
    read = Read(study._repr_html_())
    assert [row[0] for row in read.rows[1:]] == [f"{HOSTILE}: ml", "exact ML (estimated)"]
    assert read.cell("stops after") == "100 block errors"
    assert [row[-2:] for row in read.rows[1:]] == [["1, 2", "2"], ["8", "1"]]
    assert repr(study) == str(study) == "Study(s: 2 curves)"


def test_a_large_study_is_cut():
    study = fecnn.load_study("published-nets-table")
    read = Read(study._repr_html_())
    assert len(read.rows) == 21
    assert f"and {len(study.curves) - 20} more curves" in read.text


def test_progress_shows_counts_with_their_interval():
    (point, _) = hostile_study().points
    low, high = fecnn.proportion_interval(20, 1000)
    bler = f"2.00e-02 [{low:.2e}, {high:.2e}]"
    progress = Progress(point, Tally(frames=1000, block_errors=20), True)
    read = Read(progress._repr_html_())
    assert read.cell("frames") == "1,000"
    assert read.cell("BLER [95 %]") == bler
    assert str(progress) == f"{HOSTILE} 1 dB: 1,000 frames, 20 block errors, BLER {bler}"


def test_an_estimate_shows_enough_digits_to_tell_its_ends_apart():
    wide = replace(ESTIMATE, low=1e-11, high=3e-11)
    exact = replace(ESTIMATE, low=ESTIMATE.value, high=ESTIMATE.value)
    assert str(ESTIMATE) == "BLER 2.0923e-11 [2.0915e-11, 2.0926e-11] by union, 16,384 words"
    assert Read(wide._repr_html_()).rows[1] == ["2.09e-11 [1.00e-11, 3.00e-11]", "union", "16,384", "5.7e+07"]
    assert "2.09e-11 [2.09e-11, 2.09e-11]" in str(exact)
