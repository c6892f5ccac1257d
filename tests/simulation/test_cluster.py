import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace

import distributed
import psutil
import pytest
from damage import doubled, killer, run_until_the_scheduler_is_killed, scheduler
from study_runs import PATIENT, make, ml_and_osd, results, run_all

import fecnn
from fecnn.errors import ClusterError, DecodingError
from fecnn.simulation import cluster, schedulers
from fecnn.simulation.cluster import connect, files_of, unpacked
from fecnn.simulation.simulate import run_batch
from fecnn.simulation.store import Store
from fecnn.simulation.workers import Made
from fecnn.studies.study import load_study

# A warning that became an error in one of Dask's own threads would stop it.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("plugins")]

STUDY = ml_and_osd([1, 3], 64, "block_errors = 300")

BROKEN = """
[[curve]]
label = "broken"
decoder = "misbehaving:late"
ebn0_db = [2.5]
options = { fault = "%s", after = 4 }
"""


def run_on(where, plan, store, limit=None, **options):
    with connect(where, limit) as workers:
        run_all(plan, store, workers, **options)


@pytest.fixture
def undisturbed(tmp_path):
    """The results of a study in one thread."""

    def run(text):
        plan = make(tmp_path, text)
        run_all(plan, tmp_path / "undisturbed.sqlite", 8)
        return results(plan, tmp_path / "undisturbed.sqlite")

    return run


# The same counts


@pytest.mark.parametrize("count", [1, 2])
def test_counts_do_not_depend_on_dask_workers(tmp_path, undisturbed, count):
    expected = undisturbed(STUDY)
    plan, store = make(tmp_path, STUDY), tmp_path / "r.sqlite"
    run_on(f"local:{count}", plan, store)
    assert results(plan, store).equals(expected)
    assert not doubled(store)
    with Store(store) as file, Store(tmp_path / "undisturbed.sqlite") as alone:
        for point in plan.points:
            assert file.flags(point.task, 0) == alone.flags(point.task, 0)


def test_a_shard_may_run_on_a_cluster(tmp_path, undisturbed):
    expected = undisturbed(STUDY)
    plan = make(tmp_path, STUDY)
    shards = [fecnn.studies.run.store_path(plan, tmp_path, (i, 2)) for i in (1, 2)]
    run_on("local:1", plan, shards[0], shard=(1, 2))
    run_all(plan, shards[1], shard=(2, 2))
    fecnn.merge(plan, folder=tmp_path)
    run_all(plan, tmp_path / "mine.sqlite")
    assert results(plan, tmp_path / "mine.sqlite").equals(expected)


# Who can reach it


def listeners():
    """Addresses at which this process, and those that it started, listen."""
    here = psutil.Process()
    for process in (here, *here.children(recursive=True)):
        of = process.net_connections if hasattr(process, "net_connections") else process.connections
        for connection in of(kind="inet"):
            if connection.status == psutil.CONN_LISTEN:
                yield connection.laddr.ip, connection.laddr.port


def test_a_local_cluster_listens_on_this_machine_only():
    before = set(listeners())
    with connect("local:2"):
        found = set(listeners()) - before
        # Scheduler, nannies and workers, each of the two HTTP servers.
        assert len(found) >= 5
        assert {host for host, _ in found} == {"127.0.0.1"}


# Files that travel


def test_codes_and_weights_travel(tmp_path, monkeypatch):
    """Once they are sent, workers need neither the file of the code nor the folder of the weights."""
    here = tmp_path / "driver"
    here.mkdir()
    fecnn.save_code(fecnn.load_code("hamming-7-4"), here / "my-code.toml")
    weights = here / "my-net"
    weights.mkdir()
    for file in ("card.json", "weights.safetensors"):
        original = fecnn.nets.card.ZOO / "slnn-7-hamming-7-4" / file
        (weights / file).write_bytes(original.read_bytes())
    text = STUDY.replace("hamming-7-4", "./my-code.toml") + '[[curve]]\ndecoder = "literature-slnn"\n'
    plan = make(here, text + f'options = {{ weights = "{weights}" }}\n')
    expected = [run_batch(point.task, 0) for point in plan.points]
    with connect("local:1") as workers:
        workers.prepare(plan.points)
        here.rename(tmp_path / "moved")
        late = workers._client.cluster
        late.scale(2)  # also to one that comes later
        workers._client.wait_for_workers(2, timeout=60)
        for point, batch in zip(plan.points, expected, strict=True):
            lots = [workers.submit(point.task, [0]) for _ in range(4)]
            for lot in lots:
                (made,) = lot.result(timeout=60)
                assert isinstance(made, Made), made
                assert made.counts.block_errors == batch.block_errors
                assert made.counts.flags == batch.flags


