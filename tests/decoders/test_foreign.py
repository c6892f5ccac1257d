"""Decoders of somebody else's: results are named by their code, and showing results runs none of it."""

import importlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import fecnn
from fecnn.cli.app import app
from fecnn.decoders.foreign import foreign
from fecnn.errors import DecodingError, StaleError
from fecnn.simulation import simulate
from fecnn.simulation.store import Store
from fecnn.simulation.task import build_decoder
from fecnn.studies.run import store_path
from fecnn.studies.study import load_study
from fecnn.studies.warm_up import warm_up

HARD = """
import numpy as np
def dec(code, channel=None, /):
    return lambda llr: (llr < 0).astype(np.uint8)
"""
EXACT = """
import fecnn
def dec(code, channel=None, /):
    return fecnn.decoder("ml", code, channel)
"""
STUDY = """
title = "t"
code = "hamming-7-4"
ebn0_db = [3.0]
batch = 256
stop = { frames = 2048 }
[[curve]]
decoder = "mydec:dec"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the path, with nothing of its modules loaded before or after."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("mydec", "helper", "between"):  # those of other tests
        sys.modules.pop(name, None)
    before = set(sys.modules)
    simulate._build.cache_clear()
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def write(folder, name, text, alike=False):
    """A file; ``alike``: with the size and the times of the one before."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if alike:
        old = path.stat()
        text = text.ljust(old.st_size, "#")
    path.write_text(text)
    if alike:
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
        assert path.stat().st_size == old.st_size
    return path


def plan(folder, text=STUDY):
    return load_study(write(folder, "s.toml", text))


