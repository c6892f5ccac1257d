"""Mutants of trees: tables and lists with values and keys changed, written as TOML or JSON."""

import copy
import json
import math


class Raw(str):
    """Text that stands in a file as it is."""


# fmt: off
LEAVES = (
    0, 1, -1, 2, 3, 4, 7, 8, 100, 16384, 16385, 10**5, 10**9, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63),
    10**30, 0.0, -0.0, 0.5, 1.0, 1.5, -1.5, 1e9, 1e308, 1e-308, math.nan, math.inf, -math.inf, True, False,
    "", " ", "x", "7", "ml", "\0", "\x7f", "é", "a\nb", "../../..", "/", "./", "/dev/null", "x.toml",
    "\0.alist", "./\0", "x" * 300 + ".toml", "hostile.toml", "a" * 20_000, "[]", "{}",
    "uncoded", "hamming-7-4", "spc-3",
    "repetition-16384", "uncoded-99999999", "bch-15-7", "os:system", ":", "a:", ":b", "1" * 5000,
    [], [[]], [0], [1, 1], [-1], [10**9], [0.5], ["x"], [[0, 1], [1]], {}, {"a": 1},
    {"": 1}, {"a": {"b": []}}, Raw("9" * 5000), Raw("0x" + "f" * 5000),
    Raw("[" * 3000 + "]" * 3000), Raw("1979-05-27T07:32:00Z"),
    Raw("0b1"), Raw("1979-13-27"), Raw("null"), Raw("00:00:61"), Raw("1e999"), Raw("0o7"), Raw("'''x'''"),
    Raw("?"), Raw(""),
)
# fmt: on


def warped(rng, tree, words):
    """A tree with a few values and keys replaced, dropped, moved, repeated or wrapped."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
        places = list(slots(tree))
        if not places:
            break
        rng.choice(WARPS)(rng, *rng.choice(places), words, places)
    return tree


def slots(tree):
    """Every place of a tree, as its container and key."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from slots(tree[key])


def replace(rng, where, key, words, places):
    where[key] = copy.deepcopy(rng.choice(words if words and rng.random() < 0.3 else LEAVES))


def drop(rng, where, key, words, places):
    del where[key]


def copy_from_elsewhere(rng, where, key, words, places):
    there, other = rng.choice(places)
    where[key] = copy.deepcopy(there[other])


def rename(rng, where, key, words, places):
    if isinstance(where, dict):
        where[name_of(rng, words)] = where.pop(key)


def enlarge(rng, where, key, words, places):
    if isinstance(where[key], list):
        where[key] = where[key] * rng.choice((1, 2, 3, 100, 3000))
    elif isinstance(where[key], int) and not isinstance(where[key], bool):
        where[key] += rng.choice((-1, 1, 8, 1 << 20, 1 << 40))


def wrap(rng, where, key, words, places):
    where[key] = rng.choice(([where[key]], {"a": where[key]}))


def add(rng, where, key, words, places):
    if isinstance(where, list):
        where.insert(key, copy.deepcopy(where[key]))
    else:
        where[name_of(rng, words)] = rng.choice(LEAVES)


def name_of(rng, words):
    name = rng.choice(words) if words else "x"
    return name if isinstance(name, str) else "x"


WARPS = (*[replace] * 4, drop, copy_from_elsewhere, rename, enlarge, wrap, add)


def toml(tree):
    """A table as TOML."""
    lines = (f"{json.dumps(str(key))} = {text_of(value, ' = ')}\n" for key, value in tree.items())
    return "".join(lines).encode("utf-8", "surrogatepass")


def as_json(tree):
    """A tree as JSON."""
    return text_of(tree, ": ").encode("utf-8", "surrogatepass")


def text_of(value, equals):
    """A value as TOML (``equals`` is " = ") or JSON (": ")."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        items = (f"{json.dumps(str(key))}{equals}{text_of(entry, equals)}" for key, entry in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(text_of(entry, equals) for entry in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return repr(value)
