"""Tables of text as Markdown, CSV and LaTeX."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fecnn._files.text import cell
from fecnn.analysis.table import FEW_ERRORS
from fecnn.channels.axis import AXES
from fecnn.errors import nearest

if TYPE_CHECKING:
    import pandas as pd

FOOTNOTE = f"* fewer than {FEW_ERRORS} block errors"


def has_star(shown: "pd.DataFrame") -> bool:
    """Whether a count in a table has the star that `FOOTNOTE` explains."""
    return "block errors" in shown and bool(shown["block errors"].str.endswith("*").any())


def chosen(shown: "pd.DataFrame", columns: Sequence[str]) -> "pd.DataFrame":
    """Some columns of a table, in the order given; a name may leave out the unit or interval in brackets.

    Raises:
        LookupError: If there is no such column, with the closest ones.
    """
    short = {form(name).lower(): name for name in shown.columns for form in (_brief, str)}
    for name in columns:
        if name.lower() not in short:
            raise LookupError(
                f"no column {name!r}; {nearest(name, [_brief(known) for known in shown.columns])}"
            )
    return shown[[short[name.lower()] for name in columns]]


def _brief(name: str) -> str:
    return name.partition(" [")[0]


def with_half_widths(shown: "pd.DataFrame") -> "pd.DataFrame":
    """A table in which rates have half the width of their interval, in percent, instead of both ends.

    Example:
        >>> import pandas as pd
        >>> with_half_widths(pd.DataFrame({"BLER [95 %]": ["1.80e-03 [1.60e-03, 2.00e-03]"]}))
                   BLER
        0  1.8e-03 ±11%
    """
    narrow = shown.map(lambda text: _INTERVAL.sub(_half_width, text))
    return narrow.rename(columns=lambda name: name.removesuffix(" [95 %]"))


_INTERVAL = re.compile(r"(\d\.\d+e[-+]\d+) \[(\d\.\d+e[-+]\d+), (\d\.\d+e[-+]\d+)\]")


def _half_width(match: re.Match[str]) -> str:
    rate, low, high = (float(match[i]) for i in (1, 2, 3))
    return f"{rate:.1e} ±{(high - low) / 2 / rate:.0%}" if rate else f"below {high:.1e}"


def markdown(shown: "pd.DataFrame") -> str:
    """A table of text in Markdown, with the footnote if there is a star."""
    lines = ["| " + " | ".join(shown.columns) + " |", "|" + "---|" * len(shown.columns)]
    rows = shown.itertuples(index=False, name=None)
    lines += ["| " + " | ".join(text.replace("|", "\\|") for text in row) + " |" for row in rows]
    return "\n".join(lines) + "\n" + (f"\n{FOOTNOTE}\n" if has_star(shown) else "")


def csv_text(table: "pd.DataFrame") -> str:
    r"""A table as CSV in which no spreadsheet takes text for a formula.

    Example:
        >>> import pandas as pd
        >>> csv_text(pd.DataFrame({"curve": ["=1+1"], "ebn0_db": [-1.5]}))
        "curve,ebn0_db\n'=1+1,-1.5\n"
    """
    harmless = table.copy()
    for name in table.columns:
        if table[name].dtype.kind not in "biuf":
            harmless[name] = [cell(value) if isinstance(value, str) else value for value in table[name]]
    return str(harmless.to_csv(index=False, lineterminator="\n"))


def latex(shown: "pd.DataFrame") -> str:
    r"""A table of text as a LaTeX tabular, with booktabs and the numbers for siunitx.

    Rows of the same first entry are set apart, and the entry is written once.

    Example:
        >>> import pandas as pd
        >>> print(latex(pd.DataFrame({"decoder": ["osd"], "BLER [95 %]": ["1.8e-03 [1.7e-03, 1.9e-03]"]})))
        % \usepackage{booktabs, siunitx}
        \begin{tabular}{lr}
        \toprule
        decoder & BLER [95\,\%] \\
        \midrule
        osd & \num{1.8e-03} [\num{1.7e-03}, \num{1.9e-03}] \\
        \bottomrule
        \end{tabular}
        <BLANKLINE>
    """
    numeric = [all(not text or _is_number(text) for text in shown[name]) for name in shown.columns]
    grouped = shown.columns[0] in {axis.label for axis in AXES.values()}
    lines, last = [], None
    for row in shown.itertuples(index=False, name=None):
        texts = [
            _latex_numbers(text) if number else _latex_text(text)
            for text, number in zip(row, numeric, strict=True)
        ]
        if grouped and last is not None:
            if row[0] == last:
                texts[0] = ""
            else:
                lines.append(r"\addlinespace")
        last = row[0]
        lines.append(" & ".join(texts) + r" \\")
    heads = " & ".join(_latex_text(name).replace(r" \%", r"\,\%") for name in shown.columns)
    columns = "".join("r" if number else "l" for number in numeric)
    body = [r"\toprule", heads + r" \\", r"\midrule", *lines, r"\bottomrule"]
    text = [r"% \usepackage{booktabs, siunitx}", rf"\begin{{tabular}}{{{columns}}}", *body, r"\end{tabular}"]
    if has_star(shown):
        text.append(f"% {FOOTNOTE}")
    return "\n".join(text) + "\n"


_NUMBER = r"-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:\*|(?: \[{_NUMBER}, {_NUMBER}\])?)")


def _is_number(text: str) -> bool:
    return _NUMBERS.fullmatch(text) is not None


def _latex_numbers(text: str) -> str:
    def number(match: re.Match[str]) -> str:
        return rf"\num{{{match[0].replace(',', '')}}}"

    return re.sub(r"-?\d[\d,]*\d(?:\.\d+)?(?:e[-+]?\d+)?|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", number, text)


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: rf"\{sign}" for sign in "&%$#_{}"},
}


def _latex_text(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