def errors(study, store="r.sqlite", **options):
    """Block errors by curve, of all frames that were made."""
    found = {step.point.curve: step.total.block_errors for step in fecnn.run(study, store=store, **options)}
    (only, *others) = found
    return found[only] if not others and "mydec" in only else found


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Block errors of the two versions, by decoders that come with fecnn."""
    folder = tmp_path_factory.mktemp("right")
    text = STUDY.replace("mydec:dec", "ml") + '[[curve]]\ndecoder = "hard"\noptions = { t = 0 }\n'
    path = folder / "s.toml"
    path.write_text(text)
    found = errors(load_study(path), folder / "r.sqlite")
    return {"exact": found["ml"], "hard": found["hard (t 0)"]}


# Edited decoders


@pytest.mark.parametrize("alike", [False, True])
def test_an_edited_decoder_stops_the_run_until_it_is_told_to_begin_anew(folder, right, alike):
    write(folder, "mydec.py", HARD + "#" * 80)
    assert errors(plan(folder)) == right["hard"]
    write(folder, "mydec.py", EXACT, alike)
    words = r"r\.sqlite has 8 batches of curve mydec:dec by another version of mydec:dec: .* --fresh"
    for text in (STUDY, STUDY.replace("2048", "4096")):
        with pytest.raises(StaleError, match=words):
            errors(plan(folder, text))
    with Store("r.sqlite") as store:
        assert sum(1 for _ in store.rows()) == 8
    assert fecnn.table(plan(folder), "r.sqlite").empty
    assert errors(plan(folder), fresh=True) == right["exact"]
    assert errors(plan(folder)) == right["exact"]  # that was said once, and holds
    table = fecnn.table(plan(folder), "r.sqlite")
    assert table[["frames", "block_errors"]].values.tolist() == [[2048, right["exact"]]]
    # The old version has its own counts still.
    write(folder, "mydec.py", HARD + "#" * 80)
    assert errors(plan(folder)) == right["hard"]
    with Store("r.sqlite") as store:
        assert sum(1 for _ in store.rows()) == 16


def test_a_curve_with_a_new_label_is_a_new_curve(folder, right):
    write(folder, "mydec.py", HARD)
    errors(plan(folder))
    write(folder, "mydec.py", EXACT)
    found = errors(plan(folder, STUDY + 'label = "repaired"\n'))
    assert found == {"repaired": right["exact"]}
    # Under its old label it would be the old curve.
    with pytest.raises(StaleError, match="8 batches of curve mydec:dec"):
        errors(plan(folder))


def test_a_curve_that_was_only_renamed_keeps_its_results(folder, right):
    write(folder, "mydec.py", HARD)
    errors(plan(folder))
    renamed = plan(folder, STUDY + 'label = "hard decisions"\n')
    assert all(step.batch is None for step in fecnn.run(renamed, store="r.sqlite"))
    write(folder, "mydec.py", EXACT)
    with pytest.raises(StaleError, match="8 batches of curve hard decisions"):
        errors(plan(folder, STUDY + 'label = "hard decisions"\n'))


def test_results_of_before_there_were_versions_are_of_another_one(folder):
    write(folder, "mydec.py", HARD)
    errors(plan(folder))
    (point,) = plan(folder).points
    old = replace(point.task, source=None)
    with closing(sqlite3.connect("r.sqlite")) as file:
        content = json.loads(file.execute("select content from task").fetchone()[0])
        del content["source"]
        file.execute("update task set id = ?, content = ?", (old.id, json.dumps(content)))
        file.execute("update batch set task = ?", (old.id,))
        file.execute("drop table curve")
        file.commit()
    with pytest.raises(StaleError, match="8 batches of curve mydec:dec"):
        errors(plan(folder))


def test_shards_of_two_versions_are_kept_apart(folder, right):
    write(folder, "mydec.py", HARD)
    study = plan(folder)
    errors(study, store_path(study, folder, (1, 2)), shard=(1, 2))
    write(folder, "mydec.py", EXACT)
    study = plan(folder)
    errors(study, store_path(study, folder, (2, 2)), shard=(2, 2))
    first, second = fecnn.merge(study, folder=folder)
    assert first.added == second.added == 4
    with Store(store_path(study, folder)) as store:
        assert store.stale(study.points) == {"mydec:dec": 4}
        assert set(store.batches(study.points[0].task)) == {1, 3, 5, 7}
    assert errors(study, store_path(study, folder)) == right["exact"]
    again = plan(folder)
    write(folder, "mydec.py", HARD)
    with pytest.raises(ValueError, match="is not the version that the study was loaded with"):
        errors(again, store_path(study, folder), shard=(1, 2))


IMPORTS = {
    "import": {"mydec.py": "import helper\n" + HARD},
    "from": {"mydec.py": "from helper import value\n" + HARD},
    "as": {"mydec.py": "import helper as h\n" + HARD},
    "in a function": {"mydec.py": HARD + "def late():\n    import helper\n"},
    "by its name": {"mydec.py": "import importlib\nimportlib.import_module('helper')\n" + HARD},
    "by a keyword": {"mydec.py": "import importlib\nimportlib.import_module(name='helper')\n" + HARD},
    "by an alias": {"mydec.py": "from importlib import import_module as im\nim('helper')\n" + HARD},
    "by another": {"mydec.py": "import between\n" + HARD, "between.py": "import helper\n"},
    "in a circle": {"mydec.py": "import between\n" + HARD, "between.py": "import helper, mydec\n"},
}
PACKAGES = {
    "from .": {"mydec/__init__.py": "", "mydec/main.py": "from . import helper\n" + HARD},
    "from .helper": {"mydec/__init__.py": "", "mydec/main.py": "from .helper import value\n" + HARD},
    "from the package": {"mydec/__init__.py": "", "mydec/main.py": "from mydec.helper import value\n" + HARD},
    "by a relative name": {
        "mydec/__init__.py": "",
        "mydec/main.py": "import importlib\nimportlib.import_module('.helper', __package__)\n" + HARD,
    },
    "by the package": {"mydec/__init__.py": "from mydec import helper\n", "mydec/main.py": HARD},
    "without __init__": {"mydec/main.py": "from . import helper\n" + HARD},
}


@pytest.mark.parametrize("how", IMPORTS)
def test_the_version_covers_what_a_module_imports(folder, how):
    check_imports(folder, IMPORTS[how], "mydec:dec", "helper.py")


@pytest.mark.parametrize("how", PACKAGES)
def test_the_version_covers_what_a_package_imports(folder, how):
    check_imports(folder, PACKAGES[how], "mydec.main:dec", "mydec/helper.py")


def check_imports(folder, files, name, helper):
    for path, text in files.items():
        write(folder, path, text)
    write(folder, helper, "value = 1\n")
    write(folder, "mydec/beside.py" if "/" in helper else "beside.py", "value = 1\n")
    first = foreign(name)
    assert first.file == str(
        folder / next(path for path in files if path != "mydec/__init__.py" and "between" not in path)
    )
    write(folder, "mydec/beside.py" if "/" in helper else "beside.py", "value = 2\n")
    assert foreign(name) == first
    write(folder, helper, "value = 2\n")
    assert foreign(name).version != first.version
    write(folder, helper, "value = 1\n")
    assert foreign(name) == first
    for path in files:
        write(folder, path, files[path] + "\n# edited\n")
        assert foreign(name).version != first.version
        write(folder, path, files[path])
    assert [n for n in ("mydec", "helper", "between", "mydec.helper") if n in sys.modules] == []


def test_a_version_does_not_depend_on_where_the_files_lie(folder, monkeypatch):
    write(folder, "mydec.py", "import helper\n" + HARD)
    write(folder, "helper.py", "")
    first = foreign("mydec:dec")
    with zipfile.ZipFile(folder / "all.zip", "w") as packed:
        for name in ("mydec.py", "helper.py"):
            packed.write(folder / name, name)
            (folder / name).unlink()
    monkeypatch.syspath_prepend(folder / "all.zip")
    assert foreign("mydec:dec").version == first.version
    study = plan(folder)
    assert errors(study) > 0


@pytest.mark.parametrize("name", ["ml", "fecnn-net", "fecnn.decoders.osd:osd"])
def test_what_comes_with_fecnn_has_no_version(name):
    assert foreign(name) is None


def test_a_decoder_without_a_file_is_refused(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "typed_in", type(sys)("typed_in"))
    with pytest.raises(ValueError, match="decoder typed_in:dec exists in memory only; save it in a file"):
        foreign("typed_in:dec")


def installed(folder, version, body=HARD, where="site-packages"):
    """A package with an entry point, as pip leaves it."""
    site = folder / "site-packages"
    code = site if where == "site-packages" else folder / where
    write(code.parent, f"{code.name}/theirs.py", body) if code.exists() else code.mkdir(parents=True)
    write(code.parent, f"{code.name}/theirs.py", body)
    site.mkdir(exist_ok=True)
    for old in site.glob("*.dist-info"):
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
    write(
        site,
        f"theirs-{version}.dist-info/METADATA",
        f"Metadata-Version: 2.1\nName: theirs\nVersion: {version}\n",
    )
    write(site, f"theirs-{version}.dist-info/entry_points.txt", "[fecnn.decoders]\nmine = theirs:dec\n")
    return site, code


def test_an_entry_point_has_the_version_of_its_distribution(folder, monkeypatch, right):
    site, _ = installed(folder, "1.0")
    monkeypatch.syspath_prepend(site)
    assert foreign("mine").version == "theirs 1.0"
    text = STUDY.replace("mydec:dec", "mine")
    assert errors(plan(folder, text)) == {"mine": right["hard"]}
    installed(folder, "1.1", EXACT)
    assert foreign("mine").version == "theirs 1.1"
    with pytest.raises(StaleError, match="8 batches of curve mine by another version of mine"):
        errors(plan(folder, text))


def test_an_entry_point_that_is_edited_where_it_lies_has_the_version_of_its_files(folder, monkeypatch, right):
    site, code = installed(folder, "1.0", where="checkout")
    for path in (site, code):
        monkeypatch.syspath_prepend(path)
    text = STUDY.replace("mydec:dec", "mine")
    assert errors(plan(folder, text)) == {"mine": right["hard"]}
    installed(folder, "1.0", EXACT, where="checkout")
    with pytest.raises(StaleError, match="8 batches of curve mine"):
        errors(plan(folder, text))
    assert errors(plan(folder, text), fresh=True) == {"mine": right["exact"]}


# One process, several versions


def test_a_module_that_was_imported_and_then_edited_runs_as_its_file_is(folder, right):
    write(folder, "mydec.py", HARD)
    mydec = importlib.import_module("mydec")
    write(folder, "mydec.py", EXACT)
    assert errors(plan(folder)) == right["exact"]
    assert sys.modules["mydec"] is mydec  # whoever imported it keeps it


def test_a_helper_that_was_imported_and_then_edited_runs_as_its_file_is(folder, right):
    write(folder, "mydec.py", "import helper\ndef dec(code, channel=None, /):\n    return helper.dec(code)\n")
    write(folder, "helper.py", HARD)
    importlib.import_module("mydec")
    write(folder, "helper.py", EXACT)
    assert errors(plan(folder)) == right["exact"]


def test_a_study_that_was_loaded_before_its_decoder_was_edited_is_refused(folder, right):
    write(folder, "mydec.py", HARD)
    study = plan(folder)
    assert errors(study) == right["hard"]
    write(folder, "mydec.py", EXACT)
    with pytest.raises(ValueError, match=r"decoder mydec:dec in .*mydec\.py is not the version"):
        errors(study, "other.sqlite")
    assert not (folder / "other.sqlite").exists()


@pytest.mark.parametrize("imported", ["before", "after"])
def test_reloading_mixes_no_versions(folder, right, imported):
    write(folder, "mydec.py", HARD)
    if imported == "before":
        mydec = importlib.import_module("mydec")
    study = plan(folder)
    assert errors(study) == right["hard"]
    if imported == "after":
        mydec = importlib.import_module("mydec")
    write(folder, "mydec.py", EXACT + "\nedited = True\n")
    assert importlib.reload(mydec).edited
    assert errors(plan(folder), "exact.sqlite") == right["exact"]
    write(folder, "mydec.py", HARD)  # the file is as it was, and the module is not
    if imported == "before":
        assert errors(study, "again.sqlite") == right["hard"]
    else:  # the one that was reloaded is the one that the study had
        with pytest.raises(ValueError, match="its code was reloaded, so two versions are mixed"):
            errors(study, "again.sqlite")


def test_a_decoder_that_is_edited_while_it_runs_is_not_built_anew(folder, right):
    write(folder, "mydec.py", HARD)
    study = plan(folder, STUDY.replace("[3.0]", "[3.0, 4.0]"))
    steps = fecnn.run(study, store="r.sqlite")
    while next(steps).batch is None:
        pass
    write(folder, "mydec.py", EXACT)
    with pytest.raises(DecodingError, match="is not the version that the study was loaded with"):
        list(steps)
    counts = {
        step.point.ebn0_db: step.total
        for step in fecnn.run(study_again(folder), store="r.sqlite", fresh=True)
    }
    assert counts[3.0].block_errors == right["exact"]


def study_again(folder):
    return plan(folder, STUDY.replace("[3.0]", "[3.0, 4.0]"))


# Options that Python calls equal

TYPED = """
import fecnn, numpy as np
def dec(code, channel=None, /, *, mode):
    if isinstance(mode, bool):
        return fecnn.decoder("ml", code, channel)
    if isinstance(mode, float):
        return lambda llr: np.zeros((len(llr), code.n), np.uint8)
    return lambda llr: (llr < 0).astype(np.uint8)
