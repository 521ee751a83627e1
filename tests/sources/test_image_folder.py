"""A folder of pictures: what is listed, what is read, and that nothing outside is."""

import os
import pickle

import pyarrow as pa
import pytest

from curate.errors import InputError
from curate.sample import column
from curate.sources.image_folder import ImageFolder
from curate.sources.read_images import ReadImages
from curate.sources.rows import BATCH_ROWS, FAILED
from tests.fetch.pictures import SECRET, bomb_png, dirty_jpeg, dirty_png

SCHEMA = pa.schema([column("url"), column("caption"), pa.field(FAILED, pa.string())])


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pictures"
    (root / "b").mkdir(parents=True)
    (root / "b" / "two.PNG").write_bytes(dirty_png())
    (root / "b" / "two.txt").write_text("\ufeffA second picture\n")
    (root / "one.jpg").write_bytes(dirty_jpeg())
    (root / "one.txt").write_text("Eins, zwei, ängstlich")
    (root / "c.jpeg").write_bytes(dirty_jpeg("L"))
    (root / ".hidden.jpg").write_bytes(b"")
    (root / "notes.txt").write_text("no picture")
    return root


def scanned(folder):
    table = pa.concat_tables(ImageFolder(path=str(folder)).scan())
    assert table.schema == SCHEMA
    return [tuple(row.values()) for row in table.to_pylist()]


def read(folder, *names, **settings):
    stage = pickle.loads(pickle.dumps(ImageFolder(path=str(folder), **settings).load()))
    return stage.open()(pa.table({"url": pa.array(names, pa.string())}))


def test_pictures_in_the_order_of_their_paths(folder):
    assert scanned(folder) == [
        ("b/two.PNG", "A second picture", None),
        ("c.jpeg", None, None),
        ("one.jpg", "Eins, zwei, ängstlich", None),
    ]


def test_reading(folder):
    result = read(folder, "one.jpg", "b/two.PNG", "gone.jpg")
    assert result.failed.to_pylist() == [None, None, "missing"]
    assert result.columns["image_format"].to_pylist() == ["jpg", "png", None]
    assert SECRET not in result.columns["image"][0].as_py()


def test_the_checks_are_those_of_fetch(folder):
    (folder / "bomb.png").write_bytes(bomb_png())
    (folder / "text.png").write_text("hello")
    (folder / "cut.jpg").write_bytes(dirty_jpeg()[:300])
    names = ("bomb.png", "text.png", "cut.jpg", "one.jpg")
    assert read(folder, *names).failed.to_pylist() == ["too_many_pixels", "not_an_image", "truncated_image", None]
    assert read(folder, "one.jpg", max_bytes=100).failed.to_pylist() == ["too_large"]
    assert read(folder, "one.jpg", max_pixels=100).failed.to_pylist() == ["too_many_pixels"]


def test_nothing_outside_is_read(folder, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(dirty_jpeg())
    (tmp_path / "secret.txt").write_text("secret words")
    (tmp_path / "pictures-too").mkdir()
    (tmp_path / "pictures-too" / "x.jpg").write_bytes(dirty_jpeg())
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "near.jpg").symlink_to(tmp_path / "pictures-too" / "x.jpg")
    (folder / "inside.jpg").symlink_to(folder / "one.jpg")
    (folder / "c.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    (folder / "round").symlink_to(folder)
    rows = scanned(folder)
    assert [row[0] for row in rows] == ["b/two.PNG", "c.jpeg", "inside.jpg", "link.jpg", "near.jpg", "one.jpg"]
    assert rows[1] == ("c.jpeg", None, "outside_folder")
    outside = ("link.jpg", "near.jpg", "../secret.jpg", "up/secret.jpg", "b/../one.jpg", "/etc/passwd", "", None)
    assert set(read(folder, *outside).failed.to_pylist()) == {"outside_folder"}
    assert read(folder, "inside.jpg").failed.to_pylist() == [None]


def test_what_is_no_plain_file(folder):
    os.mkfifo(folder / "pipe.jpg")
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    (folder / "dir.jpg").symlink_to(folder / "b")
    assert read(folder, "pipe.jpg", "loop.jpg", "dir.jpg").failed.to_pylist() == ["unreadable", "missing", "unreadable"]
    assert len(scanned(folder)) == 6


def test_bad_captions_and_names_cost_their_rows(folder):
    (folder / "one.txt").write_bytes(b"\xff\xfe\xfa")
    (folder / "c.txt").write_bytes(b"x" * (2 << 20))
    (folder / os.fsdecode(b"\xff.jpg")).write_bytes(dirty_jpeg())
    assert [row[1:] for row in scanned(folder)] == [
        ("A second picture", None),
        (None, "bad_caption"),
        (None, "bad_caption"),
        (None, "bad_name"),
    ]


def test_tables_are_bounded(tmp_path):
    for i in range(BATCH_ROWS + 1):
        (tmp_path / f"{i:05}.jpg").touch()
    tables = list(ImageFolder(path=str(tmp_path)).scan())
    assert [table.num_rows for table in tables] == [BATCH_ROWS, 1]


def test_wrong_folders(folder, tmp_path):
    for path, says in ((tmp_path / "none", "no such folder"), (folder / "one.jpg", "no such folder")):
        with pytest.raises(InputError, match=says):
            scanned(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no picture below this folder"):
        scanned(tmp_path / "empty")


def test_the_snapshot_follows_pictures_and_captions(folder):
    source = ImageFolder(path=str(folder))
    before = source.snapshot()
    (folder / "notes.txt").write_text("not a caption, so nothing changes")
    assert source.snapshot() == before
    (folder / "one.txt").write_text("another caption")
    assert source.snapshot() != before


def test_the_folder_may_be_elsewhere(folder):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/shelf/a/one.jpg", dirty_jpeg())
    memory.pipe("/shelf/a/one.txt", b"A caption")
    assert scanned("memory://shelf") == [("a/one.jpg", "A caption", None)]
    assert read("memory://shelf", "a/one.jpg", "../x.jpg").failed.to_pylist() == [None, "outside_folder"]
    memory.rm("/shelf", recursive=True)


def test_the_loading_stage_has_a_name_of_its_own():
    stage = ImageFolder(path="p", max_bytes=5).load()
    assert isinstance(stage, ReadImages)
    assert (stage.name, stage.kind, stage.max_bytes) == ("read_images", "edit", 5)
    assert ImageFolder(path="p").key_columns() == ("url", "caption")
