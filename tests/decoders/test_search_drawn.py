"""What docs/exact-search.md shows of the search: its table, and the patterns that its figure leaves."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import fecnn

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def drawn():
    return runpy.run_path(str(ROOT / "tools" / "draw_search.py"))


def test_the_table_shown_is_that_of_the_decoder(drawn):
    """Made by tools/draw_search.py."""
    found = drawn["levels"]()
    assert drawn["BEGIN"] + drawn["table"](found) + drawn["END"] in drawn["PAGE"].read_text()
    assert not any(level.uncertified for level in found)
    for figure in ("WORK_FIGURE", "PAIRS_FIGURE"):
        assert (ROOT / drawn[figure]).is_file()
        assert drawn[figure].removeprefix("docs/") in drawn["PAGE"].read_text()


def test_the_bounds_leave_as_many_patterns_as_the_decoder_tries(drawn):
    """Where order 0 wins, the limit never moves: the decoder tries what the bounds leave, one by one."""
    code = fecnn.load_code(drawn["CODE"])
    llr = drawn["llrs"](2.0, 300)
    words, effort = fecnn.decoder("ml", code, method="search").measure(llr)
    compared = 0
    for one, word, work in zip(llr, words, effort.work, strict=True):
        if not code.syndrome((one < 0).astype(np.uint8)).any() or not 0 < work <= 300:
            continue
        found = drawn["pattern_of"](one, code, code.minimum_distance)
        best = np.abs(one, dtype=np.float64)[(one < 0) != word].sum()
        if found.start == pytest.approx(best, rel=1e-9):
            compared += 1
            assert found.count_below(found.start) == work
    assert compared > 50