"""


def test_options_that_python_calls_equal_are_of_different_tasks(folder, right):
    write(folder, "mydec.py", TYPED)
    curves = "".join(
        f'[[curve]]\nlabel = "{mode}"\ndecoder = "mydec:dec"\noptions = {{ mode = {mode} }}\n'
        for mode in ("1", "1.0", "true")
    )
    study = plan(folder, STUDY.split("[[curve]]")[0] + curves)
    tasks = [point.task for point in study.points]
    assert len(set(tasks)) == len({task.id for task in tasks}) == 3
    assert tasks[0] != tasks[1] != tasks[2] != tasks[0]
    found = errors(study)
    assert (found["1"], found["true"]) == (right["hard"], right["exact"])
    assert found["1.0"] > 1800  # a message of 16 is zero


def test_every_option_is_built_before_anything_runs(folder):
    write(
        folder,
        "mydec.py",
        "def dec(code, channel=None, /, *, mode):\n"
        "    if mode is True:\n        raise ValueError('not that')\n    return lambda llr: llr\n",
    )
    curve = '[[curve]]\nlabel = "{0}"\ndecoder = "mydec:dec"\noptions = {{ mode = {0} }}\n'
    study = plan(folder, STUDY.split("[[curve]]")[0] + curve.format("1") + curve.format("true"))
    with pytest.raises(ValueError, match="curve true: not that"):
        study.check()


def test_equal_tasks_have_equal_ids():
    (one, *_), (other, *_) = (load_study("optimal-hamming-7-4").points for _ in range(2))
    assert one.task == other.task
    assert hash(one.task) == hash(other.task)
    assert (
        one.task
        != replace(one.task, options=(("mode", -0.0),))
        != replace(one.task, options=(("mode", 0.0),))
    )


# Decoders that do not stand by what they said

STATES = {
    "by frames": """
