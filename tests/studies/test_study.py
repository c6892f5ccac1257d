import hashlib
import json
import shutil

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from study_runs import make as study

import fecnn
from fecnn.codes.alist import write_alist
from fecnn.codes.catalogue import load_code
from fecnn.simulation.simulate import run_batch
from fecnn.simulation.stop import Prefix, Stop
from fecnn.simulation.tally import Tally
from fecnn.simulation.task import Task
from fecnn.studies.study import MAX_CURVES, MAX_POINTS, Grid, load_study

HEAD = 'title = "t"\ncode = "hamming-7-4"\nebn0_db = [1.0]\n'
BASE = HEAD + '[[curve]]\ndecoder = "ml"\n'


def refusal(tmp_path, text):
    """The message, without the file's name."""
    with pytest.raises(ValueError, match=r"mine\.toml") as refused:
        study(tmp_path, text).check()
    return str(refused.value).replace(str(tmp_path / "mine.toml"), "FILE")


def test_the_smallest_study_has_documented_defaults(tmp_path):
    plan = study(tmp_path, BASE)
    assert (plan.name, plan.title, plan.channel, plan.batch, plan.seed) == ("mine", "t", "awgn", 4096, 1)
    assert (plan.stop.block_errors, plan.stop.frames) == (100, 10**9)
    (point,) = plan.points
    assert (point.curve, point.task.decoder, point.task.ebn0_db, point.task.options) == ("ml", "ml", 1.0, ())
    assert plan.references == []


