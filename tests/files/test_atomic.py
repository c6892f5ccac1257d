import os
import stat
import threading

import pytest

import fecnn
from fecnn._files.atomic import write
from fecnn.codes.codefile import save_code


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_content_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "deep" / "a.bin"
    write(path, b"old")
    write(path, "new é")
    assert path.read_bytes() == "new é".encode()
    assert names(path.parent) == ["a.bin"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    write(path, b"old")
    with pytest.raises(UnicodeEncodeError):
        write(path, "new \ud800")

    def full(_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_a_folder_of_that_name_is_an_error(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        write(tmp_path / "a", b"new")
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        write(tmp_path / "ours", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == 0o666 & ~mask


def test_names_of_the_greatest_length_can_be_written(tmp_path):
    write(tmp_path / ("x" * 251 + ".svg"), b"drawn")
    assert names(tmp_path) == ["x" * 251 + ".svg"]


def test_a_planted_link_is_replaced_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("a.csv", "broken.csv"):
        (tmp_path / name).symlink_to(victim if name == "a.csv" else tmp_path / "elsewhere")
        write(tmp_path / name, b"new")
        assert not (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_bytes() == b"new"
    assert victim.read_text() == "precious"
    assert names(tmp_path) == ["a.csv", "broken.csv", "victim"]


def test_names_of_unfinished_files_cannot_be_foreseen(tmp_path, monkeypatch):
    seen = []
    keep = os.fsync

    def look(file):
        seen.extend(name for name in names(tmp_path) if name != "a")
        keep(file)

    monkeypatch.setattr(os, "fsync", look)
    for _ in range(20):
        write(tmp_path / "a", b"x")
    assert len(set(seen)) == 20


def test_many_at_once_all_succeed(tmp_path):
    path, problems = tmp_path / "a", []
    contents = [bytes([i]) * 100_000 for i in range(8)]

    def go(content):
        try:
            for _ in range(20):
                write(path, content)
                assert path.read_bytes() in contents
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=go, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert names(tmp_path) == ["a"]


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write(tmp_path / "pipe", b"through it")
    reader.join(10)
    assert read == [b"through it"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_every_command_that_writes_a_file_leaves_links_alone(tmp_path, call):
    """Figures, reports, exports: nothing is written through a link, and nothing is left beside them."""
    study, victim = "optimal-hamming-7-4", tmp_path / "victim"
    victim.write_text("precious")
    out = tmp_path / "out"
    for _ in fecnn.run(fecnn.load_study(study), store=out / f"{study}.sqlite", seconds=0.1):
        pass
    commands = {
        "a.svg": ["plot", study, "--out", out, "-o"],
        "a.pdf": ["plot", study, "--out", out, "-o"],
        "a.png": ["plot", "fecnn-net-bch-31-16", "-o"],
        "a.html": ["report", study, "--out", out, "-o"],
        "a.csv": ["export", study, "--out", out],
        "a.parquet": ["export", study, "--out", out],
        "a.json": ["bench", "berlekamp", "--seconds", "0.01", "--json"],
    }
    for name, command in commands.items():
        (tmp_path / name).symlink_to(victim)
        call(*command, tmp_path / name)
        assert not (tmp_path / name).is_symlink()
        assert (tmp_path / name).stat().st_size > 100
    for name in ("a.alist", "a.toml"):
        (tmp_path / name).symlink_to(victim)
    fecnn.write_alist(fecnn.hamming(3).H, tmp_path / "a.alist")
    save_code(fecnn.hamming(3), tmp_path / "a.toml")
    assert victim.read_text() == "precious"
    assert names(tmp_path) == sorted([*commands, "a.alist", "a.toml", "out", "victim"])
