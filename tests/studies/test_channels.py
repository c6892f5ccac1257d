"""Channels in studies: what they are called, whose code runs, and what names the frames."""

import hashlib
import json
import sys
from dataclasses import replace

import pytest

import fecnn
from fecnn.analysis.table import display
from fecnn.channels.registry import channel_at
from fecnn.errors import StaleError
from fecnn.simulation import simulate
from fecnn.simulation.task import Task
from fecnn.studies.study import load_study

STUDY = """
title = "t"
code = "hamming-7-4"
channel = "{channel}"
ebn0_db = [3.0]
batch = 256
stop = {{ frames = 1024 }}
[[curve]]
decoder = "ml"
"""
LOUDER = """
from fecnn import AWGN

def louder(ebn0_db, rate, /, *, by={by}):
    return AWGN.at(ebn0_db - by, rate)
"""
OWN_NOISE = """
import numpy as np
from fecnn import bpsk

RNG = np.random.default_rng(1)

class Noisy:
    def transmit(self, bits, rng):
        return bpsk(bits) + RNG.standard_normal(bits.shape).astype(np.float32)

def louder(ebn0_db, rate, /):
    return Noisy()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the path, with nothing of its modules loaded before or after."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    simulate._build.cache_clear()
    yield tmp_path
    for name in ("own_noise", "their_noise"):
        sys.modules.pop(name, None)


def study(folder, channel):
    path = folder / "mine.toml"
    path.write_text(STUDY.format(channel=channel))
    return load_study(path)


def counts(found):
    fecnn.run(found).finish()
    return fecnn.table(found).iloc[0]


def test_a_function_of_a_module_is_a_channel(folder):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    own = study(folder, "own_noise:louder")
    assert "own_noise" not in sys.modules, "reading a study runs nothing"
    assert [(name, it.kind) for name, it in own.foreign.items()] == [("own_noise:louder", "channel")]
    rows = counts(own)
    assert rows["channel"] == "own_noise:louder"
    plain = counts(study(folder, "awgn"))
    assert rows["bler"] > 3 * plain["bler"]
    checks = fecnn.verify(folder / "fecnn-results" / "mine.sqlite", study=own, foreign_code=True)
    assert checks
    assert all(check.equal for check in checks)


def test_its_version_is_part_of_the_frames(folder):
    file = folder / "own_noise.py"
    file.write_text(LOUDER.format(by=3.0))
    before = study(folder, "own_noise:louder")
    (first,) = before.points
    file.write_text(LOUDER.format(by=2.0))
    (second,) = study(folder, "own_noise:louder").points
    assert first.task.id != second.task.id
    assert first.task.stream != second.task.stream
    with pytest.raises(ValueError, match=r"code of channel own_noise:louder .* not the version"):
        fecnn.run(before).finish()


def test_nothing_of_a_file_runs_unless_it_is_allowed(folder):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    own = study(folder, "own_noise:louder")
    counts(own)
    sys.modules.pop("own_noise", None)
    simulate._build.cache_clear()
    results = folder / "fecnn-results" / "mine.sqlite"
    (check,) = fecnn.verify(results)
    assert "channel own_noise:louder does not ship with fecnn" in check.obstacle
    assert "own_noise" not in sys.modules
    (folder / "own_noise.py").write_text(LOUDER.format(by=1.0))
    (check,) = fecnn.verify(results, foreign_code=True)
    assert "is another version here" in check.obstacle
    (folder / "own_noise.py").unlink()
    (check,) = fecnn.verify(results, foreign_code=True)
    assert "its channel is not here" in check.obstacle


def test_a_channel_with_randomness_of_its_own_is_refused(folder):
    (folder / "own_noise.py").write_text(OWN_NOISE)
    with pytest.raises(ValueError, match="draw all random numbers"):
        fecnn.run(study(folder, "own_noise:louder")).finish()


def test_whose_code_runs_is_said_and_can_be_forbidden(folder, call):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    file = study(folder, "own_noise:louder").path
    told = call("run", file)
    assert f"channel own_noise:louder runs code from {folder / 'own_noise.py'}" in told.output
    forbidden = call("run", file, "--no-foreign-code", code=1)
    assert "channel own_noise:louder does not ship with fecnn" in forbidden.output


@pytest.mark.parametrize(
    ("channel", "message"),
    [("awng", "channel: no channel 'awng'; did you mean awgn"), ("gone:at", "no module 'gone' for channel")],
)
def test_unknown_channels_are_named(folder, channel, message):
    with pytest.raises(ValueError, match=message):
        study(folder, channel)


# Named by file


def beside(folder, channel, name="mine.toml"):
    """A study whose channel is named by a file, which lies beside it."""
    path = folder / name
    path.write_text(STUDY.replace('channel = "{channel}"', "channel = {channel}").format(channel=channel))
    return load_study(path)


def test_a_channel_beside_the_study_is_found_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "own_noise.py").write_text("from their_noise import louder as louder\n")
    (tmp_path / "their_noise.py").write_text(LOUDER.format(by=3.0))
    monkeypatch.chdir("/")
    own = beside(tmp_path, '"./own_noise.py:louder"')
    assert not {"own_noise", "their_noise"} & set(sys.modules), "reading a study runs nothing"
    (point,) = own.points
    assert (point.task.channel, point.task.channel_home) == ("own_noise:louder", str(tmp_path))
    assert [(name, it.kind) for name, it in own.foreign.items()] == [("./own_noise.py:louder", "channel")]
    store = tmp_path / "r.sqlite"
    fecnn.run(own, store=store).finish()
    assert fecnn.table(own, store=store).channel.tolist() == ["own_noise:louder"]
    checks = fecnn.verify(store, study=own, foreign_code=True)
    assert checks
    assert all(check.equal for check in checks)


def test_results_do_not_depend_on_how_the_file_of_a_channel_is_named(folder):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    (by_module,) = study(folder, "own_noise:louder").points
    (by_file,) = beside(folder, '"./own_noise.py:louder"').points
    assert (by_module.task.id, by_module.task.stream) == (by_file.task.id, by_file.task.stream)
    assert Task.of(json.loads(json.dumps(by_file.task.described()))) == by_file.task
    found = fecnn.make_study(
        "m", code="hamming-7-4", ebn0_db=3, channel="./own_noise.py:louder", curves=["ml"]
    )
    assert found.points[0].task.channel_home == str(folder)


def test_a_channel_by_its_file_takes_options(folder):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    quieter = beside(folder, '{ name = "./own_noise.py:louder", by = 0.0 }')
    assert quieter.points[0].task.told_channel == "own_noise:louder (by 0.0)"
    loud = beside(folder, '"./own_noise.py:louder"', "loud.toml")
    assert counts(loud)["bler"] > 3 * counts(quieter)["bler"]


def test_two_channels_of_one_name_in_two_folders(folder):
    for name, by in (("one", 3.0), ("two", 0.0)):
        (folder / name).mkdir()
        (folder / name / "own_noise.py").write_text(LOUDER.format(by=by))
    curves = [
        {"decoder": "ml", "label": name, "channel": f"./{name}/own_noise.py:louder"}
        for name in ("one", "two")
    ]
    both = made(stop={"frames": 4096}, curves=curves)
    fecnn.run(both).finish()
    one, two = fecnn.table(both).bler
    assert one > 3 * two


def test_a_channel_and_a_decoder_in_one_file_travel_together(folder):
    cluster = pytest.importorskip("fecnn.simulation.cluster")
    text = LOUDER.format(by=3.0) + "def dec(code, channel, /):\n    return lambda llr: llr < 0\n"
    (folder / "own_noise.py").write_text(text)
    curves = [{"decoder": "./own_noise.py:dec", "channel": "./own_noise.py:louder"}]
    (point,) = made(curves=curves).points
    assert cluster.files_of(point.task) == {str(folder): {"own_noise.py": text.encode()}}
    (alone,) = made(curves=["ml"], channel="./own_noise.py:louder").points
    assert cluster.files_of(alone.task) == {str(folder): {"own_noise.py": text.encode()}}


def test_an_edited_channel_is_told_and_its_frames_are_never_pooled(folder, call):
    file = folder / "own_noise.py"
    file.write_text(LOUDER.format(by=3.0))
    path = beside(folder, '"./own_noise.py:louder"').path
    call("run", path)
    file.write_text(LOUDER.format(by=2.0))
    stale = "of ml are not shown: they are from another version of its channel"
    assert stale in call("table", path, code=1).output
    stopped = call("run", path, code=1).output
    assert "of curve ml by another version of channel own_noise:louder" in " ".join(stopped.split())
    call("run", path, "--fresh")
    assert stale in call("table", path).output
    file.write_text(LOUDER.format(by=1.0))
    edited = load_study(path)
    with pytest.raises(StaleError, match="by another version of channel own_noise:louder"):
        fecnn.frames(edited, "ml", ebn0_db=3.0)


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ("./gone.py:louder", r"channel: channel ./gone.py:louder: there is no file .*gone.py"),
        ("./own_noise.py:lauder", "has no function 'lauder'; did you mean louder"),
        ("./own_noise.py:", "no channel './own_noise.py:'|must be named module:function"),
    ],
)
def test_a_file_or_function_that_does_not_exist_is_told(folder, channel, message):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    with pytest.raises(ValueError, match=message):
        beside(folder, f'"{channel}"')


def test_a_file_names_a_channel_in_python_too(folder):
    (folder / "own_noise.py").write_text(LOUDER.format(by=3.0))
    assert channel_at("./own_noise.py:louder", 6.0, 0.5).sigma == fecnn.AWGN.at(3.0, 0.5).sigma
    with pytest.raises(LookupError, match=r"no file .*gone.py for channel"):
        channel_at("./gone.py:louder", 6.0, 0.5)


# Options of channels, and receivers


def made(**settings):
    return fecnn.make_study("mine", code="hamming-7-4", ebn0_db=[3.0], **settings)


def task_of(channel):
    return made(channel=channel, curves=["ml"]).points[0].task


def test_equal_channels_are_one_task():
    """Defaults may be written out; numbers may be whole."""
    plain = task_of("awgn")
    for same in (
        {"name": "awgn"},
        {"name": "awgn", "modulation": "bpsk"},
        {"name": "awgn", "interleaver": "none", "demapper": "exact"},
    ):
        assert (task_of(same).id, task_of(same).stream) == (plain.id, plain.stream)
        assert task_of(same).channel == "awgn"
    one, other = (task_of({"name": "rician", "k_factor_db": k, "block": 2}) for k in (6, 6.0))
    assert one == other
    different = [
        task_of({"name": "awgn", "modulation": "16qam"}),
        task_of({"name": "awgn", "modulation": "16qam", "interleaver": "random"}),
        task_of({"name": "awgn", "modulation": "qpsk"}),
    ]
    assert len({it.stream for it in [plain, one, *different]}) == 5
    assert different[0].told_channel == "awgn (modulation 16qam)"


def test_demappers_see_the_same_noise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exact = {"name": "awgn", "modulation": "16qam"}
    curves = [
        {"decoder": "ml", "label": "exact"},
        {"decoder": "ml", "label": "max-log", "channel": {**exact, "demapper": "maxlog"}},
    ]
    study = made(channel=exact, stop={"frames": 8192}, curves=curves)
    one, other = study.points
    assert one.task.stream == other.task.stream
    assert one.task.id != other.task.id
    fecnn.run(study).finish()
    (compared,) = fecnn.compare(study, "exact", "max-log").values()
    assert compared.both > 10 * max(compared.only_first, compared.only_second, 1)


def test_tasks_with_channels_and_receivers_travel():
    study = made(
        channel={"name": "awgn", "modulation": "16qam"},
        curves=[{"decoder": "ml", "receiver": {"bits": 4, "range": 6}}],
    )
    (point,) = study.points
    assert Task.of(json.loads(json.dumps(point.task.described()))) == point.task
    assert point.task.receiver == (("bits", 4), ("range", 6.0))
    described = json.loads(json.dumps(point.task.described()))
    for damage in (
        {"channel": [["modulation", "16qam"]]},
        {"channel": [3]},
        {"receiver": [["bits", 1], ["range", 6.0]]},
        {"receiver": [["bit", 4]]},
        {"receiver": 3},
    ):
        with pytest.raises((LookupError, TypeError, ValueError)):
            Task.of(described | damage)


def test_ids_with_options_are_pinned():
    """A change of these renames results: bump `STREAM` and say so in the changelog."""
    task = replace(task_of({"name": "awgn", "modulation": "16qam"}), receiver=(("scale", 2.0),))
    assert task.id == "4765dbc57945e870707eab115610cf8826336c1631070c5fdf7ecc3bb45d2491"
    assert task.stream == "72aa981bc1f2a3201985024ed6215abf8f70b2057c6e2f08c9ac613d229b1811"
    assert task.stream == task_of({"name": "awgn", "modulation": "16qam"}).stream


@pytest.mark.parametrize(
    ("name", "digest"),
    [("osd-orders", "19ea13c444119983"), ("optimal-hamming-7-4", "1b383288d3c1b4bf")],
)
def test_ids_and_streams_of_shipped_studies_are_pinned(name, digest):
    """Their results are found by these."""
    tasks = [point.task for point in load_study(name).all_points]
    found = hashlib.sha256("".join(task.id + task.stream for task in tasks).encode())
    assert found.hexdigest()[:16] == digest


def test_receivers_see_the_same_frames(tmp_path, monkeypatch):
    """OSD and ML do not depend on the scale; three bits cost something."""
    monkeypatch.chdir(tmp_path)
    study = made(
        stop={"frames": 8192},
        curves=[
            "ml",
            {"decoder": "ml", "receiver": {"scale": 4.0}},
            {"decoder": "ml", "receiver": {"bits": 3, "range": 4.0}},
            {"decoder": "map"},
            {"decoder": "map", "receiver": {"scale": 0.25}},
        ],
    )
    names = [curve.name for curve in study.curves]
    assert names[1:3] == ["ml, LLR scale 4.0", "ml, LLR bits 3, range 4.0"]
    assert len({point.task.stream for point in study.points}) == 1
    assert len({point.task.id for point in study.points}) == 5
    fecnn.run(study).finish()
    rows = fecnn.table(study).set_index("curve")
    counts = rows["block_errors"]
    assert counts["ml"] == counts["ml, LLR scale 4.0"] < counts["ml, LLR bits 3, range 4.0"]
    assert counts["map"] < counts["map, LLR scale 0.25"] * 1.2
    assert json.loads(rows.loc["ml, LLR bits 3, range 4.0", "options"]) == {
        "receiver": {"bits": 3, "range": 4.0}
    }
    # What is lost against maximum likelihood is lost by the receiver: it is counted on the channel's LLRs.
    assert rows.loc["ml, LLR bits 3, range 4.0", "ml_errors"] < counts["ml, LLR bits 3, range 4.0"]
    assert rows.loc["ml", "ml_errors"] == counts["ml"]
    (compared,) = fecnn.compare(study, "ml", "ml, LLR scale 4.0").values()
    assert (compared.only_first, compared.only_second) == (0, 0)
    found = fecnn.frames(study, "ml, LLR bits 3, range 4.0", wrong=True, most=5)
    assert len(found.llr) == 5
    assert all(check.equal for check in fecnn.verify(tmp_path / "fecnn-results" / "mine.sqlite"))
    gaps = {gap.curve: gap for gap in fecnn.gap_to_ml(study, fecnn.table(study), bler=0.02)}
    assert all(gap.reference == "ml" for gap in gaps.values())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channel": {"modulation": "16qam"}}, "a table of a channel needs its name"),
        ({"channel": {"name": "awgn", "modulaton": "qpsk"}}, "has no option 'modulaton'; did you mean modul"),
        ({"channel": {"name": "awgn", "modulation": "32qam"}}, "no modulation '32qam'"),
        ({"channel": {"name": "rayleigh", "block": 1.5}}, "block of channel rayleigh must be a whole number"),
        ({"channel": {"name": "awgn", "modulation": ["qpsk"]}}, "channel"),
        ({"channel": 3}, "a channel is a name, or a table of its name and options"),
        ({"curves": [{"decoder": "ml", "receiver": {"bits": 3}}]}, "bits and range belong together"),
        ({"curves": [{"decoder": "ml", "receiver": {"bit": 3}}]}, "receiver.bit"),
        ({"curves": [{"decoder": "ml", "receiver": {"scale": 0}}]}, "scale"),
        (
            {"curves": [{"decoder": "ml", "receiver": [{}, {"bit": 3}]}]},
            "curve 1.receiver 2.bit: unknown key",
        ),
        ({"curves": [{"decoder": "ml", "receiver": [{}, {"scale": 1}]}]}, "two curves are called 'ml'"),
        ({"curves": [{"decoder": "ml", "receiver": []}]}, "receiver: must not be empty"),
        ({"curves": [{"decoder": "ml", "receiver": 2}]}, "a receiver is a table, such as"),
        ({"curves": [{"decoder": "ml", "receiver": {"scale": "2"}}]}, "scale: must be a number, got '2'"),
        (
            {"over": "bits", "curves": [{"decoder": "ml", "receiver": {"scale": 2}}]},
            "no curve has a rec.* bits",
        ),
        (
            {"curves": [{"decoder": "ml", "receiver": {"scale": 2}, "method": "rare"}]},
            "takes no receiver",
        ),
        (
            {
                "channel": {"name": "awgn", "modulation": "qpsk"},
                "curves": [{"decoder": "ml", "method": "rare"}],
            },
            r"for the channel awgn, got awgn \(modulation qpsk\)",
        ),
    ],
)
def test_options_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        made(**({"curves": ["ml"]} | settings))


def test_a_list_of_receivers_is_a_curve_for_each():
    receivers = [{}, {"scale": 0.5}, {"bits": 3, "range": 6}]
    curve = {"receiver": receivers, "code": ["hamming-7-4", "bch-15-7"], "published": "theirs"}
    each = (
        {"decoder": "ml"},
        {"decoder": "map", "label": "best"},
        {"decoder": "osd", "receiver": receivers[1]},
    )
    study = made(curves=[{**curve, **one} for one in each])
    found = {(it.curve, it.published, it.task.receiver) for it in study.points if it.code.name == "bch-15-7"}
    kinds = ((), (("scale", 0.5),), (("bits", 3), ("range", 6.0)))
    suffixes = ("", ", LLR scale 0.5", ", LLR bits 3, range 6.0")
    wanted = {
        (f"{name}{suffix} of bch-15-7", None if kind else "theirs", kind)
        for name in ("ml", "best")
        for suffix, kind in zip(suffixes, kinds, strict=True)
    }
    assert found == wanted | {("osd, LLR scale 0.5 of bch-15-7", "theirs", kinds[1])}


def test_ties_over_discrete_channels_are_no_certain_losses(tmp_path, monkeypatch):
    """The sent word may be as likely as the decision there: exact ML loses nothing."""
    monkeypatch.chdir(tmp_path)
    study = fecnn.make_study(
        "ties", code="hamming-7-4", channel="bec", erasure=0.4, curves=["ml"], stop={"frames": 4096}
    )
    fecnn.run(study).finish()
    table = fecnn.table(study)
    lost = int((table["block_errors"] - table["ml_errors"]).iloc[0])
    assert lost > 0
    assert display(study, table)["not ML"].tolist() == [f"up to {lost:,}"]
    with pytest.raises(ValueError, match=r"no point at erasure 0\.5; known: 0\.4"):
        fecnn.frames(study, "ml", ebn0_db=0.5)