WRONG = {
    "key of the study": ('titel = "x"\n' + BASE, "FILE: titel: unknown key; did you mean title?"),
    "key of a curve": (BASE + "lable = 'x'\n", "FILE: curve 1.lable: unknown key; did you mean label?"),
    "key of the rule": (
        BASE + "[stop]\nblock_error = 3\n",
        "FILE: stop.block_error: unknown key; did you mean block_errors?",
    ),
    "key of a curve's rule": (
        BASE + "stop = { framse = 3 }\n",
        "FILE: curve 1.stop.framse: unknown key; did you mean frames?",
    ),
    "key of a grid": (
        BASE + "ebn0_db = { from = 0, to = 1, step = 1, stepp = 1 }\n",
        "curve 1.ebn0_db.stepp: unknown key; did you mean step?",
    ),
    "key like none": (
        BASE + "zzzz = 1\n",
        "unknown key; known: batch, channel, code, crossover, decoder, ebn0_db, erasure, esn0_db, label, "
        "method, options, published, receiver, rel_error, stop",
    ),
    "decoder": (
        HEAD + '[[curve]]\ndecoder = "mll"\n',
        "FILE: curve mll: no decoder 'mll'; did you mean ml or mlnn?",
    ),
    "option": (
        HEAD + '[[curve]]\ndecoder = "osd"\noptions = { ordr = 1 }\n',
        "decoder osd has no option 'ordr'; did you mean order?",
    ),
    "option of none": (BASE + "options = { order = 1 }\n", "decoder ml has no option 'order'"),
    "code": (
        BASE + 'code = "hamming-7-5"\n',
        "such as ./my_code.toml); did you mean hamming-7-4",
    ),
    "channel": (BASE + 'channel = "agwn"\n', "FILE: curve ml: no channel 'agwn'; did you mean awgn?"),
    "plug-in module": (
        HEAD + '[[curve]]\ndecoder = "no_such_module:f"\n',
        "no module 'no_such_module' for decoder 'no_such_module:f'; is it installed",
    ),
    "plug-in function": (HEAD + '[[curve]]\ndecoder = "math:f"\n', "module 'math' has no function 'f'"),
    "plug-in that is no function": (
        HEAD + '[[curve]]\ndecoder = "math:pi"\n',
        "must be a function make(code",
    ),
    "code file": (BASE + 'code = "./nope.toml"\n', "curve ml of ./nope.toml: there is no code file"),
    "alist": (BASE + 'code = "nope.alist"\n', "nope.alist"),
    "no code": (
        'title = "t"\nebn0_db = [1]\n[[curve]]\ndecoder = "ml"\n',
        "curve ml: code is missing; set it for the curve or",
    ),
    "uncoded of nothing": (
        'title = "t"\nebn0_db = [1]\n[[curve]]\ndecoder = "ml"\ncode = "uncoded"\n',
        "curve ml of uncoded: code is missing; set it for the curve or",
    ),
    "no grid": (
        'title = "t"\ncode = "hamming-7-4"\n[[curve]]\ndecoder = "ml"\n',
        "ebn0_db is missing; set it for the curve or",
    ),
    "no curves": (HEAD, "FILE: curve: missing"),
    "no curves at all": ('title = "t"\n', "FILE: curve: missing"),
    "empty curves": (HEAD + "curve = []\n", "FILE: curve: must not be empty"),
    "curve is a number": (HEAD + "curve = [3]\n", "curve 1: must be a table"),
    "no title": (BASE.removeprefix('title = "t"\n'), "FILE: title: missing"),
    "title is a number": (BASE.replace('"t"', "3"), "FILE: title: must be a text in quotes, got 3"),
    "no decoder": (HEAD + "[[curve]]\nlabel = 'x'\n", "FILE: curve 1.decoder: missing"),
    "batch of zero": (
        BASE + "batch = 0\n",
        "FILE: curve 1.batch: must be greater than or equal to 1, got 0",
    ),
    "batch too large": (
        BASE + "batch = 1048577\n",
        "curve 1.batch: must be less than or equal to 1048576",
    ),
    "batch is a word": (BASE + "batch = 'many'\n", "FILE: curve 1.batch: must be a whole number"),
    "negative seed": ("seed = -1\n" + BASE, "FILE: seed: must be greater than or equal to 0, got -1"),
    "rule of no frames": (
        BASE + "stop = { frames = 0 }\n",
        "curve 1.stop.frames: must be greater than 0, got 0",
    ),
    "rule of no errors": (
        BASE + "stop = { block_errors = -1 }\n",
        "stop.block_errors: must be greater than 0",
    ),
    "rule of no width": (
        BASE + "stop = { relative_width = nan }\n",
        "stop.relative_width: must be greater than 0",
    ),
    "rule of no time": (
        BASE + "stop = { seconds = 0 }\n",
        "stop.seconds: must be greater than 0, got 0",
    ),
    "labels": (
        BASE + '[[curve]]\ndecoder = "ml"\n',
        "two curves are called 'ml'; give them different labels",
    ),
    "curves": (
        BASE + '[[curve]]\nlabel = "x"\ndecoder = "ml"\n',
        "curves ml and x are the same at 1.0 dB; drop one",
    ),
    "not TOML": ("= =", "FILE is not TOML: Invalid statement (at line 1, column 1)"),
    "key twice": (BASE + 'decoder = "ml"\n', "FILE is not TOML: Cannot overwrite a value"),
    "grid that runs backwards": (
        BASE + "ebn0_db = { from = 2, to = 1, step = 1 }\n",
        "FILE: curve ml: ebn0_db from 2.0 to 1.0 step 1.0 has no points",
    ),
    "empty grid": (BASE + "ebn0_db = []\n", "FILE: curve ml: ebn0_db [] has no points"),
    "grid of no step": (
        BASE + "ebn0_db = { from = 0, to = 1, step = 0 }\n",
        "curve 1.ebn0_db.step: must be greater than 0, got 0",
    ),
    "grid of negative step": (
        BASE + "ebn0_db = { from = 1, to = 0, step = -1 }\n",
        "curve 1.ebn0_db.step: must be greater than 0, got -1",
    ),
    "grid without step": (BASE + "ebn0_db = { from = 0, to = 1 }\n", "curve 1.ebn0_db.step: missing"),
    "grid of many points": (
        BASE + "ebn0_db = { from = 0, to = 1, step = 1e-3 }\n",
        "has more than 1000 points",
    ),
    "endless grid": (BASE + "ebn0_db = { from = -inf, to = inf, step = 1 }\n", "has more than 1000 points"),
    "list of many points": (
        BASE + f"ebn0_db = {[i / 100 for i in range(MAX_POINTS + 1)]}\n",
        "has more than 1000 points",
    ),
    "grid beyond 100 dB": (
        BASE + "ebn0_db = { from = 99, to = 101, step = 1 }\n",
        "ebn0_db from 99.0 to 101.0 step 1.0 is outside -100..100 dB",
    ),
    "point beyond 100 dB": (
        BASE + "ebn0_db = [-101]\n",
        "curve 1.ebn0_db 1: must be greater than or equal to -100",
    ),
    "point that is none": (BASE + "ebn0_db = [nan]\n", "curve 1.ebn0_db 1: must be"),
    "point twice": (BASE + "ebn0_db = [1, 1.0]\n", "FILE: curve ml: ebn0_db [1.0, 1.0] names a point twice"),
    "points too close": (BASE + "ebn0_db = { from = 0, to = 1e-6, step = 1e-8 }\n", "names a point twice"),
    "code is a number": (
        BASE + "code = 7\n",
        "FILE: curve 1.code: a code is a name, a file or a table, or a list",
    ),
    "list of numbers": (
        BASE + "code = [7]\n",
        "FILE: curve 1.code 1: a code is a name, a file or a table, or a list",
    ),
    "list of no codes": (BASE + "code = []\n", "FILE: curve 1.code: must not be empty"),
    "code twice": (
        BASE + 'code = ["bch-15-7", "bch-15-7"]\n',
        "two curves are called 'ml of bch-15-7'; give them different labels",
    ),
    "one of several codes": (
        BASE + 'code = ["bch-15-7", "hamming-7-5"]\n',
        "FILE: curve ml of hamming-7-5: unknown code 'hamming-7-5'",
    ),
    "grid is a word": (
        BASE + "ebn0_db = 'x'\n",
        "1.ebn0_db: a number, a list of numbers, or { from, to",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_mistake_is_refused_with_its_place_and_the_way_out(tmp_path, case):
    text, words = WRONG[case]
    assert words in refusal(tmp_path, text)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"title = \xff\n")
    with pytest.raises(ValueError, match=r"mine\.toml, line 1: not text \(invalid UTF-8\)"):
        load_study(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    "grid",
    [
        "from = 1e308, to = 1, step = 0.5",
        "from = inf, to = 1, step = 1",
        "from = nan, to = 1, step = 1",
        "from = 0, to = nan, step = 1",
    ],
)
def test_grids_that_are_not_finite_are_refused_in_words(tmp_path, grid):
    assert "ebn0_db" in refusal(tmp_path, BASE + f"ebn0_db = {{ {grid} }}\n")


@pytest.mark.parametrize(
    "line",
    ["batch = true", 'batch = "12"', "stop = { block_errors = true }", "ebn0_db = [true]", 'ebn0_db = ["1"]'],
)
def test_truth_values_and_words_are_no_numbers(tmp_path, line):
    assert line.split()[0] in refusal(tmp_path, BASE + line + "\n")


def test_a_wrong_grid_is_one_problem(tmp_path):
    message = refusal(tmp_path, BASE + "ebn0_db = { from = 0, to = 1, step = 0 }\n")
    assert "problems" not in message
    assert "list" not in message


def test_a_wrong_option_is_one_problem(tmp_path):
    assert "problems" not in refusal(tmp_path, BASE + "options = { method = [1] }\n")


def test_a_plug_in_without_a_module_is_refused_in_words(tmp_path):
    assert "curve :f" in refusal(tmp_path, HEAD + '[[curve]]\ndecoder = ":f"\n')


def test_all_problems_are_told_at_once(tmp_path):
    text = (
        HEAD
        + """
[[curve]]
label = "one"
decoder = "osdd"
code = "hamming-7-44"
channel = "bbsc"
ebn0_db = []
[[curve]]
label = "two"
decoder = "ml"
options = { methd = "trellis" }
"""
    )
    message = refusal(tmp_path, text)
    assert message.startswith("FILE has 5 problems:\n  - ")
    for words in ("'osdd'", "'hamming-7-44'", "'bbsc'", "has no points", "'methd'"):
        assert words in message
    keys = refusal(tmp_path, BASE.replace('decoder = "ml"', "lable = 1") + "[stop]\nframess = 1\n")
    for words in ("curve 1.lable", "curve 1.decoder: missing", "stop.framess"):
        assert words in keys


def test_unknown_keys_do_not_hide_unknown_names(tmp_path):
    message = refusal(tmp_path, HEAD + '[[curve]]\nlable = "x"\ndecoder = "osdd"\n')
    assert "lable" in message
    assert "osdd" in message


def test_a_problem_of_several_curves_is_told_once(tmp_path):
    two = '[[curve]]\ndecoder = "ml"\n[[curve]]\ndecoder = "map"\n'
    assert refusal(tmp_path, HEAD.replace("[1.0]", "[]") + two) == "FILE: ebn0_db [] has no points"
    assert refusal(tmp_path, HEAD + two.replace('"\n', '"\nchannel = "bbsc"\n')) == (
        "FILE: curves ml and map: no channel 'bbsc'; did you mean bsc or bec?"
    )
    many = "".join(f'[[curve]]\nlabel = "{i}"\ndecoder = "ml"\ncode = "no.alist"\n' for i in range(7))
    assert refusal(tmp_path, HEAD + many) == (
        f"FILE: curves 0, 1, 2, 3, 4 and 2 more: there is no file {tmp_path / 'no.alist'}"
    )


def test_what_a_decoder_refuses_is_refused_before_anything_runs(tmp_path):
    text = HEAD + '[[curve]]\ndecoder = "ml"\n'
    text += '[[curve]]\ndecoder = "osd"\noptions = { order = 9 }\n'
    text += '[[curve]]\nlabel = "no code"\ndecoder = "ml"\noptions = { method = "magic" }\n'
    plan = study(tmp_path, text)
    with pytest.raises(ValueError, match="has 2 problems") as refused:
        plan.check()
    assert "curve osd (order 9): order must be in 0..4 for hamming-7-4, got 9" in str(refused.value)
    assert "curve no code: method must be" in str(refused.value)
    with pytest.raises(ValueError, match="order must be in"):
        next(fecnn.run(plan, store=tmp_path / "out" / "r.sqlite"))
    assert not (tmp_path / "out").exists()


def test_any_failure_of_a_factory_is_told_with_its_curve(tmp_path, request, monkeypatch):
    monkeypatch.syspath_prepend(request.path.parent)
    plan = study(tmp_path, HEAD + '[[curve]]\ndecoder = "misbehaving:complains"\n')
    with pytest.raises(ValueError, match=r"curve misbehaving:complains: .*no such device"):
        plan.check()
    plan = study(tmp_path, HEAD + '[[curve]]\ndecoder = "misbehaving:leaves"\n')
    with pytest.raises(ValueError, match=r"curve misbehaving:leaves: its code exits: usage") as refused:
        plan.check()
    assert "misbehaving.py" in refused.value.__notes__[0]


def test_the_decoder_is_built_for_the_channel_of_its_point(tmp_path, request, monkeypatch):
    monkeypatch.syspath_prepend(request.path.parent)
    study(tmp_path, HEAD + '[[curve]]\ndecoder = "misbehaving:needs_sigma"\n').check()


def test_unknown_studies_and_missing_files(tmp_path):
    with pytest.raises(
        LookupError, match=r"unknown study 'optimal-haming-7-4' \(.*\); did you mean optimal-hamming-7-4"
    ):
        load_study("optimal-haming-7-4")
    with pytest.raises(FileNotFoundError, match="there is no study file"):
        load_study(tmp_path / "none.toml")


@pytest.mark.parametrize("name", fecnn.study_names())
def test_every_shipped_study_is_sound(name):
    plan = load_study(name)
    assert plan.name == name
    assert plan.points
    for curve in plan.curves:
        published = {r.decoder for r in plan.references}
        assert curve.published is None or curve.published in published


def test_a_study_is_called_by_its_folder_or_file(tmp_path, monkeypatch):
    folder = tmp_path / "my-study"
    folder.mkdir()
    (folder / "study.toml").write_text(BASE)
    (folder / "other.toml").write_text(BASE)
    assert load_study(folder).name == load_study(folder / "study.toml").name == "my-study"
    assert load_study(folder / "other.toml").name == "other"
    monkeypatch.chdir(folder)
    assert load_study("other.toml").name == "other"
    assert (
        load_study("study.toml").name == load_study(".").name == load_study("./study.toml").name == "my-study"
    )


def test_published_points_are_found_from_another_folder(tmp_path, monkeypatch):
    (tmp_path / "study.toml").write_text(BASE)
    (tmp_path / "reference.csv").write_text(
        "code,decoder,ebn0_db,metric,value,errors,frames,source,where,how\nc,ML,1,bler,0.1,,,s,w,seen\n"
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    plan = load_study("study.toml")
    monkeypatch.chdir("elsewhere")
    assert len(plan.references) == 1


# Codes of curves


def test_codes_by_path_start_at_the_file_of_the_study(tmp_path, monkeypatch):
    folder = tmp_path / "a"
    (folder / "codes").mkdir(parents=True)
    code = fecnn.load_code("hamming-7-4")
    fecnn.save_code(code, folder / "codes" / "mine.toml")
    fecnn.write_alist(code.H, folder / "h.alist")
    text = 'title = "t"\nebn0_db = [1]\n'
    for label, path in (("toml", "./codes/mine.toml"), ("alist", "h.alist"), ("name", "hamming-15-11")):
        text += f'[[curve]]\nlabel = "{label}"\ndecoder = "ml"\ncode = "{path}"\n'
    (folder / "study.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    by_toml, by_alist, by_name = load_study(folder).points
    assert by_toml.code.fingerprint == code.fingerprint
    assert not by_alist.code.syndrome(code.codebook()).any()
    assert by_alist.code.name == "h"
    assert by_name.code.n == 15


def test_where_a_code_file_lies_does_not_change_the_result_it_names(tmp_path):
    ids = []
    for place in ("one", "two"):
        folder = tmp_path / place
        folder.mkdir()
        fecnn.save_code(fecnn.load_code("hamming-7-4"), folder / "mine.toml")
        (folder / "study.toml").write_text(BASE.replace("hamming-7-4", "./mine.toml"))
        ids.append(load_study(folder).points[0].task)
    named = study(tmp_path, BASE).points[0].task
    assert ids[0].code != ids[1].code
    assert ids[0].id == ids[1].id == named.id
    assert ids[0].stream == named.stream


def test_what_a_code_file_says_and_nobody_can_count_names_the_result(tmp_path):
    """`hard` and `chase2` correct by the minimum distance, `ml` stops by the spectrum."""
    code = fecnn.bch(63, 36)
    tasks, estimates = [], []
    for distance in (11, 9, None):
        said = fecnn.Code(code.G, code.H, name="mine", minimum_distance=distance)
        fecnn.save_code(said, tmp_path / "own.toml")
        text = BASE.replace("hamming-7-4", "./own.toml") + '[[curve]]\ndecoder = "ml"\nmethod = "rare"\n'
        plan = study(tmp_path, text)
        tasks.append(plan.points[0].task)
        estimates += plan.rare_points
    assert len({task.id for task in tasks}) == len({point.id for point in estimates}) == 3
    assert len({task.stream for task in tasks}) == len({task.fingerprint for task in tasks}) == 1
    assert tasks[2].claims is None
    with pytest.raises(ValueError, match="is not the code that this task was made for"):
        run_batch(tasks[0], 0)


def test_uncoded_sends_the_message_bits_of_the_study(tmp_path):
    plan = study(tmp_path, BASE + '[[curve]]\nlabel = "plain"\ndecoder = "hard"\ncode = "uncoded"\n')
    code = plan.points[1].code
    assert (code.n, code.k, code.rate) == (4, 4, 1.0)
    plan.check()


def test_a_curve_of_several_codes_is_one_curve_for_each(tmp_path):
    names = ["hamming-7-4", "bch-15-7"]
    head = 'title = "t"\nebn0_db = [1.0, 2.0]\n'
    plan = study(tmp_path, head + f'[[curve]]\ndecoder = "ml"\ncode = {names}\n')
    apart = "".join(f'[[curve]]\ndecoder = "ml"\ncode = "{name}"\n' for name in names)
    assert [(point.curve, point.task) for point in plan.points] == [
        (point.curve, point.task) for point in study(tmp_path, head + apart).points
    ]
    assert [curve.name for curve in plan.curves] == ["ml of hamming-7-4", "ml of bch-15-7"]
    labelled = study(tmp_path, head + f'[[curve]]\nlabel = "best"\ndecoder = "ml"\ncode = {names}\n')
    assert [curve.name for curve in labelled.curves] == ["best of hamming-7-4", "best of bch-15-7"]
    assert {curve.what for curve in labelled.curves} == {"best"}
    assert [point.task for point in labelled.points] == [point.task for point in plan.points]


def test_what_a_curve_does_not_say_is_taken_from_the_study(tmp_path):
    text = HEAD + 'channel = "bsc"\nbatch = 8\nseed = 5\n[stop]\nframes = 16\n'
    text += '[[curve]]\ndecoder = "ml"\n'
    text += '[[curve]]\ndecoder = "map"\nchannel = "rayleigh"\nbatch = 24\nebn0_db = [2, 3]\n'
    text += "stop = { seconds = 1.5 }\n"
    first, second, third = study(tmp_path, text).points
    assert (first.task.channel, first.task.batch, first.task.seed, first.stop.frames) == ("bsc", 8, 5, 16)
    assert (second.task.channel, second.task.batch, second.task.seed) == ("rayleigh", 24, 5)
    assert (second.task.ebn0_db, third.task.ebn0_db, second.stop.seconds) == (2.0, 3.0, 1.5)
    assert second.stop.block_errors is None


# Grids


@pytest.mark.parametrize(
    ("start", "stop", "step", "values"),
    [
        (0, 2, 0.5, [0, 0.5, 1, 1.5, 2]),
        (0, 0.3, 0.1, [0, 0.1, 0.2, 0.3]),
        (-1, 0.9, 1, [-1, 0]),
        (3, 3, 1, [3]),
        (0, 1, 0.3, [0, 0.3, 0.6, 0.9]),
    ],
)
def test_grids_include_both_ends(start, stop, step, values):
    assert Grid(**{"from": start, "to": stop, "step": step}).values() == values


@given(st.integers(-1000, 1000), st.integers(0, 300), st.integers(1, 100))
def test_grids_are_evenly_spaced_as_in_exact_arithmetic(start, span, step):
    stop = start + span
    grid = Grid(**{"from": start / 100, "to": stop / 100, "step": step / 100})
    assert grid.values() == [round(value / 100, 6) for value in range(start, stop + 1, step)]


# Names of results


TASK = dict(
    code="hamming-7-4",
    fingerprint="e6710d9d76fa2940d30c6d945126d15690fc6374702821159011b873c3a32a9c",
    channel="awgn",
    decoder="osd",
    options=(("order", 2),),
    ebn0_db=2.0,
    seed=1,
    batch=4096,
)


def test_ids_are_pinned():
    """A change of these renames every result that exists: bump `STREAM` and say so in the changelog."""
    task = Task(**TASK)
    assert task.id == "e49e726d081a59538e08e19addb08f3ff37444c5164327b519fd5af120c70896"
    assert task.stream == "f2155786732f5e4e5af523945c27784e76f397e757a10e07be02c7ff8c392a3a"


def test_ids_are_hashes_of_canonical_json():
    content = {k: v for k, v in TASK.items() if k != "code"} | {"options": [["order", 2]], "stream": 1}
    noise = {k: content[k] for k in ("fingerprint", "channel", "ebn0_db", "seed", "stream")}
    digest = [hashlib.sha256(json.dumps(c, sort_keys=True).encode()).hexdigest() for c in (content, noise)]
    assert [Task(**TASK).id, Task(**TASK).stream] == digest


CHANGES = {
    "code": ("elsewhere/hamming.toml", True, True),
    "fingerprint": ("0" * 64, False, False),
    "channel": ("bsc", False, False),
    "decoder": ("ml", False, True),
    "options": ((("order", 3),), False, True),
    "ebn0_db": (2.5, False, False),
    "seed": (2, False, False),
    "batch": (64, False, True),
    "source": ("a version", False, True),
    "claims": ("a minimum distance", False, True),
    "sender": ("ext-hamming-8-4", True, True),
}


@pytest.mark.parametrize("field", CHANGES)
def test_ids_and_streams_depend_on_what_they_should(field):
    value, same_id, same_stream = CHANGES[field]
    one, other = Task(**TASK), Task(**(TASK | {field: value}))
    assert (one.id == other.id) == same_id
    assert (one.stream == other.stream) == same_stream


def test_two_ways_to_write_a_point_are_one_task(tmp_path):
    text = HEAD + '[[curve]]\ndecoder = "map"\noptions = { bits = "code", method = "trellis" }\n'
    ids = set()
    for grid in ("[2]", "[2.0]", "{ from = 2, to = 2, step = 1 }"):
        ids.add(study(tmp_path, text.replace("[1.0]", grid)).points[0].task.id)
    turned = text.replace('bits = "code", method = "trellis"', 'method = "trellis", bits = "code"')
    ids.add(study(tmp_path, turned.replace("[1.0]", "[2]")).points[0].task.id)
    assert len(ids) == 1


# Stopping


@pytest.mark.parametrize(
    ("rule", "enough", "too_little"),
    [
        ({"frames": 100}, Tally(frames=100), Tally(frames=99, block_errors=99, seconds=1e9)),
        (
            {"block_errors": 5},
            Tally(frames=9, block_errors=5),
            Tally(frames=10**9 - 1, block_errors=4, seconds=1e9),
        ),
        (
            {"seconds": 1.5},
            Tally(frames=1, seconds=1.5),
            Tally(frames=10**6, block_errors=10**6, seconds=1.4),
        ),
        # 95 % of 100 in 1000: 0.0821 to 0.1203, relative width 0.382.
        (
            {"relative_width": 0.383},
            Tally(frames=1000, block_errors=100),
            Tally(frames=1000, block_errors=99),
        ),
        ({"relative_width": 1e9}, Tally(frames=10, block_errors=1), Tally(frames=10**6)),
    ],
)
def test_each_rule_stops_alone(rule, enough, too_little):
    assert Stop(**rule).met(enough)
    assert not Stop(**rule).met(too_little)


def test_any_rule_is_enough():
    both = Stop(frames=100, block_errors=5)
    assert both.met(Tally(frames=100))
    assert both.met(Tally(frames=50, block_errors=5))
    assert not both.met(Tally(frames=99, block_errors=4))


batches = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 5)), min_size=1, max_size=12)


