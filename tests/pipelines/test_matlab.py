"""Frames in columns. MATLAB itself is not here: it hands over doubles, as memory in column order."""

import numpy as np
import pytest

import fecnn
from fecnn.pipelines.matlab import Columns

CODE = fecnn.load_code("bch-31-21")


@pytest.mark.parametrize("output", ["code", "message"])
def test_columns_are_the_frames_of_the_decoder(output, rng):
    llr = rng.normal(1, 1.5, (200, 31))
    decode = Columns("osd", "bch-31-21", output=output, order=1.0)
    rows = fecnn.decoder("osd", CODE, output=output, order=1)(llr.astype(np.float32))
    for columns in (np.asfortranarray(llr.T), memoryview(np.asfortranarray(llr.T)), llr.T.tolist()):
        found = decode(columns)
        assert found.dtype == np.uint8
        assert (found == rows.T).all()
    assert (decode(llr[0]) == rows[0]).all()
    assert decode(np.empty((31, 0))).shape == (rows.shape[1], 0)


@pytest.mark.parametrize("shape", [(200, 31), (31, 2, 2), ()])
def test_frames_in_rows_are_refused(shape):
    with pytest.raises(ValueError, match="have n = 31 rows and a column for each frame"):
        Columns("ml", "bch-31-21")(np.ones(shape))


def test_fractions_stay_fractions():
    with pytest.raises(TypeError, match=r"got 1\.5"):
        Columns("osd", "bch-31-21", order=1.5)
