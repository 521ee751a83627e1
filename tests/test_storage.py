"""Files appear whole or not at all, on a disk, in memory and on S3; a refusal names its place."""

import io
import multiprocessing
import pickle
import subprocess
import sys

import pytest

from curate.errors import InputError, StorageError
from curate.storage import Folder, input_file


@pytest.fixture(params=["disk", "memory", "s3"])
def folder(request, tmp_path):
    if request.param == "s3":
        return Folder(request.getfixturevalue("s3") + "/run")
    return Folder(str(tmp_path) if request.param == "disk" else f"memory://{tmp_path.name}")


def test_what_is_written_is_read(folder):
    folder.write("a/b.bin", b"0123456789")
    assert folder.read("a/b.bin") == b"0123456789"
    assert folder.read_range("a/b.bin", 2, 5) == b"234"
    assert folder.size("a/b.bin") == 10
    assert folder.exists("a/b.bin")
    assert not folder.exists("a/c.bin")
    with folder.open("a/b.bin") as stream:
        stream.seek(-3, io.SEEK_END)
        assert stream.read() == b"789"
    assert (folder / "a").names() == ["b.bin"]
    assert folder.names() == ["a"]


def test_a_file_is_replaced_whole(folder):
    folder.write("x", b"long and old")
    folder.write("x", b"new")
    assert folder.read("x") == b"new"


def test_an_exception_while_writing_leaves_nothing(folder):
    folder.write("kept", b"before")
    for name in ("part", "kept"):
        with pytest.raises(KeyError):
            stop_half_way(folder, name)
    assert folder.names() == ["kept"]
    assert folder.read("kept") == b"before"


def stop_half_way(folder, name):
    with folder.writing(name) as local:
        local.write_bytes(b"half")
        raise KeyError


def test_temporary_files_do_not_stay(tmp_path):
    folder = Folder(str(tmp_path))
    with pytest.raises(KeyError), folder.writing("part"):
        raise KeyError
    folder.write("whole", b"1")
    assert [p.name for p in tmp_path.iterdir()] == ["whole"]


def test_create_leaves_what_is_there(folder):
    assert folder.create("lock", b"first")
    assert not folder.create("lock", b"second")
    assert folder.read("lock") == b"first"


def test_deleting_takes_folders_and_forgives_absence(folder):
    folder.write("a/b/c", b"1")
    folder.delete("a")
    folder.delete("a")
    assert folder.names() == []
    assert folder.names("a") == []


def test_reading_what_is_not_there_names_the_place(folder):
    for read in (folder.read, folder.size, folder.open):
        with pytest.raises(StorageError, match=r"nothing\.bin: not found"):
            read("nothing.bin")


def test_a_folder_travels_by_its_url(folder):
    folder.write("x", b"1")
    assert pickle.loads(pickle.dumps(folder)).url == folder.url
    assert pickle.loads(pickle.dumps(folder)).read("x") == b"1"


def test_a_relative_path_is_kept_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Folder("here")
    monkeypatch.chdir("/")
    assert folder.url == str(tmp_path / "here")


def test_a_file_in_the_way_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match=r"file/x/y: .*Make room or mend access; the same command continues"):
        Folder(str(tmp_path / "file" / "x")).write("y", b"1")
    with pytest.raises(StorageError, match="file/x"):
        Folder(str(tmp_path / "file" / "x")).make_private()


def test_an_unknown_kind_of_url_is_one_clear_error():
    with pytest.raises(StorageError, match=r"nonsense://x: cannot be opened"):
        Folder("nonsense://x").names()


def test_a_vanished_bucket_names_the_place(s3):
    with pytest.raises(StorageError, match=r"never-made/x"):
        Folder("s3://never-made").write("x", b"1")


def test_a_store_that_does_not_answer_is_a_refusal(monkeypatch):
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StorageError, match=r"bucket/x: .*the same command continues"):
        Folder("s3://bucket").read("x")
    s3fs.S3FileSystem.clear_instance_cache()


def test_missing_credentials_are_a_refusal(s3, monkeypatch, tmp_path):
    import s3fs

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StorageError, match=r"x: .*the same command continues"):
        Folder(s3).write("x", b"1")


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path):
    """A limit on the size of files is the nearest thing to a full disk that needs no rights."""
    Folder(str(tmp_path)).write("x", b"old")
    code = (
        "import resource, signal, sys\n"
        "from curate.storage import Folder\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "Folder(sys.argv[1]).write('x', bytes(5000))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "StorageError" in done.stderr
    assert "File too large. Make room or mend access; the same command continues." in done.stderr
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def read_in_child(folder, answers):
    answers.put(folder.read("x"))


def test_another_process_makes_its_own_connection(folder):
    if folder.url.startswith("memory"):
        pytest.skip("memory is not shared between processes")
    folder.write("x", b"1")
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    child = context.Process(target=read_in_child, args=(folder, answers))
    child.start()
    assert answers.get(timeout=60) == b"1"
    child.join()


def test_an_input_file_is_found_or_refused(tmp_path):
    (tmp_path / "list.csv").write_text("a")
    folder, name = input_file(str(tmp_path / "list.csv"))
    assert (folder.url, name) == (str(tmp_path), "list.csv")
    for missing in (str(tmp_path / "none.csv"), str(tmp_path) + "/", ""):
        with pytest.raises(InputError, match="no such file"):
            input_file(missing)