def test_a_worker_with_another_copy_of_a_decoder_is_an_error(tmp_path, monkeypatch):
    """Each has a file of its own; the driver's is edited after the worker started."""
    text = "import fecnn\ndef dec(code, channel=None, /):\n    return fecnn.decoder('{}', code)\n"
    here, there = tmp_path / "driver", tmp_path / "worker"
    for folder in (here, there):
        folder.mkdir()
        (folder / "mydec.py").write_text(text.format("ml"))
    plan_text = STUDY.split("[[curve]]")[0] + '[[curve]]\ndecoder = "mydec:dec"\n'
    monkeypatch.syspath_prepend(there)
    with connect("local:1") as workers:
        monkeypatch.syspath_prepend(here)  # for the driver alone
        run_all(make(tmp_path, plan_text), tmp_path / "same.sqlite", workers)
        (here / "mydec.py").write_text(text.format("hard-ml"))
        words = r"ValueError: the code of decoder mydec:dec in .*worker.mydec\.py is not the version that the"
        with pytest.raises(DecodingError, match=words):
            run_all(make(tmp_path, plan_text), tmp_path / "other.sqlite", workers)
    with Store(tmp_path / "other.sqlite") as store:
        assert not list(store.rows())


def test_what_comes_with_fecnn_does_not_travel():
    plan = load_study("transformers-bch-31-16")
    assert [files_of(point.task) for point in plan.points] == [{}] * len(plan.points)
    task = plan.points[0].task
    assert unpacked(task) == task


# Workers, schedulers and drivers that are killed


def test_killing_workers_changes_nothing(tmp_path, undisturbed):
    expected = undisturbed(PATIENT)
    plan, store = make(tmp_path, PATIENT), tmp_path / "r.sqlite"
    with connect("local:2") as workers, killer(workers, 0.5, 2.5) as killed:
        losses = [step.loss for step in fecnn.run(plan, store=store, workers=workers) if step.loss]
        assert not workers._client.futures  # what the killed ones were doing is forgotten, too
    assert len(killed) >= 2
    assert losses
    assert all(loss.startswith("tcp://") and loss.endswith(" died") for loss in losses)
    assert results(plan, store).equals(expected)
    assert not doubled(store)


def test_a_task_that_kills_its_workers_is_set_aside(tmp_path, undisturbed):
    expected = undisturbed(STUDY)
    deadly = (BROKEN % "die").replace("after = 4", "after = 0")
    plan, store = make(tmp_path, STUDY + deadly), tmp_path / "r.sqlite"
    words = r"curve broken failed at 2.5 dB, batch [0-2]: it has killed 3 workers, most recently: tcp"
    with pytest.raises(DecodingError, match=words):
        run_on("local:2", plan, store)
    good = make(tmp_path, STUDY)
    assert results(good, store).equals(expected)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("hang", "it takes longer than 2 s"),
        ("raise", "ZeroDivisionError: a decoder's own mistake"),
        ("shape", "ValueError: decoder misbehaving:late must return shape"),
    ],
)
def test_a_decoder_that_goes_wrong_is_set_aside(tmp_path, undisturbed, fault, words):
    expected = undisturbed(STUDY)
    plan, store = make(tmp_path, STUDY + BROKEN % fault), tmp_path / "r.sqlite"
    with pytest.raises(DecodingError, match=rf"curve broken failed at 2.5 dB, batch 4: {words}"):
        run_on("local:1", plan, store, limit=2.0)
    assert results(make(tmp_path, STUDY), store).equals(expected)


def test_a_worker_that_hangs_is_started_anew(tmp_path):
    plan = make(tmp_path, STUDY + BROKEN % "hang")
    with connect("local:1", limit=1.0) as workers:
        (before,) = workers._client.run(os.getpid).values()
        lot = workers.submit(plan.points[-1].task, range(8)).result(timeout=60)
        assert lot[-1].late
        until = time.monotonic() + 60
        while before in workers._client.run(os.getpid, on_error="ignore").values():
            assert time.monotonic() < until
            time.sleep(0.2)
        (made,) = workers.submit(plan.points[0].task, [0]).result(timeout=60)
        assert isinstance(made, Made)


