"""Pictures for LaTeX: their structure, as no LaTeX is at hand; and that the data in them are the study's."""

import re

import pytest
from study_runs import shipped

from fecnn.nets.card import ZOO, read_card
from fecnn.plots.figure import plot, save
from fecnn.plots.learning import plot_learning
from fecnn.plots.pareto import plot_pareto
from fecnn.plots.scene import CROSSES, DASHES, MARKERS
from fecnn.plots.tikz import _DASHES, _MARKS, escaped

STUDIES = ["optimal-hamming-7-4", "verdict-bch-31-21", "osd-orders"]


def written(figure, path):
    save(figure, path)
    return path.read_text()


def tables(text):
    """The tables of a picture: rows of numbers under their names."""
    found = []
    for body in re.findall(r"table\[[^\]]*\]\{\n(.*?)\n\};", text, re.DOTALL):
        names, *rows = (line.split() for line in body.splitlines())
        assert all(len(row) == len(names) for row in rows)
        found.append([dict(zip(names, map(float, row), strict=True)) for row in rows])
    return found


def check(text):
    """Braces, brackets and environments are closed, and each plot has its table."""
    code = re.sub(r"\\[&%$#_{}]", "", re.sub(r"(?m)(?<!\\)%.*$", "", text))
    for pair in ("{}", "[]"):
        assert code.count(pair[0]) == code.count(pair[1]), pair
    for name in set(re.findall(r"\\begin\{(\w+)\}", code)):
        assert code.count(f"\\begin{{{name}}}") == code.count(f"\\end{{{name}}}") == 1
    assert code.count("\\addplot[") == len(tables(text))
    assert code.count("\\addlegendimage") == code.count("\\addlegendentry")


@pytest.mark.parametrize("name", STUDIES)
def test_a_document_has_every_curve_with_its_counts(name, tmp_path):
    study, results = shipped(name)
    figure = plot(study, results, ["bler"], style="paper")
    text = written(figure, tmp_path / "a.tex")
    check(text)
    assert re.search(r"\\documentclass.*standalone", text)
    assert text.rstrip().endswith(r"\end{document}")
    assert text.count(r"\nextgroupplot[") == len(figure.scene.panels)
    with_counts = {
        tuple((row["x"], row["low"], row["high"], row["frames"], row["block_errors"]) for row in rows)
        for rows in tables(text)
        if "frames" in rows[0] and "low" in rows[0]
    }
    curves = [series for panel in figure.scene.panels for series in panel.series if series.kind == "counted"]
    assert with_counts == {
        tuple(
            (mark.x, float(f"{mark.low:.6g}"), float(f"{mark.high:.6g}"), mark.frames, mark.block_errors)
            for mark in series.seen
        )
        for series in curves
    }
    for _, label in figure.scene.entries:
        assert f"\\addlegendentry{{{escaped(label)}}}" in text
    for note in figure.scene.footnotes:
        assert f"% {note}\n" in text


def test_a_picture_alone_says_what_it_needs(tmp_path):
    study, results = shipped("optimal-hamming-7-4")
    text = written(plot(study, results, legend="none"), tmp_path / "a.tikz")
    check(text)
    assert r"\begin{document}" not in text
    assert r"%   \usepackage{pgfplots}" in text
    assert r"\addlegendentry" not in text


def test_other_figures_are_written_too(tmp_path):
    check(written(plot_pareto(*shipped("verdict-bch-63-45")), tmp_path / "a.tex"))
    check(written(plot_learning(read_card(ZOO / "fecnn-net-bch-31-16")), tmp_path / "b.tex"))
    check(
        written(plot(*shipped("osd-variants"), legend="right", xlim="1:3", ylim="1e-4:1"), tmp_path / "c.tex")
    )
    text = (tmp_path / "c.tex").read_text()
    assert "xmin=1, xmax=3" in text
    assert "ymin=0.0001, ymax=1" in text


def test_names_are_printed_verbatim():
    assert escaped("a_b^c 100 % $x$ {#} ~ \\frac & co") == (
        r"a\_b\textasciicircum{}c 100 \% \$x\$ \{\#\} \textasciitilde{} \textbackslash{}frac \& co"
    )


def test_every_marker_and_dash_is_known():
    assert {*MARKERS, *CROSSES} < set(_MARKS)
    assert len(set(_MARKS.values())) == len(_MARKS)
    assert {*DASHES, "longdash"} < set(_DASHES)
