"""Tables as text: LaTeX, chosen columns, half widths, stars."""

import re

import pandas as pd
import pytest

from fecnn.analysis.table import display, table
from fecnn.analysis.texts import FOOTNOTE, chosen, has_star, latex, markdown, with_half_widths
from fecnn.studies.study import load_study


@pytest.fixture(scope="module")
def shown():
    study = load_study("optimal-hamming-7-4")
    return display(study, table(study, study.path.parent / "results.csv"))


def test_latex_is_a_whole_tabular_with_every_number(shown):
    text = latex(shown)
    lines = text.splitlines()
    assert lines[0] == r"% \usepackage{booktabs, siunitx}"
    assert lines[1] == r"\begin{tabular}{rlrrrrrrl}"
    assert lines[2] == r"\toprule"
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
    rows = [line for line in lines if line.endswith(r" \\")]
    assert len(rows) == len(shown) + 1
    assert all(row.count(" & ") == len(shown.columns) - 1 for row in rows)
    first = shown.iloc[0]
    numbers = re.findall(r"\\num{([^}]*)}", rows[1])
    assert numbers[:3] == ["0", first["frames"].replace(",", ""), first["block errors"].replace(",", "")]
    assert text.count(r"\addlinespace") == shown["Eb/N0 [dB]"].nunique() - 1


def test_latex_escapes_what_latex_would_read():
    text = latex(pd.DataFrame({"decoder": [r"a_b & 50% #1 {x} ~^\y $"]}))
    assert r"a\_b \& 50\% \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{}y \$" in text


def test_a_footnote_is_there_where_there_is_a_star(shown):
    few = shown.assign(**{"block errors": "7*"})
    assert has_star(few)
    assert markdown(few).endswith(f"\n{FOOTNOTE}\n")
    assert latex(few).endswith(f"% {FOOTNOTE}\n")
    assert r"\num{7}*" in latex(few)
    enough = shown.assign(**{"block errors": "700"})
    assert FOOTNOTE not in markdown(enough) + latex(enough)


def test_columns_are_chosen_by_their_short_names(shown):
    assert list(chosen(shown, ["BLER", "decoder"]).columns) == ["BLER [95 %]", "decoder"]
    assert list(chosen(shown, ["BLER [95 %]"]).columns) == ["BLER [95 %]"]
    with pytest.raises(LookupError, match="no column 'BELR'; did you mean BER or BLER"):
        chosen(shown, ["BELR"])


def test_half_widths():
    table = pd.DataFrame({"BLER [95 %]": ["1.79e-01 [1.76e-01, 1.82e-01]", "0.00e+00 [0.00e+00, 5.63e-05]"]})
    assert with_half_widths(table)["BLER"].tolist() == ["1.8e-01 ±2%", "below 5.6e-05"]
