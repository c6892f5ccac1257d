"""How the curves of a study are named in a legend, and how they are drawn."""

from fecnn.plots.scene import COLOURS, DASHES, DOT, LINE, MARKERS, Look
from fecnn.studies.study import Curve, Study


def labels_of(study: Study) -> dict[str, str]:
    """Legend labels by curve name; with one panel per code, a decoder has the same label in all of them.

    A decoder in a file or a module is called by its function alone, unless that makes two of them alike.
    """
    functions: dict[str, set[str]] = {}
    for curve in study.curves:
        functions.setdefault(curve.decoder.rpartition(":")[2], set()).add(curve.decoder)
    labels = {}
    for curve in study.curves:
        label = curve.what if study.panels == "code" else curve.name
        function = curve.decoder.rpartition(":")[2]
        if curve.label is None and len(functions[function]) == 1 and label.startswith(curve.decoder):
            label = function + label.removeprefix(curve.decoder)
        labels[curve.name] = label
    return labels


def looks_of(study: Study, first: int = 0) -> dict[str, Look]:
    """Looks by curve name; curves with the same label share a look.

    An estimated curve continues the counted one of the same decoder and has its colour.
    """
    labels = labels_of(study)
    distinct = list(dict.fromkeys(labels.values()))
    places = {name: distinct.index(label) for name, label in labels.items()}
    for curve in study.curves:
        same = [other for other in study.curves if other.method is None and _is_same(curve, other)]
        if curve.method == "rare" and same:
            places[curve.name] = places[same[0].name]
    return {name: look(first + place) for name, place in places.items()}


def _is_same(curve: Curve, other: Curve) -> bool:
    """Whether two curves have the same decoder, if maybe on two codes; every method of ``ml`` is exact."""
    return curve.decoder == other.decoder and (curve.decoder == "ml" or curve.options == other.options)


def look(place: int) -> Look:
    """The look of the curve at a place in the legend."""
    colour, dash, marker = (known[place % len(known)] for known in (COLOURS, DASHES, MARKERS))
    return Look(colour, dash, LINE, marker, DOT)