@given(batches, st.data())
@example([(10, 3), (10, 3), (10, 9)], None)
def test_the_prefix_does_not_depend_on_the_order_of_arrival(sizes, data):
    stop = Stop(frames=60, block_errors=6)
    made = [Tally(frames=f + e, block_errors=e) for f, e in sizes]
    order = list(range(len(made)))[::-1] if data is None else data.draw(st.permutations(range(len(made))))
    prefix = Prefix(stop)
    for i in order:
        prefix.add(i, made[i])
    total, length = Tally(), 0
    while length < len(made) and not stop.met(total):
        total += made[length]
        length += 1
    assert (prefix.total, prefix.length, prefix.finished) == (total, length, stop.met(total))


def test_gaps_wait_and_batches_past_the_stop_do_not_count():
    prefix = Prefix(Stop(frames=20))
    prefix.add(1, Tally(frames=10, block_errors=1))
    assert (prefix.length, prefix.total, prefix.finished) == (0, Tally(), False)
    prefix.add(3, Tally(frames=10, block_errors=8))
    prefix.add(0, Tally(frames=10, block_errors=2))
    assert (prefix.length, prefix.finished) == (2, True)
    prefix.add(2, Tally(frames=10, block_errors=4))
    assert prefix.total == Tally(frames=20, block_errors=3)


