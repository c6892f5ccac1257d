"""Mutants of an SQLite file's pages: its header, a page's header, cells, or any bytes."""


def damage_page(rng, content):
    """Damage one place of a database, a bytearray."""
    size = 512 if content[16:17] == b"\2" else 4096
    if len(content) >= size:
        rng.choice(DAMAGES)(rng, content, size)


def file_header(rng, content, size):
    at = rng.choice((16, 18, 19, 20, 21, *range(24, 72, 4)))
    width = {16: 2}.get(at, 1 if at < 24 else 4)
    number = rng.choice((0, 1, 2, 255, 512, 2**31, 2**32 - 1, rng.getrandbits(32)))
    content[at : at + width] = number.to_bytes(4, "big")[-width:]


def page_header(rng, content, size):
    page = rng.randrange(len(content) // size) * size
    at = page + (100 if page == 0 else 0) + rng.randrange(24)
    content[at] = rng.choice((0, 1, 2, 5, 10, 13, 127, 128, 255, rng.getrandbits(8)))


def one_bit(rng, content, size):
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def some_bytes(rng, content, size):
    at = rng.randrange(len(content))
    content[at : at + 16] = rng.randbytes(min(16, len(content) - at))


def swapped_pages(rng, content, size):
    one, other = (slice(at, at + size) for at in rng.choices(range(0, len(content), size), k=2))
    content[one], content[other] = content[other], content[one]


def cut_tail(rng, content, size):
    del content[rng.randrange(len(content)) :]


def cell(rng, content, size):
    """A byte near the end of a page, where cells lie."""
    at = (rng.randrange(len(content) // size) + 1) * size - 1 - rng.randrange(400)
    content[at] = rng.getrandbits(8)


# Each of the last two half as often as any other.
DAMAGES = (
    *[file_header] * 2,
    *[page_header] * 4,
    *[one_bit] * 2,
    *[some_bytes] * 2,
    *[swapped_pages] * 2,
    cut_tail,
    cell,
)
