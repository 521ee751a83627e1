"""The stage: what it measures and decides, and what it is told apart by."""

import json
import pickle

import pyarrow as pa
import pytest
from pydantic import ValidationError
from test_evaluation_pictures import encoded, scene

from curate.dedupe.contamination import TOLD
from curate.dedupe.decontaminate import Decontaminate
from curate.errors import InputError
from curate.sample import TURN

QUESTION = "What do bears wear when they fight in the wild, and why do they do it at all?"
ANSWER = "They wear nothing at all but their own fur."


@pytest.fixture
def tests(tmp_path):
    path = tmp_path / "test.jsonl"
    rows = [{"q": QUESTION, "a": [ANSWER], "n": "bears"}, {"q": "too short", "a": ["x"], "n": "short"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    return {"zoo": {"path": str(path), "query": "q", "label": "a", "id": "n"}}


def scored(stage, table):
    measured = pickle.loads(pickle.dumps(stage)).open()(table)
    return pa.table(list(measured.columns), schema=pa.schema(stage.outputs())), measured.failed.to_pylist()


def documents(*texts):
    return pa.table({"text": pa.array(texts, pa.string())})


def test_a_test_item_is_found_and_named(tests):
    stage = Decontaminate(texts=tests)
    scores, failed = scored(stage, documents(f"Quiz! {QUESTION.upper()} {ANSWER}", QUESTION, "clean", "", None))
    assert failed == [None] * 5
    assert stage.decide(scores).to_pylist() == ["test_text", "test_text", None, None, None]
    (first,), (second,), *others = scores["contaminated_by"].to_pylist()
    assert others == [[], [], []]
    assert (first["set"], first["item"], first["share"], first["bits"]) == ("zoo", "bears", 1.0, None)
    assert 0 < second["share"] < 1
    assert scores["contamination"].to_pylist()[:2] == [first["hits"], second["hits"]]
    assert scores["contamination_share"].to_pylist()[2:] == [0, 0, 0]


def test_thresholds_decide_anew_and_measure_nothing(tests):
    stage = Decontaminate(texts=tests)
    scores, _ = scored(stage, documents(f"{QUESTION} {ANSWER}", QUESTION))
    hits = scores["contamination"].to_pylist()
    for moved, reasons in (
        ({"at_most": hits[1]}, ["test_text", None]),
        ({"at_most": hits[0]}, [None, None]),
        ({"at_most": None}, [None, None]),
        ({"share_at_most": 0.9}, ["test_text", None]),
        ({"share_at_most": 1.0}, [None, None]),
    ):
        other = Decontaminate(texts=tests, **moved)
        assert other.decide(scores).to_pylist() == reasons
        assert other.identity() == stage.identity()


def test_all_columns_are_looked_through_and_counted_together(tests):
    turns = [[{"from": "human", "value": QUESTION}, {"from": "gpt", "value": None}], None, []]
    table = pa.table({
        "conversations": pa.array(turns, pa.list_(TURN)), "caption": pa.array([QUESTION, None, ANSWER]),
    })  # fmt: skip
    scores, _ = scored(Decontaminate(texts=tests, columns=("conversations", "caption")), table)
    alone, _ = scored(Decontaminate(texts=tests, columns=("caption",)), table)
    (hits, _, short), (once, _, _) = (s["contamination"].to_pylist() for s in (scores, alone))
    assert hits == 2 * once
    assert short == 1


def test_only_so_many_items_are_told_and_all_hits_counted(tmp_path):
    path = tmp_path / "test.txt"
    names = [str(i).translate(str.maketrans("0123456789", "klmnopqrst")) for i in range(TOLD + 5)]
    path.write_text("".join(f"{name} a b c d e f g h\n" for name in names))
    whole = path.read_text()
    stage = Decontaminate(texts={"t": {"path": str(path)}}, common=None, n=9)
    scores, _ = scored(stage, documents("x", whole, f"{names[3]} a b c d e f g h"))
    assert [len(by) for by in scores["contaminated_by"].to_pylist()] == [0, TOLD, 1]
    assert scores["contamination"].to_pylist() == [0, TOLD + 5, 1]
    assert scores["contaminated_by"].to_pylist()[2][0]["item"] == "3"


def test_allowed_phrases_are_not_looked_for(tests, tmp_path):
    (tmp_path / "allowed.txt").write_text(QUESTION)
    stage = Decontaminate(texts=tests, allowed=str(tmp_path / "allowed.txt"))
    scores, _ = scored(stage, documents(QUESTION, ANSWER))
    assert scores["contamination"].to_pylist() == [0, 1]


def test_pictures_alone_and_beside_texts(tests, tmp_path):
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "7.png").write_bytes(encoded(scene(7)))
    images = pa.array([encoded(scene(7), "JPEG"), encoded(scene(8)), None, b"broken"], pa.large_binary())
    table = pa.table({"image": images, "text": pa.array([None, QUESTION, "clean", None], pa.string())})
    pictures = {"val": {"path": str(tmp_path / "val")}}
    alone, both = Decontaminate(pictures=pictures), Decontaminate(pictures=pictures, texts=tests)
    assert (alone.inputs(), both.inputs()) == (("image",), ("text", "image"))
    for stage, reasons in ((alone, ["test_picture", None]), (both, ["test_picture", "test_text"])):
        scores, failed = scored(stage, table)
        assert failed == [None, None, None, "unreadable_image"]
        assert stage.decide(scores).to_pylist() == [*reasons, None, None]
        assert scores["contamination_bits"].to_pylist()[2] == 256
        (by,) = scores["contaminated_by"].to_pylist()[0]
        assert (by["set"], by["item"], by["hits"], by["bits"]) == ("val", "7.png", None, by["bits"])
    assert Decontaminate(pictures=pictures, within=None).decide(scored(alone, table)[0]).null_count == 4


def test_identity_follows_what_is_in_the_files(tests, tmp_path):
    stage = Decontaminate(texts=tests)
    before = stage.identity()
    moved = tmp_path / "elsewhere.jsonl"
    moved.write_bytes((tmp_path / "test.jsonl").read_bytes())
    assert Decontaminate(texts={"zoo": tests["zoo"] | {"path": str(moved)}}).identity() == before
    assert Decontaminate(texts={"other": tests["zoo"]}).identity() != before
    assert Decontaminate(texts={"zoo": tests["zoo"] | {"label": None}}).identity() != before
    (tmp_path / "test.jsonl").write_text((tmp_path / "test.jsonl").read_text().replace("bears wear", "wolves eat"))
    assert stage.identity() != before


def test_identity_follows_allowed_phrases_and_pictures(tests, tmp_path):
    (tmp_path / "allowed.txt").write_text("one")
    (tmp_path / "a.png").write_bytes(encoded(scene(1)))
    made = {"allowed": str(tmp_path / "allowed.txt"), "pictures": {"p": {"path": str(tmp_path / "a.png")}}}
    stage = Decontaminate(texts=tests, **made)
    first = stage.identity()
    (tmp_path / "allowed.txt").write_text("two")
    second = stage.identity()
    (tmp_path / "a.png").write_bytes(encoded(scene(2)))
    assert len({first, second, stage.identity()}) == 3


def test_all_faults_of_files_are_told_at_once(tests, tmp_path):
    tests |= {"gone": {"path": str(tmp_path / "gone.jsonl")}}
    stage = Decontaminate(
        texts=tests, pictures={"none": {"path": str(tmp_path / "no")}}, allowed=str(tmp_path / "x.txt")
    )
    with pytest.raises(InputError) as caught:
        stage.identity()
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["texts", "pictures", "allowed"]
    assert all(line.startswith("decontaminate: ") for line in lines)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "name evaluation sets in `texts` or `pictures`"),
        ({"texts": {"a": {"path": "x.txt"}}, "pictures": {"a": {"path": "y"}}}, "give one another name"),
        ({"texts": {"a": {"path": "x.txt"}}, "n": 1}, "greater than or equal to 2"),
        ({"texts": {"a": {"path": "x.txt"}}, "within": 64}, "less than or equal to 63"),
        ({"texts": {"a": {"path": "x.txt", "answer": "b"}}}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Decontaminate(**settings)