def test_files_of_one_folder_do_not_meddle(tmp_path):
    """A copy of a study under another name asks for the same results."""
    one = study(tmp_path, BASE)
    shutil.copy(tmp_path / "mine.toml", tmp_path / "copy.toml")
    other = load_study(tmp_path / "copy.toml")
    assert other.name == "copy"
    assert [p.task.id for p in one.points] == [p.task.id for p in other.points]


# Files of unknown origin


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BASE + "batch = " + "[" * 3000 + "]" * 3000 + "\n", "is not TOML: .*nested too deeply"),
        (BASE + "a." * 3000 + "b = 1\n", "is not TOML: .*nested too deeply"),
        (BASE + "batch = " + "[" * 70 + "]" * 70 + "\n", "is not TOML: .*nested too deeply"),
        (BASE + "batch = " + "9" * 5000 + "\n", "is not TOML: Exceeds the limit"),
        (BASE + "batch = 0x" + "f" * 5000 + "\n", "batch: .*got an integer beyond 64 bits"),
        ("seed = 0x" + "f" * 5000 + "\n" + BASE, "seed: .*got an integer beyond 64 bits"),
        (
            BASE + "stop = { block_errors = 0x" + "f" * 5000 + " }\n",
            "block_errors: .*got an integer beyond 64 bits",
        ),
        (
            BASE + "options = { order = 0x" + "f" * 5000 + " }\n",
            "options.order: an option is a number, a word",
        ),
        ("title = 3\n" + "#" * 300_000, "mine.toml has more than 262144 bytes: too large"),
        (BASE + 'code = "./\\u0000.alist"\n', r"curve 1.code has the control character .\\x00"),
        (
            BASE + 'code = "repetition-16384"\n',
            "repetition-16384 is too long: named repetition codes go up to n = 2048",
        ),
    ],
)
def test_hostile_studies_are_refused_in_words(tmp_path, text, words):
    with pytest.raises(ValueError, match=words) as refused:
        study(tmp_path, text)
    assert "mine.toml" in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_a_study_has_a_bounded_number_of_curves_and_points(tmp_path):
    codes = [f"spc-{n}" for n in range(2, MAX_CURVES + 3)]
    assert "has at most 1000 curves, got 1001" in refusal(tmp_path, BASE + f"code = {codes}\n")
    grid = "ebn0_db = { from = 0, to = 9, step = 0.01 }\n"
    message = refusal(tmp_path, BASE + grid + f"code = {[f'spc-{n}' for n in range(2, 202)]}\n")
    assert "it has more than 100000 points; split it" in message


