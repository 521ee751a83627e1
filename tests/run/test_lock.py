"""One process at a time in a run directory, on a disk and on an object store."""

import json
import signal
import subprocess
import sys
import time

import pytest

from curate.errors import LockedError, StorageError
from curate.run import lock
from curate.run.lock import locked
from curate.storage import Folder
from tests.run.lines import carry_out, command, spelled

HOLD = (
    "import sys, time\n"
    "from curate.run.lock import locked\n"
    "from curate.storage import Folder\n"
    "with locked(Folder(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(600)\n"
)


@pytest.fixture
def hold():
    """Have another process hold a run's lock."""
    holding = []

    def hold(url):
        process = subprocess.Popen([sys.executable, "-c", HOLD, str(url)], stdout=subprocess.PIPE, text=True)
        holding.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in holding:
        process.kill()
        process.communicate()


def test_a_second_process_is_told_who_works_there(tmp_path, hold):
    holder = hold(tmp_path)
    says = rf"{tmp_path}: process {holder.pid} on .* is working in this run\. Wait for it, or choose another --out"
    with pytest.raises(LockedError, match=says):
        carry_out(tmp_path)
    recipe = tmp_path.parent / "lines.yaml"
    recipe.write_text(spelled())
    for line in (("run", recipe, "--out", tmp_path, "--local"), ("purge", tmp_path), ("retry", tmp_path, "--local")):
        (tmp_path / "recipe.yaml").write_text(spelled())
        (tmp_path / "run.json").write_text(json.dumps({"work": None}))
        done = command(*line)
        assert (done.returncode, "is working in this run" in done.stderr) == (1, True), done


def test_the_lock_dies_with_its_process(tmp_path, hold):
    holder = hold(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(Folder(str(tmp_path))):
        pass


@pytest.mark.slow  # it waits to see whether the other lives
def test_on_an_object_store_a_second_process_is_refused(s3, hold):
    hold(f"{s3}/run")
    with pytest.raises(LockedError, match=r"process \d+ on .* is working in this run"):
        carry_out(f"{s3}/run")


def test_on_an_object_store_the_lock_is_let_go(s3):
    folder = Folder(f"{s3}/run")
    for _ in range(2):
        with locked(folder):
            assert folder.exists(".lock")
        assert not folder.exists(".lock")


def test_on_an_object_store_a_stale_lock_is_taken_over(s3, monkeypatch):
    monkeypatch.setattr(lock, "RENEW_S", 0.05)
    monkeypatch.setattr(lock, "STALE_S", 0.3)
    folder = Folder(f"{s3}/run")
    folder.write(".lock", json.dumps({"pid": 1, "host": "gone", "id": "x", "time": time.time() - 3600}).encode())
    with locked(folder):
        assert json.loads(folder.read(".lock"))["host"] != "gone"


def test_on_an_object_store_a_held_lock_is_renewed(s3, monkeypatch):
    monkeypatch.setattr(lock, "RENEW_S", 0.05)
    folder = Folder(f"{s3}/run")
    with locked(folder):
        first = json.loads(folder.read(".lock"))["time"]
        deadline = time.monotonic() + 30
        while json.loads(folder.read(".lock"))["time"] == first and time.monotonic() < deadline:
            time.sleep(0.02)
        assert json.loads(folder.read(".lock"))["time"] > first


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"), locked(Folder(str(tmp_path / "file"))):
        pass
