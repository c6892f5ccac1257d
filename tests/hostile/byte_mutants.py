"""Mutants of bytes: a few spans of a file are damaged, without regard for what they mean."""

import re

NUMBERS = (
    b"0 1 -1 2 3 7 8 15 255 256 16384 16385 32768 65536 999999999 2147483648 4294967296 9223372036854775807 "
    b"9223372036854775808 18446744073709551616 1e9 1e308 1e999 1e-999 -0.0 1.5 .5 5. 1_0 0x10 nan inf -inf "
    b"NaN Infinity 1e-320 +1 00 \xd9\xa1"
).split()
LONG_NUMBERS = (b"9" * 400, b"9" * 5000, b"0x" + b"f" * 5000, b"0." + b"3" * 5000, b"1" * 70_000)
LENGTHS = (1, 1, 1, 2, 3, 4, 8, 16, 64, 256)


def damaged(rng, content, tokens):
    """Bytes with a few spans flipped, cut, repeated, swapped, or replaced by tokens or noise."""
    text = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 9))):
        start = rng.randrange(len(text) + 1)
        span = slice(start, min(len(text), start + rng.choice(LENGTHS)))
        rng.choice(DAMAGES)(rng, text, span, tokens)
    return bytes(text)


def noise(rng):
    """Bytes of no meaning, or text of a small alphabet."""
    if rng.random() < 0.5:
        return rng.randbytes(rng.choice((0, 1, 2, 10, 100, 1000)))
    return bytes(rng.choices(b'0123 \n\t-.,"=[]{}#', k=rng.choice((1, 5, 30, 200))))


def flip_bit(rng, text, span, tokens):
    if span.start < span.stop:
        text[span.start] ^= 1 << rng.randrange(8)


def cut(rng, text, span, tokens):
    del text[span]


def cut_tail(rng, text, span, tokens):
    if rng.random() < 0.4:
        del text[span.start :]


def insert_token(rng, text, span, tokens):
    text[span.start : span.start] = rng.choice(tokens)


def replace_by_token(rng, text, span, tokens):
    text[span] = rng.choice(tokens)


def replace_by_noise(rng, text, span, tokens):
    text[span] = rng.randbytes(rng.choice(LENGTHS))


def repeat(rng, text, span, tokens):
    text[span.start : span.start] = text[span] * rng.choice((1, 1, 2, 5, 300))


def copy_from_elsewhere(rng, text, span, tokens):
    start = rng.randrange(len(text) + 1)
    text[span] = text[start : start + rng.choice(LENGTHS)]


def replace_number(rng, text, span, tokens):
    numbers = list(re.finditer(rb"\d+", text[:20_000]))
    if numbers:
        number = rng.choice(numbers)
        text[number.start() : number.end()] = rng.choice(LONG_NUMBERS if rng.random() < 0.05 else NUMBERS)


def swap_lines(rng, text, span, tokens):
    lines = bytes(text).split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    text[:] = b"\n".join(lines)


def drop_or_repeat_line(rng, text, span, tokens):
    lines = bytes(text).split(b"\n")
    line = rng.randrange(len(lines))
    lines[line : line + 1] = [lines[line]] * rng.choice((0, 0, 2, 2, 3, 50))
    text[:] = b"\n".join(lines)


DAMAGES = (
    flip_bit,
    cut,
    cut_tail,
    insert_token,
    replace_by_token,
    replace_by_noise,
    repeat,
    copy_from_elsewhere,
    replace_number,
    replace_number,  # twice as often
    swap_lines,
    drop_or_repeat_line,
)
