"""Small networks of every kind."""

NETWORKS = {
    "fecnn-net": {"iterations": 2, "width": 4},
    "ecct": {"layers": 1, "width": 8, "heads": 2},
    "crossmpt": {
        "layers": 2,
        "width": 8,
        "heads": 2,
        "shared": True,
        "checks": "light",
    },
    "literature-mlnn": {"hidden": [5, 3]},
    "literature-slnn": {"hidden": [4]},
}
OPTIONS = (
    "iterations limit width orbits reference_ebn0_db supports layers shared heads dropout checks hidden code"
).split()
