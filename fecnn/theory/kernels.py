"""Numba kernels for bounds. They take arrays and do not validate: their callers do."""

from fecnn.jit import kernel, popcount


@kernel
def add_company(words, chosen, kinds, ratio, company):
    """Add to company[c, kind] how often each other word of a kind also wins, given that word chosen[c] does.

    Args:
        words: (N, W) u8 packed.
        chosen: (C,) i8, places of words.
        kinds: (N,) i8, the kind of each word.
        ratio: (kinds, kinds, n + 1) f8: that probability for a word of the first kind that wins, another of
            the second, and a number of ones in common.
        company: (C, kinds) f8.
    """
    for c in range(len(chosen)):
        i = chosen[c]
        for j in range(len(words)):
            if i != j:
                common = 0
                for part in range(words.shape[1]):
                    common += popcount(words[i, part] & words[j, part])
                company[c, kinds[j]] += ratio[kinds[i], kinds[j], common]