import numpy as np
def dec(code, channel=None, /):
    seen = 0
    def decide(llr):
        nonlocal seen
        seen += len(llr)
        bits = (llr < 0).astype(np.uint8)
        if seen % 768 < 256:
            bits[:, 0] ^= 1
        return bits
    return decide
""",
    "by calls": """
import numpy as np
def dec(code, channel=None, /):
    calls = 0
    def decide(llr):
        nonlocal calls
        calls += 1
        return (llr < 0).astype(np.uint8) ^ np.uint8(calls > 9)
    return decide
""",
    "unseeded": """
import numpy as np
def dec(code, channel=None, /):
    rng = np.random.default_rng()
    return lambda llr: ((llr + rng.normal(0, 1, llr.shape)) < 0).astype(np.uint8)
""",
    "one seed, drawn on": """
import numpy as np
def dec(code, channel=None, /):
    rng = np.random.default_rng(1)
    return lambda llr: ((llr + rng.normal(0, 1, llr.shape)) < 0).astype(np.uint8)
""",
    "the answer before": """
import numpy as np
def dec(code, channel=None, /):
    last = [np.zeros((1, 7), np.uint8)]
    def decide(llr):
        last.append((llr < 0).astype(np.uint8))
        return np.resize(last[-2], llr.shape)
    return decide
