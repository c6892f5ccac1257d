import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fecnn.codes import gf2


def matrices(largest=12):
    """Bits of any rank, across the 64-bit word boundary."""
    shapes = st.tuples(st.integers(1, largest), st.integers(1, 140))
    return shapes.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1)))


def spanned(matrix):
    """The row space as a set of bytes, by brute force."""
    words = {bytes(matrix.shape[1])}
    for row in matrix:
        words |= {bytes(np.frombuffer(word, np.uint8) ^ row) for word in words}
    return words


@given(matrices())
def test_pack_and_unpack_are_inverse(bits):
    assert np.array_equal(gf2.unpack(gf2.pack(bits), bits.shape[1]), bits)


def test_pack_puts_bit_j_at_bit_j_of_word_j_over_64():
    bits = np.zeros((3, 130), np.uint8)
    bits[0, 0] = bits[1, 63] = bits[2, 129] = 1
    assert gf2.pack(bits).tolist() == [[1, 0, 0], [1 << 63, 0, 0], [0, 0, 2]]


@given(matrices(largest=7))
def test_rref_keeps_the_row_space_and_has_unit_pivots(matrix):
    reduced, pivots = gf2.rref(matrix)
    assert spanned(reduced) == spanned(matrix)
    assert np.array_equal(reduced[:, pivots], np.eye(len(pivots), dtype=np.uint8))
    assert pivots == sorted(set(pivots))
    assert all(not row[:pivot].any() for row, pivot in zip(reduced, pivots, strict=True))


@given(matrices())
def test_rref_is_idempotent(matrix):
    reduced, pivots = gf2.rref(matrix)
    again, pivots_again = gf2.rref(reduced)
    assert np.array_equal(again, reduced)
    assert pivots_again == pivots


@given(matrices(largest=7), st.randoms())
def test_rref_takes_pivots_in_the_given_order(matrix, random):
    order = list(range(matrix.shape[1]))
    random.shuffle(order)
    reduced, pivots = gf2.rref(matrix, order=order)
    assert spanned(reduced) == spanned(matrix)
    assert np.array_equal(reduced[:, pivots], np.eye(len(pivots), dtype=np.uint8))
    shuffled_reduced, shuffled_pivots = gf2.rref(np.ascontiguousarray(matrix[:, order]))
    assert pivots == [order[pivot] for pivot in shuffled_pivots]
    assert np.array_equal(reduced[:, order], shuffled_reduced)


@given(matrices(largest=7))
def test_rank_is_log2_of_the_row_space(matrix):
    assert 2 ** gf2.rank(matrix) == len(spanned(matrix))


@given(matrices(), st.integers(0, 2**32))
def test_rank_of_the_transpose_and_of_shuffled_rows_is_the_same(matrix, seed):
    shuffled = np.random.default_rng(seed).permutation(matrix)
    assert gf2.rank(matrix) == gf2.rank(np.ascontiguousarray(matrix.T)) == gf2.rank(shuffled)


@given(matrices())
def test_null_space_is_a_basis_of_all_solutions(matrix):
    basis = gf2.null_space(matrix)
    n = matrix.shape[1]
    assert basis.shape == (n - gf2.rank(matrix), n)
    assert gf2.rank(basis) == len(basis)
    assert not (matrix.astype(int) @ basis.T % 2).any()


def test_a_matrix_without_rows_has_rank_zero_and_everything_in_its_null_space():
    empty = np.zeros((0, 5), np.uint8)
    assert gf2.rank(empty) == 0
    assert np.array_equal(gf2.null_space(empty), np.eye(5, dtype=np.uint8))


@given(matrices())
def test_right_inverse_of_a_full_rank_matrix(matrix):
    basis = gf2.rref(matrix)[0]
    if len(basis) == 0:
        return
    inverse = gf2.right_inverse(basis)
    assert np.array_equal(basis.astype(int) @ inverse % 2, np.eye(len(basis), dtype=int))
    assert inverse.any(axis=1).sum() <= len(basis)


@given(st.integers(1, 9), st.integers(0, 80), st.integers(0, 2**32))
def test_right_inverse_picks_the_systematic_positions(k, parity, seed):
    rng = np.random.default_rng(seed)
    G = np.concatenate([np.eye(k, dtype=np.uint8), rng.integers(0, 2, (k, parity), np.uint8)], axis=1)
    inverse = gf2.right_inverse(G)
    unit_columns = G.sum(axis=0) == 1
    assert not inverse[~unit_columns].any()
    assert (inverse.sum(axis=0) == 1).all()


def test_right_inverse_refuses_dependent_rows():
    with pytest.raises(ValueError, match=r"shape \(2, 3\) has rank 1; a right inverse needs rank 2"):
        gf2.right_inverse(np.array([[1, 0, 1], [1, 0, 1]], np.uint8))


@given(matrices(largest=40), st.integers(0, 5), st.integers(0, 2**32))
def test_linear_map_is_the_product_modulo_two(matrix, frames, seed):
    bits = np.random.default_rng(seed).integers(0, 2, (frames, len(matrix)), np.uint8)
    mapped = gf2.LinearMap(matrix)(bits)
    assert mapped.dtype == np.uint8
    assert np.array_equal(mapped, bits.astype(int) @ matrix % 2)


def test_linear_map_takes_any_leading_axes_and_strides():
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 2, (11, 70), np.uint8)
    bits = rng.integers(0, 2, (3, 4, 22), np.uint8)[..., ::2]
    expected = bits.astype(int) @ matrix % 2
    assert np.array_equal(gf2.LinearMap(matrix)(bits), expected)
    assert np.array_equal(gf2.LinearMap(matrix)(bits[0, 0]), expected[0, 0])
    assert gf2.LinearMap(matrix)(bits[:0]).shape == (0, 4, 70)


def test_the_rank_of_a_null_space_takes_no_elimination():
    """One check of a long code: its generator has a column of ones, and the identity."""
    basis = gf2.null_space(np.ones((1, 6000), np.uint8))
    begun = time.process_time()
    assert gf2.rank(basis) == 5999
    assert time.process_time() - begun < 3  # 0.2 s, where pivots from the left take 6
