"""`curate check` finds whatever was changed behind a run's back."""

import json

import pytest

from curate.errors import RunError
from curate.ledger import read_part
from curate.run.check import check
from curate.run.layout import Run
from curate.run.parts import write_table
from curate.storage import Folder
from tests.run.lines import carry_out


@pytest.fixture
def run(tmp_path):
    carry_out(tmp_path)
    return Run.at(str(tmp_path))


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_a_sound_run_has_no_faults(run):
    assert check(run) == []


def test_a_flipped_bit_in_a_shard(run, tmp_path):
    flip(tmp_path / "shards" / "00001.tar", 600)
    assert any("00001.tar" in fault and "sha256" in fault for fault in check(run))


def test_a_flipped_bit_in_an_index(run, tmp_path):
    flip(tmp_path / "shards" / "00000.idx", 10)
    assert any("00000.idx" in fault for fault in check(run))


def test_a_missing_index(run, tmp_path):
    (tmp_path / "shards" / "00000.idx").unlink()
    assert any("00000.idx" in fault for fault in check(run))


def test_a_missing_shard(run, tmp_path):
    (tmp_path / "shards" / "00000.tar").unlink()
    assert any("00000.tar: not found" in fault for fault in check(run))


def test_a_shard_too_many(run, tmp_path):
    (tmp_path / "shards" / "00009.tar").write_bytes(b"")
    assert check(run) == ["shards/00009.tar: the manifest does not name it; delete it"]


def rewrite(run, partition, keep):
    part = read_part(run.folder, partition)
    write_table(run.folder / "ledger", f"part-{partition:05d}.parquet", part.take(keep(part)))


def test_a_dropped_ledger_row(run):
    rewrite(run, 0, lambda part: [i for i in range(part.num_rows) if i != part["event"].to_pylist().index("kept")])
    faults = check(run)
    assert "ledger: 102 samples have a fate, the source listed 103" in faults
    assert "ledger: webdataset kept: 7 rows, the books say 8" in faults
    assert "ledger: 0 kept samples are in no shard, 1 samples in shards were not kept" in faults


def test_ledger_rows_in_another_order(run):
    rewrite(run, 0, lambda part: list(reversed(range(part.num_rows))))
    assert check(run) == ["ledger: the shards hold the kept samples in another order"]


def test_a_missing_ledger_part(run, tmp_path):
    (tmp_path / "ledger" / "part-00003.parquet").unlink()
    assert [f for f in check(run) if f.startswith("ledger: ")] != []


def test_a_broken_ledger_part(run, tmp_path):
    (tmp_path / "ledger" / "part-00003.parquet").write_bytes(b"PAR1 no longer")
    assert any(fault.startswith("ledger: cannot be read") for fault in check(run))


def test_edited_books(run):
    books = json.loads(run.folder.read("books.json"))
    books["stages"]["line_number"]["kept"] += 1
    run.folder.write("books.json", json.dumps(books).encode())
    assert check(run) == [
        "books: line_number: in 88 is not kept 80 + dropped 9 + failed 0",
        "books: shout: 79 samples entered, 80 came from the stage before",
    ]


def test_a_reason_moved_in_the_books(run):
    books = json.loads(run.folder.read("books.json"))
    books["stages"]["line_number"]["dropped"] = {"below_at_least": 9}
    run.folder.write("books.json", json.dumps(books).encode())
    assert check(run) == [
        "ledger: line_number dropped above_at_most: 9 rows, the books say 0",
        "ledger: line_number dropped below_at_least: 0 rows, the books say 9",
    ]


def test_broken_books(run):
    run.folder.write("books.json", b"{")
    assert check(run) == [
        f"books: {run.folder.url}/books.json: is not what a run wrote. Restore it from a copy, or choose another --out."
    ]


def test_a_missing_manifest(run):
    run.folder.delete("manifest.json")
    assert any("manifest.json" in fault for fault in check(run))


def test_no_run_is_no_fault_but_an_error(tmp_path):
    with pytest.raises(RunError, match="no finished run here"):
        check(Run.at(str(tmp_path / "none")))
    assert not Folder(str(tmp_path)).exists("none")
