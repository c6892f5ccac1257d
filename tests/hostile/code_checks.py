"""What holds for any code that a loader returns."""

from hostile.target import check


def check_code(code):
    check(code.G.shape == (code.k, code.n) and code.k >= 1, "shape of G")
    if code.n <= 1000:  # the tables that encode a long code are large
        check(not code.syndrome(code.G).any(), "G H^T is not 0")
