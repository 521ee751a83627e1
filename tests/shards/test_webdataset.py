import functools
import hashlib
import http.server
import io
import json
import math
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image
from pydantic import ValidationError

from curate.errors import RunError
from curate.sample import COLUMNS
from curate.shards import Manifest, ShardReader, write_shard
from curate.shards.webdataset import WebDataset
from curate.storage import Folder

LEFT_TO_THE_COLLECTOR = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
KEYS = ["0" * 32, "1" * 32]
TURNS = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "Ein Hund, naß."}]


def picture(side):
    stream = io.BytesIO()
    Image.new("RGB", (side, side + 1), (side, 100, 200)).save(stream, "JPEG")
    return stream.getvalue()


def table(**more):
    """Return two rows: one with everything, one with as little as a row may have."""
    image = picture(40)
    columns = {
        "key": KEYS,
        "url": ["http://127.0.0.1/a.jpg", None],
        "caption": ['Ein naßer Hund "hier"\n🐕', None],
        "image": [image, b"RIFF"],
        "image_format": ["jpg", "webp"],
        "width": [40, None],
        "height": [41, None],
        "original_width": [80, None],
        "original_height": [82, None],
        "sha256": [hashlib.sha256(image).hexdigest(), None],
    }
    made = pa.table(columns, schema=pa.schema([COLUMNS.field(name) for name in columns]))
    for name, values in more.items():
        made = made.append_column(name, values)
    return made


def pack(rows, **settings):
    return list(WebDataset(**settings).open()(rows))


def test_members_and_golden_json():
    (key, members), (_, bare) = pack(table())
    assert key == KEYS[0]
    assert [name for name, _ in members] == ["jpg", "json", "txt"]
    assert dict(members)["jpg"] == picture(40)
    assert dict(members)["txt"].decode() == 'Ein naßer Hund "hier"\n🐕'
    assert dict(members)["json"].decode() == (
        '{"caption": "Ein naßer Hund \\"hier\\"\\n🐕", "error_message": null, "exif": "{}", "height": 41, '
        f'"key": "{KEYS[0]}", "original_height": 82, "original_width": 80, '
        f'"sha256": "{hashlib.sha256(picture(40)).hexdigest()}", "status": "success", "uid": "{KEYS[0]}", '
        '"url": "http://127.0.0.1/a.jpg", "width": 40}'
    )
    assert [name for name, _ in bare] == ["webp", "json", "txt"]
    assert dict(bare)["txt"] == b""
    assert json.loads(dict(bare)["json"])["url"] is None


def fields(rows, **settings):
    return [json.loads(dict(members)["json"]) for _, members in pack(rows, **settings)]


def test_scores_and_conversations_are_written():
    rows = table(
        alignment=pa.array([0.123456789, math.nan], pa.float32()),
        toxicity=pa.array([1e-9, math.inf], pa.float64()),
        short_side=pa.array([40, None], pa.int32()),
        language=pa.array(["de", None]),
        blurred=pa.array([True, False]),
        image_embedding=pa.array([[0.5, 0.5], [1.0, 0.0]], COLUMNS.field("image_embedding").type),
        _failed=pa.array([None, None], pa.string()),
        conversations=pa.array([TURNS, None], COLUMNS.field("conversations").type),
    )
    first, second = fields(rows)
    assert {name: first[name] for name in ("alignment", "toxicity", "short_side", "language", "blurred")} == {
        "alignment": 0.1235,
        "toxicity": 1e-9,
        "short_side": 40,
        "language": "de",
        "blurred": True,
    }
    assert first["conversations"] == TURNS
    assert (second["alignment"], second["toxicity"], second["conversations"]) == (None, None, None)
    assert not {"image_embedding", "_failed", "image", "image_format"} & set(first)
    assert set(first) - set(fields(rows, include_scores=False)[0]) == {
        "alignment", "toxicity", "short_side", "language", "blurred"
    }  # fmt: skip