def test_not_every_one_of_many_problems_is_told(tmp_path):
    message = refusal(tmp_path, BASE + f"code = {['x' * 5000 + str(i) for i in range(45)]}\n")
    assert message.startswith("FILE has 45 problems")
    assert len(message) < 40_000
    message = refusal(tmp_path, BASE + f"code = {[f'code-{i}' for i in range(90)]}\n")
    assert message.startswith("FILE has 90 problems")
    assert message.endswith("\n  and 40 more")


def test_a_sentence_of_many_dots_is_no_deep_name(tmp_path):
    assert study(tmp_path, BASE + 'label = "' + "." * 100 + " a. b. c" + '"\n').curves


def test_a_code_by_the_files_of_its_matrices(tmp_path):
    """This encoder, these checks for BP, and the same noise as for the same code from anywhere."""
    code = load_code("hamming-7-4")
    np.savetxt(tmp_path / "G.txt", code.G[::-1], "%d")
    write_alist(np.vstack([code.H, code.H[0] ^ code.H[1]]), tmp_path / "H.alist")
    plan = study(
        tmp_path,
        BASE.replace('code = "hamming-7-4"', 'code = { generator = "G.txt", parity_check = "H.alist" }')
        + '[[curve]]\ndecoder = "bp"\ncode = ["hamming-7-4", { parity_check = "H.alist" }]\n',
    )
    first, named, checks = (point.task for point in plan.points)
    assert first.code == (("generator", str(tmp_path / "G.txt")), ("parity_check", str(tmp_path / "H.alist")))
    assert [curve.name for curve in plan.curves] == ["ml", "bp of hamming-7-4", "bp of H.alist"]
    assert first.stream == named.stream == checks.stream
    assert len({first.id, named.id, checks.id}) == 3
    assert Task.of(json.loads(json.dumps(first.described()))) == first
    tallies = [run_batch(task, 0) for task in (first, named, checks)]
    assert [tally.frames for tally in tallies] == [4096] * 3


