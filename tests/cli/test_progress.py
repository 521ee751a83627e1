"""Progress: a table on a terminal, plain lines elsewhere, JSON for machines; all from the same events."""

import io
import json

from rich.console import Console

from curate.cli import progress as shown
from curate.cli.progress import progress
from tests.run.lines import carry_out


def test_plain_lines_where_there_is_no_terminal(tmp_path, capsys):
    with progress(as_json=False) as report:
        carry_out(tmp_path / "run", report=report)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[0] == "103 samples listed in 6 partitions"
    assert "shard 0 of 2" in said.err


def test_one_json_object_a_line_for_machines(tmp_path, capsys):
    with progress(as_json=True) as report:
        carry_out(tmp_path / "run", report=report)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0] == {"event": "listed", "rows": 103, "partitions": 6}
    assert events[-1] == {"event": "complete", "cached": False}
    assert {e["partition"] for e in events if e["event"] == "partition"} == set(range(6))


def test_a_table_on_a_terminal(tmp_path, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(shown, "Console", lambda **_: Console(file=screen, force_terminal=True, width=100))
    tables = []

    def keep(report):
        def take(event):
            report(event)
            tables.append((event["event"], render(report.__self__.table())))

        return take

    with progress(as_json=False) as report:
        carry_out(tmp_path / "run", report=keep(report))
    last = dict(tables)["partition"].split()
    place = last.index("line_number")
    assert last[place + 1 : place + 5] == ["88", "79", "9", "0"]
    assert "shard 2 of 2" in tables[-1][1]
    assert screen.getvalue() != ""


def render(table):
    console = Console(file=io.StringIO(), width=100)
    console.print(table)
    return console.file.getvalue()
