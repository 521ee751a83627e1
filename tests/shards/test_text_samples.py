"""Documents in shards: their text is the text member, and what reads captions finds captions."""

import json

import pyarrow as pa
import pytest
import webdataset

from curate.audit.published import texts_of
from curate.erase.facts import in_shards
from curate.sample import COLUMNS
from curate.shards import Manifest, write_shard
from curate.shards.webdataset import WebDataset
from curate.storage import Folder

KEYS = ["0" * 32, "1" * 32]


def pack(rows):
    return list(WebDataset().open()(rows))


def documents():
    columns = {
        "key": KEYS,
        "text": ["Ein Text.\n\nNoch ein Absatz.", ""],
        "document": ["a1", None],
        "date": ["2024-01-02", None],
        "collection": ["wiki", None],
        "url": ["https://a.example/1", None],
    }
    return pa.table(columns, schema=pa.schema([COLUMNS.field(name) for name in columns]))


def test_the_text_of_a_document_is_its_text_member():
    (_, members), (_, bare) = pack(documents())
    assert [name for name, _ in members] == ["json", "txt"]
    assert dict(members)["txt"].decode() == "Ein Text.\n\nNoch ein Absatz."
    told = json.loads(dict(members)["json"])
    assert (told["document"], told["date"], told["collection"], told["caption"]) == ("a1", "2024-01-02", "wiki", None)
    assert "text" not in told
    assert dict(bare)["txt"] == b""


def test_beside_a_caption_the_text_is_in_the_json():
    both = documents().append_column("caption", [["one", "two"]])
    assert [dict(members)["txt"] for _, members in pack(both)] == [b"one", b"two"]
    assert json.loads(dict(pack(both)[0][1])["json"])["text"] == "Ein Text.\n\nNoch ein Absatz."


def test_audits_take_it_for_a_text_and_not_for_a_caption():
    (_, members), _ = pack(documents())
    told = texts_of(dict(members))
    assert (told["text"], told["caption"]) == ("Ein Text.\n\nNoch ein Absatz.", None)
    caption = {"json": b'{"caption": null}', "txt": b"A cat."}
    assert texts_of(caption)["caption"] == "A cat."


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_and_erasure_read_it(tmp_path):
    run = Folder(str(tmp_path))
    entry = write_shard(run / "shards", "00000.tar", pack(documents()))
    Manifest("texts", (entry,)).save(run)
    (first, _) = webdataset.WebDataset(str(tmp_path / "shards" / "00000.tar"), shardshuffle=False).decode()
    assert (first["txt"], first["json"]["document"]) == ("Ein Text.\n\nNoch ein Absatz.", "a1")
    found = list(in_shards(run, frozenset(), lambda _: None))
    assert [(facts.urls, facts.texts) for facts in found] == [
        (("https://a.example/1",), ("Ein Text.\n\nNoch ein Absatz.",)),
        ((), ("",)),
    ]