def test_killing_the_scheduler_loses_nothing(tmp_path, undisturbed):
    expected = undisturbed(PATIENT)
    plan, store = make(tmp_path, PATIENT), tmp_path / "r.sqlite"
    run_until_the_scheduler_is_killed(plan, store, tmp_path, 50)
    run_all(plan, store, 8)
    assert results(plan, store).equals(expected)


def end(workers):
    """Kill all workers, and their nannies with them: nobody starts others, as Dask does where it is slow."""
    cluster = workers._client.cluster
    nannies = list(cluster.workers.values())
    pids = [nanny.pid for nanny in nannies]
    for nanny in nannies:
        nanny.status = distributed.Status.failed
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(schedulers, "PAUSE", 0.5)


def test_workers_that_are_gone_for_good_are_started_again(tmp_path, undisturbed, impatient, caplog):
    expected = undisturbed(PATIENT)
    plan, store = make(tmp_path, PATIENT), tmp_path / "r.sqlite"
    made, killed = 0, []
    with connect("local:2") as workers:
        for step in fecnn.run(plan, store=store, workers=workers):
            made += step.batch is not None
            if made == 200 and not killed:
                killed = end(workers)
        assert len(set(workers._client.run(os.getpid).values()) - set(killed)) == 2
    assert "2 of 2 workers are lost: restarting them" in caplog.text
    assert results(plan, store).equals(expected)
    assert not doubled(store)


def test_one_worker_of_two_that_is_gone_for_good_is_started_again(tmp_path, impatient):
    with connect("local:2") as workers:
        (before, *_) = workers._client.cluster.workers.values()
        workers.slots  # noqa: B018  sees both
        pid = before.pid
        workers._client.cluster.sync(before.close)
        until = time.monotonic() + 60
        while workers.slots != 3 or pid in workers._client.run(os.getpid).values():
            assert time.monotonic() < until
            time.sleep(0.2)


def test_workers_that_cannot_be_started_again_are_an_error(tmp_path, impatient):
    plan, store = make(tmp_path, PATIENT), tmp_path / "r.sqlite"
    made = 0

    def until_they_are_gone():
        nonlocal made
        with connect("local:2") as workers:
            for step in fecnn.run(plan, store=store, workers=workers):
                made += step.batch is not None
                if made == 50:
                    for spec in workers._client.cluster.worker_spec.values():
                        spec["options"]["preload"] = ["no_such_module"]
                    end(workers)
                    made += 1

    words = r"all 2 workers are lost, and restarting them failed 3 times: .*; every batch received"
    with pytest.raises(ClusterError, match=words):
        until_they_are_gone()
    with Store(store) as file:
        assert sum(1 for _ in file.rows()) >= 50


def test_a_job_in_the_queue_is_not_lost(monkeypatch):
    """A worker that was never there is waited for; one that was is asked for again when its job is over."""
    monkeypatch.setattr(schedulers, "PATIENCE", 0.0)
    there, asked = {}, []
    job = SimpleNamespace(status=distributed.Status.running)
    fake = SimpleNamespace(
        worker_spec={"job-0": {"group": ["-0", "-1"]}, "job-1": {"group": ["-0", "-1"]}},
        workers={"job-0": job, "job-1": job},
        scheduler=SimpleNamespace(workers=there),
        loop=SimpleNamespace(asyncio_loop=None),
    )
    kept = schedulers.Kept(fake)
    monkeypatch.setattr(kept, "_start_again", asked.append)
    monkeypatch.setattr(schedulers.asyncio, "run_coroutine_threadsafe", lambda *_: Future())
    for names in ([], ["job-0-1"], ["job-0-0"]):
        there.clear()
        there.update({name: SimpleNamespace(name=name) for name in names})
        time.sleep(0.01)
        kept.look_after()
    assert asked == []
    there.clear()
    kept.look_after()
    time.sleep(0.01)
    kept.look_after()
    assert asked == [["job-0"]]


DRIVER = """
import sys, fecnn
from fecnn.simulation.cluster import connect
with connect(sys.argv[3]) as workers:
    for step in fecnn.run(fecnn.load_study(sys.argv[1]), store=sys.argv[2], workers=workers):
        print(step.batch, flush=True)
"""


