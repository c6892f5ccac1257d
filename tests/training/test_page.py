import re
import shutil

import pytest

import fecnn
from fecnn.nets.card import checkpoint_folder, read_card
from fecnn.training.page import page


@pytest.mark.parametrize("own", [False, True])
def test_what_the_page_of_a_network_says_can_be_run(own, tmp_path):
    folder = checkpoint_folder("mlnn-100-hamming-7-4")
    if own:
        shutil.copytree(folder, tmp_path / "mine")
    text = page(read_card(folder), str(tmp_path / "mine") if own else "")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {"fecnn": fecnn}
    exec(block, names)
    assert names["decode"](fecnn.bpsk(names["code"].codebook())).any(axis=0).all()
    assert ("trains it again" in text) != own
