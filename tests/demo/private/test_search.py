"""The search finds a value wherever it may hide, in each form, and nothing where nothing is."""

import io
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.demo.private.cards import card
from curate.demo.private.planting import recordings
from curate.demo.private.reading import Reader, medium
from curate.demo.private.search import Search
from curate.demo.private.values import Value

MAIL = Value("EMAIL_ADDRESS", "nancy.peterson@example.org")
PHONE = Value("PHONE_NUMBER", "+1 212 555 0143")
NAME = Value("PERSON", "Sarah Robinson")
ALL = (MAIL, PHONE, NAME)


class Blind(Reader):
    """Reads what it is told to, whatever the picture."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def read(self, data):
        return self.text if medium(data) else ""


def found(folder, reader=None, **more):
    return set(Search(ALL, reader or Blind("")).find(folder, **more))


def test_text_is_searched_whatever_its_case(tmp_path):
    (tmp_path / "log.txt").write_text("from NANCY.Peterson@example.org, not Sarah  Robinson")
    assert found(tmp_path) == {MAIL}
    (tmp_path / "log.txt").write_text("called 12125550143")
    assert found(tmp_path) == {PHONE}


def test_names_of_files_are_searched(tmp_path):
    (tmp_path / "sarah robinson.txt").write_text("")
    assert found(tmp_path) == {NAME}


def test_packed_things_are_searched(tmp_path):
    pq.write_table(pa.table({"a": [["x", f"by {NAME.text}"]]}), tmp_path / "a.parquet", compression="zstd")
    with pa.OSFile(str(tmp_path / "b.arrow"), "wb") as stream:
        table = pa.table({"b": [f"to {MAIL.text}"]})
        with pa.ipc.new_file(stream, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write(table)
    with tarfile.open(tmp_path / "c.tar", "w") as tar:
        info = tarfile.TarInfo("c.txt")
        info.size = len(PHONE.text)
        tar.addfile(info, io.BytesIO(PHONE.text.encode()))
    assert found(tmp_path) == set(ALL)


def test_a_folder_can_be_left_out(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "raw.txt").write_text(NAME.text)
    assert found(tmp_path, without=("work",)) == set()
    assert found(tmp_path) == {NAME}


@pytest.mark.parametrize(
    ("read", "value"),
    [
        ("SarahRobinson", NAME),
        ("call 212-5550143 now", PHONE),
        ("write to nancy.peterson at example.org", MAIL),
        ("nancy.peterson@ example.org", MAIL),
    ],
)
def test_what_is_read_in_media_counts_without_spaces_and_marks(tmp_path, read, value):
    (tmp_path / "a.png").write_bytes(card((), 0))
    pq.write_table(pa.table({"image": pa.array([card((), 1)], pa.large_binary())}), tmp_path / "a.parquet")
    assert found(tmp_path, Blind(read)) == {value}


@pytest.mark.slow
def test_pictures_are_read_and_recordings_heard(tmp_path):
    spoken = recordings()[0]
    (tmp_path / "card.png").write_bytes(card((NAME, MAIL), 3))
    (tmp_path / "heard.ogg").write_bytes(spoken.file.read_bytes())
    search = Search((*ALL, *spoken.values))
    assert set(search.find(tmp_path)) == {NAME, MAIL, *spoken.values}