def test_killing_the_driver_loses_nothing(tmp_path, undisturbed):
    expected = undisturbed(PATIENT)
    plan, store = make(tmp_path, PATIENT), tmp_path / "r.sqlite"
    instants = random.Random(3)
    with scheduler(tmp_path) as (_, address, _workers):
        for _ in range(3):
            command = [sys.executable, "-c", DRIVER, tmp_path / "mine.toml", store, address]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
                for line in driver.stdout:
                    if line.strip() != "None":
                        break
                time.sleep(instants.uniform(0.1, 1))
                driver.kill()
        run_on(address, plan, store)
    assert results(plan, store).equals(expected)
    assert not doubled(store)


def test_a_scheduler_forgets_what_is_done(tmp_path):
    with connect("local:1") as workers:
        run_all(make(tmp_path, STUDY), tmp_path / "r.sqlite", workers)
        scheduler = workers._client.cluster.scheduler
        time.sleep(1)  # the last keys are let go, and heartbeats still come
        assert not scheduler.tasks
        assert not scheduler.task_groups
        assert not scheduler.extensions["spans"].spans
        assert "stealing" not in scheduler.extensions


SOAK = float(os.environ.get("FECNN_SOAK", "60"))


@pytest.mark.slow
@pytest.mark.timeout(600 + 2 * SOAK)
def test_workers_that_come_and_go(tmp_path, caplog):
    """A soak of a minute, or of FECNN_SOAK seconds: no batch is lost or doubled, and memory stays flat."""
    caplog.set_level(logging.CRITICAL, "distributed")  # what is logged is kept, with all that it speaks of
    # A thread makes some 300 batches of 3 ms a second.
    text = PATIENT.replace("16_000", str(int(16 * 150 * SOAK)))
    plan, store = make(tmp_path, text), tmp_path / "r.sqlite"
    counts, memory = random.Random(1), []
    with connect("local:1") as workers:
        over = threading.Event()

        def scale():
            while not over.wait(counts.uniform(3, 8)):
                workers._client.cluster.scale(counts.randint(1, 4))
                memory.append(resident())

        scaler = threading.Thread(target=scale)
        scaler.start()
        try:
            run_all(plan, store, workers)
        finally:
            over.set()
            scaler.join()
    with Store(store) as file:
        for point in plan.points:
            made = file.batches(point.task)
            length = point.stop.frames // 16
            assert set(made) >= set(range(length))
            assert sum(made[i].frames for i in range(length)) == point.stop.frames
    assert not doubled(store)
    half = len(memory) // 2
    print(f"driver: {memory[half] / 2**20:.0f} MiB at half time, {memory[-1] / 2**20:.0f} MiB at the end")
    assert memory[-1] < memory[half] + 30 * 2**20


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# Clusters that cannot be used


@pytest.mark.parametrize("where", ["local:0", "local:x", "local:-1", "dask", "", "10.0.0.1:8786"])
def test_what_names_no_cluster_is_refused(where):
    with (
        pytest.raises(ValueError, match=r"a (local )?cluster (needs 1 or more workers|is local:N)"),
        connect(where),
    ):
        pass


def test_a_limit_that_is_no_time_is_refused():
    with pytest.raises(ValueError, match="must be more than 0 seconds, got 0"), connect("local:1", 0):
        pass


def test_a_scheduler_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    words = r"no scheduler answers at tcp://127.0.0.1:9"
    with pytest.raises(ClusterError, match=words), connect("tcp://127.0.0.1:9"):
        pass


def test_a_worker_with_another_fecnn_is_refused(tmp_path, monkeypatch):
    plan = make(tmp_path, STUDY)
    with connect("local:1") as workers:
        monkeypatch.setattr("fecnn.simulation.cluster.__version__", "0.0.1")
        with pytest.raises(ClusterError, match=r"has fecnn .*, but the driver has 0.0.1"):
            run_all(plan, tmp_path / "r.sqlite", workers)


@pytest.mark.parametrize("code", ["hamming-7-4", "./own.toml"])
def test_a_worker_without_fecnn_is_no_silence(tmp_path, code):
    fecnn.save_code(fecnn.hamming(3), tmp_path / "own.toml")
    plan = make(tmp_path, STUDY.replace("hamming-7-4", code))
    (tmp_path / "bare.py").write_text("import sys\nsys.modules['fecnn'] = None\n")
    with scheduler(tmp_path, options=["--preload", str(tmp_path / "bare.py")]) as (_, address, _):
        with distributed.Client(address) as client:
            client.wait_for_workers(1, 60)
        with pytest.raises(ClusterError, match=r"a worker .*: .*fecnn"):
            run_on(address, plan, tmp_path / "r.sqlite")


# Slurm

