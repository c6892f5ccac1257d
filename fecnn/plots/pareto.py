"""The figure of gap against cost: the gap to ML against operations and time, one mark per decoder."""

from typing import TYPE_CHECKING, Unpack

from fecnn.plots.figure import picture
from fecnn.plots.style import Options, styled
from fecnn.plots.tradeoffs import tradeoff_scene
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def plot_pareto(study: Study, results: "pd.DataFrame", **options: Unpack[Options]) -> "Figure":
    """Draw the gap to ML at BLER 1e-3 against operations per message bit and microseconds per frame.

    There is one row per code. Bars are 95 % intervals; the line joins the decoders that no other beats in
    both. Lines below say which curves and codes are missing, and why.

    Args:
        study: The study.
        results: Its table, from `fecnn.table`.
        options: As for `fecnn.plots.style.styled`, except ranges.

    Raises:
        ValueError: If no curve has a gap to ML, or a range is given.
    """
    dress = styled(**options)
    if dress.xlim or dress.ylim:
        raise ValueError("xlim and ylim are for error rates; leave them out of a figure of gaps against cost")
    scene = tradeoff_scene(study, results)
    if not scene.panels:
        raise ValueError(f"no curve of {study.name} reaches BLER 1e-3 together with exact ML of its code")
    return picture(scene, dress)