def test_the_last_bits_of_a_measurement_change_nothing():
    one = table(alignment=pa.array([0.25, 0.1], pa.float32()))
    other = table(alignment=pa.array([0.25 + 2**-25, 0.1 + 2**-27], pa.float32()))
    assert not one.equals(other)
    assert pack(one) == pack(other)


def test_rows_are_packed_the_same_in_any_batching():
    rows = table()
    assert pack(rows) == pack(rows.slice(0, 1)) + pack(rows.slice(1)) == pack(pa.concat_tables([rows[:1], rows[1:]]))


def test_text_without_pictures():
    rows = pa.table({"key": KEYS, "caption": ["one", "two"]})
    assert [[name for name, _ in members] for _, members in pack(rows)] == [["json", "txt"]] * 2
    assert fields(rows)[1]["caption"] == "two"
    nulls = table().set_column(3, COLUMNS.field("image"), pa.array([None, None], pa.large_binary()))
    assert [[name for name, _ in members] for _, members in pack(nulls)] == [["json", "txt"]] * 2


def test_pictures_without_caption():
    rows = table().drop_columns(["caption"])
    assert [[name for name, _ in members] for _, members in pack(rows)] == [["jpg", "json"], ["webp", "json"]]


def test_what_cannot_be_packed_says_why():
    with pytest.raises(RunError, match="a row has `image` and no image_format"):
        pack(table().drop_columns(["image_format"]))
    with pytest.raises(RunError, match="writes a column 'status'"):
        pack(table(status=pa.array([1, 2])))
    with pytest.raises(ValidationError):
        WebDataset(samples_per_shard=0)


@LEFT_TO_THE_COLLECTOR
def test_webdataset_decodes_what_was_packed(tmp_path):
    rows = table().slice(0, 1)
    write_shard(Folder(str(tmp_path)), "00000.tar", WebDataset().open()(rows))
    dataset = webdataset.WebDataset(str(tmp_path / "00000.tar"), shardshuffle=False).decode("pil")
    (sample,) = list(dataset)
    assert sample["__key__"] == KEYS[0]
    assert sample["txt"] == rows["caption"][0].as_py()
    assert sample["json"] == fields(rows)[0]
    assert sample["jpg"].size == (40, 41)


@pytest.fixture
def pictures(tmp_path):
    """Serve two pictures on loopback; return their URLs."""
    folder = tmp_path / "www"
    folder.mkdir()
    for side in (40, 50):
        (folder / f"{side}.jpg").write_bytes(picture(side))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield [f"http://127.0.0.1:{server.server_port}/{side}.jpg" for side in (40, 50)]
    server.shutdown()
    thread.join()
    server.server_close()


def by_img2dataset(source, tmp_path):
    """Let img2dataset's own reader and downloader make one shard from a parquet list; return its samples."""
    from img2dataset.downloader import Downloader
    from img2dataset.reader import Reader
    from img2dataset.resizer import Resizer
    from img2dataset.writer import WebDatasetSampleWriter

    out, work = tmp_path / "theirs", tmp_path / "work"
    out.mkdir()
    work.mkdir()
    reader = Reader(str(source), "parquet", "url", "caption", None, None, ["uid"], 10, set(), str(work))
    loader = Downloader(
        WebDatasetSampleWriter,
        Resizer(256, "no", resize_only_if_bigger=False, disable_all_reencoding=True),
        thread_count=1,
        save_caption=True,
        extract_exif=True,
        output_folder=str(out),
        column_list=reader.column_list,
        timeout=10,
        number_sample_per_shard=10,
        oom_shard_count=5,
        compute_hash="sha256",
        verify_hash_type=None,
        encode_format="jpg",
        retries=0,
        user_agent_token=None,
        disallowed_header_directives=None,
    )
    for shard in reader:
        loader.download_shard(shard)
    return read_back(out)


def read_back(folder):
    shards = sorted(str(path) for path in folder.glob("*.tar"))
    return list(webdataset.WebDataset(shards, shardshuffle=False))


