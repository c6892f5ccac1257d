"""Mutants of TOML: of its text, and of what it says."""

from hostile.byte_mutants import NUMBERS, damaged, noise
from hostile.target import Target
from hostile.tree_mutants import toml, warped


class TomlFile(Target):
    """Subclasses prepare ``trees``, sound tables, and ``words``, the keys and values that mean something."""

    named = "hostile.toml"
    TOKENS = (
        *b"""" ' = [ ] [[ ]] { } , . # \\ \\u \\uD800 \xff \0 \xef\xbb\xbf""".split(b" "),
        *b"true false nan -inf e9 - _ 1979-05-27".split(),
        *(b'"""', b" = ", b"\n", b"\r", b"{ a = 1 }", b"[1]", b"[" * 3000, b"a." * 3000, b"{a=" * 1000),
        *NUMBERS,
    )
    trees: list
    words: list

    def sound(self):
        return [toml(tree) for tree in self.trees]

    def mutant(self, rng):
        kind = rng.random()
        if kind < 0.03:
            return self.files(noise(rng))
        tree = rng.choice(self.trees)
        if kind < 0.65:
            return self.files(toml(self.repaired(rng, warped(rng, tree, self.words))))
        return self.files(damaged(rng, toml(tree), self.TOKENS))

    def repaired(self, rng, tree):
        """A warped tree, with what would hide its other faults put right."""
        return tree
