"""Dashes and markers of the page's charts, as SVG."""

DASHES = {"solid": "none", "dash": "6 3", "dot": "2 2.5", "dashdot": "7 2.5 2 2.5", "longdash": "11 4"}
"""The ``stroke-dasharray`` of each dash."""

SHAPES = {
    "circle": "M-4 0A4 4 0 1 1 4 0A4 4 0 1 1-4 0Z",
    "square": "M-4-4H4V4H-4Z",
    "triangle-up": "M0-5L5 4H-5Z",
    "triangle-down": "M0 5L5-4H-5Z",
    "triangle-left": "M-5 0L4-5V5Z",
    "triangle-right": "M5 0L-4-5V5Z",
    "diamond": "M0-5L5 0L0 5L-5 0Z",
    "pentagon": "M0-5L5-1.4L3 4.3H-3L-5-1.4Z",
    "hexagon": "M0-5L4.4-2.5V2.5L0 5L-4.4 2.5V-2.5Z",
    "cross": "M-1.5-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5V-1.5H-1.5Z",
    "x": "M-3-5L0-2L3-5L5-3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0L-5-3Z",
    "x-thin": "M-4-4L4 4M4-4L-4 4",
    "cross-thin": "M-5 0H5M0-5V5",
    "y-down": "M-4-4L0 0L4-4M0 0V5",
    "y-up": "M-4 4L0 0L4 4M0 0V-5",
    "y-left": "M4-4L0 0L4 4M0 0H-5",
    "y-right": "M-4-4L0 0L-4 4M0 0H5",
    "line-ns": "M0-5V5",
}
"""The path of each marker, about 10 wide around the origin."""