SBATCH = """#!{python}
import os, subprocess, sys
script = sys.argv[-1]
log = open(os.path.join({folder!r}, "job.log"), "ab")
job = subprocess.Popen(["bash", script], stdout=log, stderr=log, start_new_session=True)
with open(os.path.join({folder!r}, "jobs"), "a") as jobs:
    jobs.write(f"{{job.pid}}\\n")
with open(os.path.join({folder!r}, f"script-{{job.pid}}"), "w") as copy:
    copy.write(open(script).read())
print(f"Submitted batch job {{job.pid}}")
"""

SCANCEL = """#!{python}
import os, signal, sys
for job in sys.argv[1:]:
    try:
        os.killpg(int(job), signal.SIGTERM)
    except (ProcessLookupError, ValueError):
        pass
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A Slurm whose jobs run here at once."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (folder / name).write_text(text.format(python=sys.executable, folder=str(folder)))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder


def test_slurm_jobs_are_workers(tmp_path, slurm, undisturbed):
    expected = undisturbed(STUDY)
    plan, store = make(tmp_path, STUDY), tmp_path / "r.sqlite"
    (tmp_path / "slurm.toml").write_text(f"""
jobs = 2
[job]
cores = 1
memory = "2GB"
queue = "short"
walltime = "00:10:00"
interface = "lo"
local_directory = "{tmp_path}"
log_directory = "{tmp_path}"
job_extra_directives = ["--exclusive"]
job_script_prologue = ["export FECNN_HELLO=1"]
""")
    run_on(str(tmp_path / "slurm.toml"), plan, store)
    assert results(plan, store).equals(expected)
    jobs = (slurm / "jobs").read_text().split()
    assert len(jobs) == 2
    script = (slurm / f"script-{jobs[0]}").read_text()
    for line in (
        "#SBATCH -p short",
        "#SBATCH --exclusive",
        "#SBATCH -t 00:10:00",
        "export FECNN_HELLO=1",
        "export MALLOC_TRIM_THRESHOLD_=",
        "export MALLOC",
    ):
        assert line in script


@pytest.mark.parametrize(
    ("sbatch", "words"),
    [
        ("echo 'sbatch: error: invalid partition specified: shrt' >&2; exit 1", "invalid partition"),
        ("echo 'What is a job?'", "Could not parse job id"),
        ("", "No such file or directory: 'sbatch'"),
    ],
)
def test_a_slurm_that_takes_no_jobs(tmp_path, slurm, monkeypatch, sbatch, words):
    monkeypatch.setenv("PATH", str(slurm))
    (slurm / "sbatch").unlink()
    if sbatch:
        (slurm / "sbatch").write_text(f"#!/bin/sh\n{sbatch}\n")
        (slurm / "sbatch").chmod(0o755)
    (tmp_path / "slurm.toml").write_text("jobs = 2\n[job]\ncores = 1\nmemory = '2GB'\ninterface = 'lo'\n")
    words = rf"(?s)slurm\.toml: the cluster cannot be started: .*{words}"
    with pytest.raises(ClusterError, match=words), connect(str(tmp_path / "slurm.toml")):
        pass


def test_a_slurm_cluster_that_cannot_be_started(tmp_path, slurm):
    (tmp_path / "slurm.toml").write_text("jobs = 2\n[job]\ncores = 1\nmemory = '2GB'\ninterface = 'ib7'\n")
    words = r"slurm\.toml: the cluster cannot be started: .*'ib7' is not a valid network interface"
    with pytest.raises(ClusterError, match=words), connect(str(tmp_path / "slurm.toml")):
        pass


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("jobs = ", "is not TOML"),
        ("jobs = 2", "job: missing"),
        ("jobs = 0\n[job]\ncores = 1\nmemory = '1GB'", "jobs: must be greater than or equal to 1"),
        (
            "jobs = 1\n[job]\ncores = 1\nmemory = '1GB'\nqueu = 'x'",
            "job.queu: unknown key; did you mean queue",
        ),
    ],
)
def test_a_broken_slurm_file_is_refused(tmp_path, text, words):
    path = tmp_path / "slurm.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=words) as refused, connect(str(path)):
        pass
    assert str(path) in str(refused.value)


def test_a_missing_slurm_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.toml"), connect(str(tmp_path / "none.toml")):
        pass


def test_without_dask_it_says_what_to_install():
    script = "import sys; sys.modules['distributed'] = None; import fecnn.simulation.cluster"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: a cluster needs distributed: pip install 'fecnn[cluster]'" in done.stderr
