"""A folder of pictures, sounds and captions: what is one sample, what is read, what a run makes of it."""

import json
import os
import pickle

import pyarrow as pa
import pytest

from curate.errors import InputError
from curate.recipe import parse_recipe
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.shards import ShardReader
from curate.sources.beside import PICTURES, SOUNDS, find_samples
from curate.sources.folder import Folder
from curate.sources.inside import path_fault, read_inside
from curate.sources.media_folder import MediaFolder
from curate.sources.read_media import ReadMedia
from tests.fetch.pictures import dirty_jpeg, dirty_png
from tests.fetch.sounds import SECRET, dirty, encoded, tone


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "media"
    (root / "b").mkdir(parents=True)
    (root / "b" / "both.PNG").write_bytes(dirty_png())
    (root / "b" / "both.flac").write_bytes(dirty("flac"))
    (root / "b" / "both.txt").write_text("A picture that speaks\n")
    (root / "one.jpg").write_bytes(dirty_jpeg())
    (root / "said.mp3").write_bytes(dirty("mp3"))
    (root / "said.txt").write_text("only a sound")
    (root / "notes.txt").write_text("neither picture nor sound")
    (root / ".hidden.wav").write_bytes(b"")
    return root


def scanned(folder):
    return [tuple(row.values()) for row in pa.concat_tables(MediaFolder(path=str(folder)).scan()).to_pylist()]


def read(folder, *names, **settings):
    stage = pickle.loads(pickle.dumps(MediaFolder(path=str(folder), **settings).load()))
    assert isinstance(stage, ReadMedia)
    urls, audio_urls = zip(*names, strict=True)
    return stage.open()(pa.table({"url": pa.array(urls, pa.string()), "audio_url": pa.array(audio_urls, pa.string())}))


def test_files_of_one_stem_are_one_sample(folder):
    assert scanned(folder) == [
        ("b/both.PNG", "b/both.flac", "A picture that speaks", None),
        ("one.jpg", None, None, None),
        ("said.mp3", "said.mp3", "only a sound", None),
    ]
    assert issubclass(MediaFolder, Folder)


def test_reading_pictures_and_sounds(folder):
    done = read(folder, ("b/both.PNG", "b/both.flac"), ("one.jpg", None), ("said.mp3", "said.mp3"))
    assert done.failed.to_pylist() == [None, None, None]
    assert done.columns["image_format"].to_pylist() == ["png", "jpg", None]
    assert done.columns["audio_format"].to_pylist() == ["flac", None, "mp3"]
    assert done.columns["width"].null_count == done.columns["audio_seconds"].null_count == 1
    assert done.columns["audio_seconds"][0].as_py() == pytest.approx(0.5)
    stored = [value for name in ("image", "audio") for value in done.columns[name].to_pylist() if value]
    assert len(stored) == 4
    assert [data for data in stored if SECRET in data] == []


def test_what_is_wrong_with_a_file_is_wrong_with_its_sample(folder):
    (folder / "one.wav").write_text("hello")
    (folder / "long.wav").write_bytes(encoded("wav", tone(3)))
    (folder / "cut.ogg").write_bytes(encoded("ogg")[:-50])
    broken = [("one.jpg", "one.wav"), ("long.wav", "long.wav"), ("cut.ogg", "cut.ogg"), ("gone.jpg", "said.mp3")]
    outside = [("../x.jpg", None), (None, "/etc/passwd"), (None, None)]
    done = read(folder, *broken, *outside, max_audio_seconds=2)
    assert done.failed.to_pylist() == [
        "not_a_sound", "sound_too_long", "truncated_sound", "missing", "outside_folder", "outside_folder", "no_media"
    ]  # fmt: skip
    assert done.columns["image"].null_count == done.columns["audio"].null_count == 7
    assert read(folder, ("said.mp3", "said.mp3"), max_audio_bytes=100).failed.to_pylist() == ["too_large"]
    assert set(done.failed.to_pylist()) - {"missing"} <= ReadMedia.permanent


def test_two_files_of_a_kind_cannot_be_told_apart(folder):
    (folder / "one.webp").write_bytes(b"")
    (folder / "said.wav").write_bytes(b"")
    (folder / os.fsdecode(b"\xff.wav")).write_bytes(b"")
    assert [row[-1] for row in scanned(folder)] == [None, "two_pictures", "two_sounds", "bad_name"]


def test_wrong_folders(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        scanned(tmp_path / "none")
    with pytest.raises(InputError, match=r"no picture or sound below this folder: no name ends in \.jpg, "):
        scanned(tmp_path)


def test_the_snapshot_follows_sounds(folder):
    source = MediaFolder(path=str(folder))
    before = source.snapshot()
    (folder / "notes.txt").write_text("not a caption, so nothing changes")
    assert source.snapshot() == before
    (folder / "b" / "both.flac").write_bytes(b"other")
    assert source.snapshot() != before
    found = list(find_samples(str(folder), (*PICTURES, *SOUNDS), together=True))
    assert [len(sample.files) for sample in found] == [3, 1, 2]


def test_nothing_outside_is_read(folder, tmp_path):
    import fsspec

    (tmp_path / "secret.wav").write_bytes(encoded("wav"))
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    fs = fsspec.filesystem("file")
    assert path_fault(fs, str(folder), str(folder / "link.wav")) == "outside_folder"
    assert read_inside(fs, str(folder), "link.wav", 10) == "outside_folder"
    assert read(folder, ("link.wav", "link.wav")).failed.to_pylist() == ["outside_folder"]


RECIPE = """
name: media
source:
  media_folder: {{path: {path}, partition_size: 2}}
stages:
  - short_side: {{at_least: 1, max_failed_fraction: 1}}
sink:
  webdataset: {{samples_per_shard: 10}}
"""


def test_a_run_from_folder_to_shards(folder, tmp_path):
    (folder / "two.png").write_bytes(dirty_png())
    (folder / "two.ogg").write_bytes(dirty("ogg"))
    recipe = parse_recipe(RECIPE.format(path=folder).encode(), "media.yaml")
    execute(recipe, Run.at(str(tmp_path / "run")), LocalRunner, lambda _: None)
    reader = ShardReader(str(tmp_path / "run"))
    samples = [reader.read(i) for i in range(len(reader))]
    assert [sorted(sample) for sample in samples] == [
        ["flac", "json", "png", "txt"], ["jpg", "json", "txt"], ["json", "ogg", "png", "txt"]
    ]  # fmt: skip
    told = [json.loads(sample["json"]) for sample in samples]
    assert [t["audio_url"] for t in told] == ["b/both.flac", None, "two.ogg"]
    assert told[0]["audio_seconds"] == 0.5