@pytest.mark.filterwarnings("ignore")
def test_samples_are_what_img2dataset_makes_of_the_same_pictures(tmp_path, pictures, monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
    listed = tmp_path / "list.parquet"
    pq.write_table(pa.table({"url": pictures, "caption": ["Ein Hund, naß", "two"], "uid": KEYS}), listed)
    theirs = by_img2dataset(listed, tmp_path)
    assert len(theirs) == 2
    read = [json.loads(sample["json"]) for sample in theirs]
    names = ("url", "caption", "width", "height", "original_width", "original_height", "sha256")
    rows = {name: [fields[name] for fields in read] for name in names}
    rows |= {"key": KEYS, "image": [sample["jpg"] for sample in theirs], "image_format": ["jpg", "jpg"]}
    schema = pa.schema([COLUMNS.field(name) for name in rows])
    write_shard(Folder(str(tmp_path / "ours")), "00000.tar", WebDataset().open()(pa.table(rows, schema=schema)))
    ours = read_back(tmp_path / "ours")
    for mine, other in zip(ours, theirs, strict=True):
        assert {name for name in mine if name[0] != "_"} == {name for name in other if name[0] != "_"}
        assert (mine["jpg"], mine["txt"]) == (other["jpg"], other["txt"])
        assert json.loads(mine["json"]) == {**json.loads(other["json"]), "key": mine["__key__"]}


@pytest.mark.filterwarnings("ignore")
def test_img2datasets_reader_takes_a_list_from_our_json(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
    from img2dataset.reader import Reader

    write_shard(Folder(str(tmp_path / "run")), "00000.tar", WebDataset().open()(table()))
    lines = [sample["json"] for sample in read_back(tmp_path / "run")]
    (tmp_path / "list.jsonl").write_bytes(b"\n".join(lines))
    extra = ["uid", "width", "height", "status", "exif", "original_width"]
    reader = Reader(
        str(tmp_path / "list.jsonl"), "jsonl", "url", "caption", "sha256", "sha256", extra, 10, set(), str(tmp_path)
    )
    ((_, shard),) = list(reader)
    with pa.ipc.open_file(shard) as stream:
        rows = stream.read_all().to_pylist()
    assert rows == [{name: json.loads(line)[name] for name in reader.column_list} for line in lines]


def sounding(tmp_path):
    """Write one shard: a picture with a sound, a sound alone, a picture alone."""
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, [[0.5], [-0.25]] * 400, 16_000, "PCM_16", format="FLAC")
    flac = stream.getvalue()
    columns = {
        "key": [*KEYS, "2" * 32],
        "caption": ["both", "heard", "seen"],
        "image": [picture(40), None, picture(50)],
        "image_format": ["jpg", None, "jpg"],
        "audio": [flac, flac, None],
        "audio_format": ["flac", "flac", None],
        "audio_seconds": [0.05, 0.05, None],
        "transcript": ["<PERSON> speaks", None, None],
    }
    rows = pa.table(columns, schema=pa.schema([COLUMNS.field(name) for name in columns]))
    folder = Folder(str(tmp_path / "shards"))
    entry = write_shard(folder, "00000.tar", WebDataset().open()(rows))
    Manifest("sounding", (entry,)).save(Folder(str(tmp_path)))
    return flac


@LEFT_TO_THE_COLLECTOR
def test_sounds_are_read_by_webdataset_and_by_our_reader(tmp_path):
    import soundfile

    flac = sounding(tmp_path)
    theirs = list(webdataset.WebDataset(str(tmp_path / "shards" / "00000.tar"), shardshuffle=False))
    ours = [ShardReader(str(tmp_path)).read(i) for i in range(3)]
    assert [sorted(sample) for sample in ours] == [
        ["flac", "jpg", "json", "txt"], ["flac", "json", "txt"], ["jpg", "json", "txt"]
    ]  # fmt: skip
    assert [{k: v for k, v in sample.items() if k[0] != "_"} for sample in theirs] == ours
    assert ours[0]["flac"] == flac
    assert soundfile.info(io.BytesIO(theirs[1]["flac"])).frames == 800
    told = json.loads(ours[0]["json"])
    assert (told["audio_seconds"], told["transcript"]) == (0.05, "<PERSON> speaks")
