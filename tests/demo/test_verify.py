"""The checks of a demo run find what is wrong with one."""

import io
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.demo.faults import Fault
from curate.demo.verify import leaks, unmet
from curate.errors import RunError

ADDRESS = "http://127.0.0.1:8765"
FAULTS = (
    Fault("404", "missing/owl.png", "An owl.", "fetch", "failed", "http_404"),
    Fault("e-mail", "files/fox.png", "A fox.", "redact_pii", "edited", "EMAIL_ADDRESS"),
    Fault("recovers", "flaky/cat.png", "A cat.", "", "kept", ""),
)
VALUES = {"Somebody@example.org": "EMAIL_ADDRESS", "4111111111111111": "CREDIT_CARD"}


def write_run(run, ledger):
    for folder in ("work/source", "ledger"):
        (run / folder).mkdir(parents=True)
    source = {
        "key": ["k0", "k1", "k2"],
        "url": [f.url(ADDRESS) for f in FAULTS],
        "caption": [f.caption for f in FAULTS],
    }
    pq.write_table(pa.table(source), run / "work/source/part-00000.parquet")
    columns = dict(zip(("key", "stage", "event", "reason"), zip(*ledger, strict=True), strict=True))
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    pq.write_table(table, run / "ledger/part-00000.parquet")


GOOD = [
    ("k0", "fetch", "failed", "http_404"),
    ("k1", "redact_pii", "edited", "PERSON"),
    ("k1", "redact_pii", "edited", "EMAIL_ADDRESS"),
    ("k1", "webdataset", "kept", None),
    ("k2", "webdataset", "kept", None),
]


def test_a_ledger_that_has_every_line_meets_all(tmp_path):
    write_run(tmp_path, GOOD)
    assert unmet(tmp_path, FAULTS, ADDRESS) == []


@pytest.mark.parametrize(
    ("line", "instead", "told"),
    [
        (0, ("k0", "fetch", "failed", "timeout"), "fetch failed http_404, the ledger has fetch failed timeout"),
        (0, ("k0", "language", "failed", "http_404"), "the ledger has language failed http_404"),
        (2, ("k1", "redact_pii", "edited", "PERSON"), "expected redact_pii edited EMAIL_ADDRESS"),
        (4, ("k2", "fetch", "failed", "http_500"), "expected kept, the ledger has fetch failed http_500"),
        (4, ("k9", "webdataset", "kept", None), "expected kept, the ledger has nothing"),
    ],
)
def test_a_line_that_differs_is_told(tmp_path, line, instead, told):
    write_run(tmp_path, [instead if i == line else row for i, row in enumerate(GOOD)])
    (complaint,) = unmet(tmp_path, FAULTS, ADDRESS)
    assert told in complaint


def test_a_purged_run_cannot_be_asked(tmp_path):
    with pytest.raises(RunError, match="before it is purged"):
        unmet(tmp_path, FAULTS, ADDRESS)


def tar_with(path, content):
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("a.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))


def arrow_with(path, text):
    table = pa.table({"said": [["nothing", text]]})
    with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)


WRITERS = {
    "shards/00000.tar": lambda path, text: tar_with(path, text.encode()),
    "shards/00000.idx": arrow_with,
    "scores/part.parquet": lambda path, text: pq.write_table(pa.table({"x": [{"deep": [text]}]}), path),
    "model/weights.bin": lambda path, text: path.write_bytes(b"\x00\xff" + text.encode() + b"\x00"),
    "run.log": lambda path, text: path.write_text(f"Mail SOMEBODY@EXAMPLE.ORG or {text}"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_value_is_found_wherever_it_hides_and_not_repeated(tmp_path, name):
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    WRITERS[name](file, "nothing to see")
    clean = {} if name == "run.log" else VALUES
    assert leaks(tmp_path, clean) == []
    WRITERS[name](file, "write to somebody@example.org now")
    assert leaks(tmp_path, VALUES) == [f"{name}: a planted EMAIL_ADDRESS"]


def test_a_value_in_a_file_name_is_found(tmp_path):
    (tmp_path / "card-4111111111111111.txt").write_text("")
    (line,) = leaks(tmp_path, VALUES)
    assert line.endswith("a planted CREDIT_CARD")


def test_raw_samples_are_left_out_unless_asked_for(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "raw").write_text("somebody@example.org")
    assert leaks(tmp_path, VALUES) == []
    assert leaks(tmp_path, VALUES, without=()) == ["work/raw: a planted EMAIL_ADDRESS"]