ADVICE = " (give your own code by its path, such as ./my_code.toml)"


def test_all_mistakes_at_once_in_our_words(tmp_path):
    text = """
tittle = "t"
code = "hamming-7-5"
ebn0_db = 3
stop = { block_errors = 0, framse = 3 }
[[curve]]
decoder = "mll"
lable = "x"
[[curve]]
decoder = "osd"
options = { ordr = 2 }
[[curve]]
decoder = "bp"
code = { generater = "G.txt" }
"""
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ValueError, match="problems") as caught:
        load_study(tmp_path / "mine.toml")
    told = str(caught.value).replace(str(tmp_path / "mine.toml"), "FILE").splitlines()[1:]
    assert [line.removeprefix("  - ").replace(ADVICE, "") for line in told] == [
        "stop.block_errors: must be greater than 0, got 0",
        "stop.framse: unknown key; did you mean frames?",
        "curve 1.lable: unknown key; did you mean label?",
        "curve 3.code.generater: unknown key; did you mean generator?",
        "tittle: unknown key; did you mean title?",
        "code: unknown code 'hamming-7-5'; did you mean hamming-7-4 or hamming-31-26 or hamming-15-11?; "
        'other sizes are made by a table, such as { family = "hamming", r = 3 }',
        "curve x: no decoder 'mll'; did you mean ml or mlnn?",
        "curve osd (ordr 2): decoder osd has no option 'ordr'; did you mean order?",
        f"curve bp of G.txt: there is no file {tmp_path / 'G.txt'}",
    ]


