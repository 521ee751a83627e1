"""The ledger: one fate a sample, in the order of the source, with what edits found beside it."""

import pyarrow as pa
import pyarrow.compute as pc

from curate.ledger import LEDGER, part_name, read_ledger, read_part, without_erased
from curate.storage import Folder
from tests.run.lines import carry_out, fates, lines


def test_every_sample_has_one_fate(tmp_path):
    carry_out(tmp_path)
    keys = [key for key, *_ in fates(tmp_path)]
    assert len(keys) == 103
    # Four rows repeat the first one's key: each row has its fate.
    assert len(set(keys)) == 103 - 4


def test_rows_say_what_was_found_by_what_and_how_surely(tmp_path):
    carry_out(tmp_path, lines("shout", {"line_number": {"at_most": 50}}))
    ledger = read_ledger(Folder(str(tmp_path)))
    assert ledger.schema.names == LEDGER.names
    edited = ledger.filter(pc.equal(ledger["event"], "edited")).to_pylist()
    assert len(edited) == 50
    said = {(e["stage"], e["reason"], e["score"], e["detector"]) for e in edited}
    assert said == {("shout", "QUIET", 1.0, "ear 1.0")}
    dropped = ledger.filter(pc.equal(ledger["stage"], "line_number")).to_pylist()
    assert {e["reason"] for e in dropped} == {"above_at_most"}
    assert min(e["score"] for e in dropped) == 52.0


def test_it_is_read_by_column_and_by_part(tmp_path):
    carry_out(tmp_path)
    run = Folder(str(tmp_path))
    assert read_ledger(run, ["key", "event"]).column_names == ["key", "event"]
    assert sum(read_part(run, i).num_rows for i in range(6)) == read_ledger(run).num_rows
    assert read_ledger(Folder(str(tmp_path / "none"))).num_rows == 0


def test_parts_beyond_the_usual_digits_stay_in_order(tmp_path):
    assert [part_name(i) for i in (0, 99_999, 100_000)] == ["part-00000", "part-99999", "part-100000"]
    carry_out(tmp_path, lines(rows=40))
    ledger = tmp_path / "ledger"
    whole = read_ledger(Folder(str(tmp_path)))
    (ledger / "part-00001.parquet").rename(ledger / "part-100000.parquet")
    (ledger / "part-00000.parquet").rename(ledger / "part-99999.parquet")
    assert read_ledger(Folder(str(tmp_path))).equals(whole)


def test_of_an_erased_sample_its_fate_stays_and_nothing_that_was_measured():
    said = {"detector": "d 1", "place": "caption 1:2", "action": "mask", "match": "00", "score": 0.5}
    rows = [
        {"key": "a", "stage": "redact", "event": "edited", "reason": "EMAIL_ADDRESS", **said},
        {"key": "a", "stage": "sink", "event": "kept", **said},
        {"key": "b", "stage": "redact", "event": "edited", "reason": "EMAIL_ADDRESS", **said},
        {"key": "c", "stage": "toxicity", "event": "dropped", "reason": "above_at_most", "score": 0.9},
    ]
    table = pa.Table.from_pylist(rows, schema=LEDGER)
    after = without_erased(table, pa.array(["a", "c"])).to_pylist()
    nothing = dict.fromkeys(LEDGER.names)
    assert after == [
        {**nothing, "key": "a", "stage": "sink", "event": "dropped", "reason": "erased"},
        table.to_pylist()[2],
        {**nothing, "key": "c", "stage": "toxicity", "event": "dropped", "reason": "above_at_most"},
    ]
    assert without_erased(pa.Table.from_pylist(after, schema=LEDGER), pa.array(["a", "c"])).to_pylist() == after
    assert without_erased(table, pa.array(["x"], pa.string())).equals(table)