""",
}


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("state", STATES)
def test_a_decoder_with_a_state_is_stopped(folder, state, workers):
    write(folder, "mydec.py", STATES[state])
    with pytest.raises(DecodingError, match="decided the same frames differently the second time"):
        errors(plan(folder, STUDY.replace("2048", "16384")), workers=workers)
    with Store("r.sqlite") as store:
        assert sum(1 for _ in store.rows()) < 16


def test_a_decoder_without_a_state_is_not(folder, right):
    """Also one whose sums depend on how many frames it is given, as matrix products do."""
    write(
        folder,
        "mydec.py",
        HARD.replace("(llr < 0)", "(llr < 0 if len(llr) % 3 else llr < 1e-3)"),
    )
    assert errors(plan(folder), workers=2) >= right["hard"]


# Failures


def test_where_a_decoder_failed_is_shown(folder):
    write(
        folder,
        "mydec.py",
        "def dec(code, channel=None, /):\n    return helper\n\n\n"
        "def helper(llr):\n    raise ZeroDivisionError('mine')  # line 6\n",
    )
    write(folder, "s.toml", STUDY + '[[curve]]\ndecoder = "ml"\n')
    told = CliRunner().invoke(app, ["run", "./s.toml", "--workers", "1"])
    assert told.exit_code == 1
    assert f'File "{folder / "mydec.py"}", line 6, in helper' in told.output
    assert "curve mydec:dec failed at 3.0 dB, batch 0: ZeroDivisionError: mine" in told.output
    assert "give it more time" not in told.output
    assert "2,048" in told.output  # the other curve went on
    write(folder, "s.toml", STUDY)
    alone = CliRunner().invoke(app, ["run", "./s.toml", "--workers", "1", "--out", "alone"])
    assert alone.exit_code == 1
    assert "line 6, in helper" in alone.output
    assert "give it more time" not in alone.output


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def dec(code, channel=None, /):\n    return 1 / 0\n", "line 2, in dec"),
        ("import numpy\nimport nothing_like_that\n" + HARD, "line 2, in <module>"),
    ],
)
def test_where_a_factory_failed_is_shown(folder, text, line):
    write(folder, "mydec.py", text)
    write(folder, "s.toml", STUDY)
    told = CliRunner().invoke(app, ["run", "./s.toml"])
    assert told.exit_code == 1
    assert f'File "{folder / "mydec.py"}", {line}' in told.output
    assert "curve mydec:dec: " in told.output


# Showing results runs nothing


def test_showing_a_study_runs_none_of_its_code(folder):
    write(folder, "mydec.py", f"open({str(folder / 'ran')!r}, 'w').close()\n" + HARD)
    write(folder, "s.toml", STUDY + '[[curve]]\ndecoder = "hard"\n')
    ran = CliRunner().invoke(app, ["run", "./s.toml", "--workers", "1"])
    assert ran.exit_code == 0
    assert ran.output.count(f"decoder mydec:dec runs code from {folder / 'mydec.py'}") == 1
    (folder / "ran").unlink()
    sys.modules.pop("mydec")
    for command in (
        ["table", "./s.toml"],
        ["table", "./s.toml", "--format", "csv"],
        ["plot", "./s.toml"],
        ["report", "./s.toml"],
        ["complexity", "./s.toml"],
        ["compare", "./s.toml", "mydec:dec", "hard"],
        ["export", "./s.toml", "all.csv"],
        ["merge", "./s.toml", "fecnn-results/s.sqlite", "--out", "pooled"],
    ):
        told = CliRunner().invoke(app, command)
        assert told.exit_code == 0, (command, told.output)
    assert not (folder / "ran").exists()
    assert "mydec" not in sys.modules


def test_foreign_code_is_refused_where_that_is_asked_for(folder):
    write(folder, "mydec.py", f"open({str(folder / 'ran')!r}, 'w').close()\n" + HARD)
    write(folder, "s.toml", STUDY)
    told = CliRunner().invoke(app, ["run", "./s.toml", "--no-foreign-code"])
    assert told.exit_code == 1
    assert re.search(
        r"decoder mydec:dec does not ship with fecnn: it runs code from .*mydec\.py", told.output
    )
    assert not (folder / "ran").exists()
    write(folder, "s.toml", STUDY.replace("mydec:dec", "hard"))
    assert CliRunner().invoke(app, ["run", "./s.toml", "--no-foreign-code"]).exit_code == 0


def test_loading_studies_imports_no_torch():
    script = (
        "import sys, fecnn\n"
        "for name in fecnn.study_names():\n    fecnn.load_study(name)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_stale_results_are_told_and_not_shown(folder):
    write(folder, "mydec.py", HARD)
    write(folder, "s.toml", STUDY)
    assert CliRunner().invoke(app, ["run", "./s.toml", "--workers", "1"]).exit_code == 0
    write(folder, "mydec.py", EXACT)
    told = CliRunner().invoke(app, ["table", "./s.toml"])
    assert told.exit_code == 1
    stale = "8 batches of mydec:dec are not shown: they are from another version of its decoder"
    assert stale in told.output
    assert "has no results of s yet" in told.output
    stopped = CliRunner().invoke(app, ["run", "./s.toml", "--workers", "1"])
    assert stopped.exit_code == 1
    assert "8 batches of curve mydec:dec by another version of mydec:dec" in stopped.output
    again = CliRunner().invoke(app, ["run", "./s.toml", "--workers", "1", "--fresh"])
    assert again.exit_code == 0, again.output
    told = CliRunner().invoke(app, ["table", "./s.toml"])
    assert told.exit_code == 0
    assert stale in told.output


def test_warming_up_says_whose_code_runs(folder):
    path = write(folder, "mydec.py", EXACT)
    plan(folder)
    for what in ("mydec:dec", "./s.toml"):
        lines = []
        warm_up([what], lines.append)
        assert lines == [f"decoder mydec:dec runs code from {path}"]
    with pytest.raises(LookupError, match="module 'mydec' has no function 'deck'"):
        warm_up(["mydec:deck"])


def test_a_decoder_of_another_version_is_not_built(folder):
    write(folder, "mydec.py", HARD)
    (point,) = plan(folder).points
    build_decoder(point.task, point.code)
    with pytest.raises(ValueError, match="is not the version"):
        build_decoder(replace(point.task, source="0" * 64), point.code)


def test_what_a_version_does_not_cover_is_not_run(folder):
    """The decoder looks for it in a folder that only it knows of."""
    (folder / "lib").mkdir()
    (folder / "lib/apart.py").write_text("value = 1\n")
    text = (
        "import pathlib, sys\nsys.path.insert(0, str(pathlib.Path(__file__).parent / 'lib'))\nimport apart\n"
    )
    write(folder, "mydec.py", text + HARD)
    with pytest.raises(ValueError, match=r"has imported .*apart\.py, which is not part of its version"):
        errors(plan(folder))
    sys.modules.pop("apart", None)


# Named by file


FILE = STUDY.replace("mydec:dec", "./mydec.py:dec")


def test_a_decoder_beside_the_study_is_found_from_anywhere(tmp_path, monkeypatch, right):
    (tmp_path / "mydec.py").write_text("from beside import dec as dec\n")
    (tmp_path / "beside.py").write_text(EXACT)
    (tmp_path / "s.toml").write_text(FILE)
    monkeypatch.chdir("/")
    plan = load_study(tmp_path / "s.toml")
    assert errors(plan, tmp_path / "r.sqlite") == right["exact"]
    (task,) = {point.task.decoder: point.task for point in plan.points}.values()
    assert (task.decoder, task.home) == ("mydec:dec", str(tmp_path))
    assert plan.foreign["./mydec.py:dec"].file == str(tmp_path / "mydec.py")


def test_a_decoder_s_results_do_not_depend_on_how_its_file_is_named(folder, right):
    write(folder, "mydec.py", EXACT)
    by_module, by_file = plan(folder), plan(folder, FILE)
    assert [point.task.id for point in by_module.points] == [point.task.id for point in by_file.points]
    assert len({point.task.kin for point in (*by_module.points, *by_file.points)}) == len(by_file.points)


def test_two_decoders_of_one_name_in_two_folders(tmp_path, right):
    for name, text in (("one", HARD), ("two", EXACT)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mydec.py").write_text(text)
    both = FILE.replace("./mydec.py", "one/mydec.py") + '[[curve]]\ndecoder = "two/mydec.py:dec"\n'
    (tmp_path / "s.toml").write_text(both)
    found = errors(load_study(tmp_path / "s.toml"), tmp_path / "r.sqlite")
    assert found == {
        "one/mydec.py:dec": right["hard"],
        "two/mydec.py:dec": right["exact"],
    }


def test_an_edited_file_is_another_version(tmp_path, right):
    (tmp_path / "mydec.py").write_text(EXACT)
    (tmp_path / "s.toml").write_text(FILE)
    plan = load_study(tmp_path / "s.toml")
    (tmp_path / "mydec.py").write_text(HARD)
    with pytest.raises(ValueError, match="is not the version that the study was loaded with"):
        errors(plan, tmp_path / "r.sqlite")


def test_a_file_that_is_not_there(tmp_path):
    (tmp_path / "s.toml").write_text(FILE)
    with pytest.raises(ValueError, match=r"decoder \./mydec\.py:dec: there is no file .*mydec\.py"):
        load_study(tmp_path / "s.toml")
    with pytest.raises(LookupError, match=r"no file .*mydec\.py for decoder"):
        fecnn.decoder(f"{tmp_path}/mydec.py:dec", fecnn.hamming(3))
    (tmp_path / "mydec.py").write_text("")
    with pytest.raises(LookupError, match=r"mydec\.py has no function 'dec'"):
        fecnn.decoder(f"{tmp_path}/mydec.py:dec", fecnn.hamming(3))


# Functions


def test_a_function_is_a_decoder_or_makes_one():
    code = fecnn.hamming(3)
    llr = np.float32([[2, 3, -0.1, 4, 1, 2, 3], [1, -1, 1, -1, 1, -1, 1]])

    def hard(llr):
        return (llr < 0).astype(np.uint8)

    def make(code, channel, /, *, flip=0):
        return lambda llr: hard(llr) ^ flip

    class Callable:
        def __call__(self, llr):
            return hard(llr)

    for given in (hard, make, Callable(), lambda llr: hard(llr)):
        assert np.array_equal(fecnn.decoder(given, code)(llr), hard(llr))
    assert np.array_equal(fecnn.decoder(make, code, flip=1)(llr), 1 - hard(llr))
    soft = fecnn.soft_decoder(lambda llr: 2 * llr, code)
    assert np.array_equal(soft(llr), 2 * llr)
    with pytest.raises(TypeError, match="has no option 'flip'; it has none"):
        fecnn.decoder(hard, code, flip=1)
    with pytest.raises(TypeError, match="a decoder is a name or a function, got int"):
        fecnn.decoder(3, code)
    with pytest.raises(TypeError, match=r"must return a uint8 array, got float32 array"):
        fecnn.decoder(lambda llr: llr, code)(llr)