MINE = """
import numpy as np
if np.__version__:
    def nearest(code, channel=None, /, *, scale=1.0): ...
def only(llr): ...
def late(code, channel, /, *, after, pace=1): ...
def third(code, channel, extra): ...
def fourth(code, channel, extra, /): ...
turned = lambda code, channel, **options: None
class Made:
    def __init__(self, code, channel=None, /): ...
"""


def of_mine(tmp_path, decoder, options="", text=MINE):
    """What is wrong with a decoder of this file, which is not run."""
    (tmp_path / "my.py").write_text(text)
    try:
        study(tmp_path, HEAD + f'[[curve]]\ndecoder = "./my.py:{decoder}"\noptions = {{ {options} }}\n')
    except ValueError as refused:
        return str(refused).partition("\n")[0].replace(str(tmp_path / "mine.toml") + ": ", "")
    return ""


def test_the_function_in_a_file_is_looked_for_before_it_runs(tmp_path):
    assert of_mine(tmp_path, "nearst") == (
        f"curve ./my.py:nearst: {tmp_path / 'my.py'} has no function 'nearst'; did you mean nearest?"
    )
    assert of_mine(tmp_path, "f", text="x = 1\n").endswith("has no function 'f'; it defines none")
    assert of_mine(tmp_path, "f", text="x = 1\ndef f(:\n").startswith(
        f"curve ./my.py:f: {tmp_path / 'my.py'}, line 2 is not Python: "
    )


@pytest.mark.parametrize(
    "text",
    [
        "from somewhere import f",
        "import somewhere as f",
        "from somewhere import *",
        "def __getattr__(name): ...",
        "globals()['f'] = print",
        "import sys\nsetattr(sys.modules[__name__], 'f', print)",
        "try:\n    import x\nexcept ImportError:\n    x = f = None",
        "with open('x') as f: ...",
        "for f in (): ...",
        "def begin():\n    global f",
        "if (f := print): ...",
        "match 1:\n    case f: ...",
        "class f: ...",
        "f: object = print",
        "a, (b, *f) = 1, (2, 3)",
        "@print\ndef f(): ...",
        "def f(): ...\ndef f(code, channel): ...",
    ],
)
def test_what_a_file_may_define_is_not_refused(tmp_path, text):
    assert of_mine(tmp_path, "f", text=text) == ""


@pytest.mark.parametrize(
    ("decoder", "options", "words"),
    [
        ("nearest", "scale = 2", ""),
        ("turned", "any = 1", ""),
        ("Made", "known = 'later'", ""),
        ("third", "extra = 1", ""),
        ("late", "after = 1", ""),
        ("nearest", "scael = 2", "has no option 'scael'; did you mean scale?"),
        ("late", "", "needs the option 'after', which has no default"),
        ("late", "pcae = 2", "has 2 problems:"),
        ("third", "", "needs the option 'extra', which has no default"),
        ("fourth", "", "takes extra by position: it must be a factory(code, channel=None, /, **options)"),
        (
            "only",
            "",
            "takes llr but no channel: it must be a factory(code, channel=None, /, **options), which returns "
            "the function from LLRs to bits",
        ),
    ],
)
def test_how_a_factory_is_called_is_known_before_it_runs(tmp_path, decoder, options, words):
    told = of_mine(tmp_path, decoder, options)
    assert told.endswith(words)
    assert bool(told) == bool(words)


def test_a_factory_that_only_running_shows_is_refused_in_the_same_words(tmp_path):
    (tmp_path / "my.py").write_text(
        "class only:\n    def __init__(self, llr): ...\n" + MINE[: MINE.index("def only")]
    )
    text = HEAD + '[[curve]]\ndecoder = "./my.py:only"\n[[curve]]\ndecoder = "osd"\noptions = { order = 9 }\n'
    message = refusal(tmp_path, text)
    assert message.startswith("FILE has 2 problems:\n  - curve ./my.py:only: ")
    assert "takes llr but no channel: it must be a factory(code, channel=None, /, **options)" in message


def test_options_are_checked_without_their_code(tmp_path):
    text = BASE.replace("hamming-7-4", "hamming-7-5") + (
        '[[curve]]\ndecoder = "osd"\noptions = { ordr = 1, order = "2", prune = 1 }\n'
        '[[curve]]\ndecoder = "chase2"\noptions = { t = 1.5 }\n'
        '[[curve]]\ndecoder = "bp"\noptions = { scale = 1, rule = 3 }\n'
        '[[curve]]\ndecoder = "ecct"\noptions = { weights = "./none" }\n'
    )
    told = refusal(tmp_path, text)
    for words in (
        "has 7 problems",
        "code: unknown code 'hamming-7-5'",
        "decoder osd has no option 'ordr'; did you mean order?",
        "order must be a whole number, got '2'",
        "prune must be true or false, got 1",
        "t must be a whole number, got 1.5",
        "rule must be a text in quotes, got 3",
        f"there is no {tmp_path / 'none' / 'card.json'}",
    ):
        assert words in told


REFERENCE = "code,decoder,ebn0_db,metric,value,errors,frames,source,where,how\n"


def test_published_points_are_checked_with_the_study(tmp_path):
    (tmp_path / "reference.csv").write_text(REFERENCE + "c,ML,1,bler,0.1,,,s,w,seen\n")
    text = 'drawn = ["ML", "MLL"]\nbounds = ["unionn", "spheer"]\n' + BASE + 'published = "Ml"\n'
    told = refusal(tmp_path, text)
    for words in (
        "has 4 problems",
        "bounds: no bound 'unionn'; did you mean union?",
        "bounds: no bound 'spheer'",
        "drawn: no published points of 'MLL'; did you mean ML?",
        "curve ml: published: there are no points of 'Ml'; did you mean ML?",
    ):
        assert words in told
    (tmp_path / "reference.csv").write_text(REFERENCE + "c,ML,1,bler,x,,,s,w,seen\n")
    (tmp_path / "reference-2.csv").write_text("a,b\n")
    told = refusal(tmp_path, BASE + 'published = "Ml"\nlable = "x"\n')
    for words in (
        "has 3 problems",
        "reference.csv, line 2: value must be a number",
        "2.csv has no column code",
    ):
        assert words in told


def test_a_misspelt_key_is_read_as_what_it_is_meant_to_be(tmp_path):
    """So what is in it is looked at, and nothing is missing."""
    text = """
titel = "t"
code = "hamming-7-4"
ebno_db = [1, 1]
[[curves]]
decodr = "osdd"
[[curves]]
decoder = "osd"
order = "2"
stop = { errors = 100 }
"""
    assert refusal(tmp_path, text).splitlines()[1:] == [
        "  - titel: unknown key; did you mean title?",
        "  - ebno_db: unknown key; did you mean ebn0_db or esn0_db?",
        "  - [[curves]]: unknown table; did you mean [[curve]]?",
        "  - curve 1.decodr: unknown key; did you mean decoder or code or method?",
        "  - curve 2.stop.errors: unknown key; did you mean block_errors?",
        "  - curve 2.order: an option of osd: write options = { order = ... }",
        "  - curve osdd: no decoder 'osdd'; did you mean osd or pb-osd or lc-osd?",
        "  - ebn0_db [1.0, 1.0] names a point twice",
        "  - curve osd (order 2): order must be a whole number, got '2'",
    ]


def test_what_is_refused_is_not_missing_too(tmp_path):
    text = (
        'title = "t"\ncode = 7\nebn0_db = "1:5"\n[[curve]]\nlabel = 3\n[[curve]]\ndecoder = "ml"\nlabel = 3\n'
    )
    assert refusal(tmp_path, text).splitlines()[1:] == [
        "  - code: a code is a name, a file or a table, got 7",
        "  - ebn0_db: a number, a list of numbers, or { from, to, step }, got '1:5'",
        "  - curve 1.decoder: missing",
        "  - curve 1.label: must be a text in quotes, got 3",
        "  - curve 2.label: must be a text in quotes, got 3",
    ]


def test_curves_of_one_name_are_told_with_all_other_problems(tmp_path):
    text = BASE + BASE.removeprefix(HEAD) + '[[curve]]\ndecoder = "osdd"\nzzzz = 1\n'
    told = refusal(tmp_path, text)
    for words in ("has 3 problems", "curve 3.zzzz", "two curves are called 'ml'", "no decoder 'osdd'"):
        assert words in told


def test_one_table_of_a_curve_wants_double_brackets(tmp_path):
    told = refusal(tmp_path, BASE.replace("[[curve]]", "[curve]").replace('"ml"', '"mll"'))
    assert "curve: write [[curve]] with double brackets" in told
    assert "curve mll: no decoder 'mll'" in told
    assert "stop: a rule is a table, such as { block_errors = 100 }, got 5" in refusal(
        tmp_path, "stop = 5\n" + BASE
    )


def test_a_table_s_name_that_is_nearly_right(tmp_path):
    (tmp_path / "mine.toml").write_text(HEAD + "[[curves]]\ndecoder = 'ml'\n")
    with pytest.raises(
        ValueError, match=r"mine\.toml: \[\[curves\]\]: unknown table; did you mean \[\[curve\]\]\?$"
    ):
        load_study(tmp_path / "mine.toml")


def test_a_grid_of_one_point(tmp_path):
    assert [point.ebn0_db for point in study(tmp_path, BASE.replace("[1.0]", "3")).points] == [3.0]
