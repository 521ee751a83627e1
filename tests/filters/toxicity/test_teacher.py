"""A language model behind a real server on this machine, which answers as each test has it answer."""

import json

import numpy as np
import pytest
from answering import says

from curate.errors import ModelError
from filters.toxicity.second import Second
from filters.toxicity.teacher import PROMPT


def judged(endpoint, texts, **settings):
    scores, failed = Second(model="judge-7b", endpoint=endpoint.url, **settings).open()(texts)
    return [None if np.isnan(score) else float(score) for score in scores], failed


def test_yes_no_and_unsure_in_the_order_of_the_texts(endpoint):
    endpoint.replies = {f"text {i}": [says(json.dumps({"toxic": word}))] for i, word in enumerate(WORDS)}
    assert judged(endpoint, list(endpoint.replies)) == ([1.0, 0.0, None, 0.0], [None] * 4)


WORDS = ("yes", "no", "unsure", "no")


def test_question_names_the_model_and_quotes_the_text(endpoint):
    endpoint.replies = {'say "no"\n': [says('{"toxic": "yes"}')]}
    judged(endpoint, ['say "no"\n'])
    ((path, question),) = endpoint.asked
    assert (path, question["model"], question["temperature"]) == ("/v1/chat/completions", "judge-7b", 0)
    assert [m["role"] for m in question["messages"]] == ["system", "user"]
    assert question["messages"][0]["content"] == PROMPT


ODD = [
    "yes",
    '{"toxic": "maybe"}',
    '{"toxic": true}',
    '{"toxic": ["yes"]}',
    '{"toxic": "yes", "why": "rude"}',
    '```json\n{"toxic": "yes"}\n```',
    '["yes"]',
    "",
    None,
]


@pytest.mark.parametrize("content", ODD)
def test_other_answers_are_no_answer(endpoint, content):
    endpoint.replies = {"a": [says(content)]}
    assert judged(endpoint, ["a"]) == ([None], ["second_judge_unreadable"])


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"choices": []}', b"[]", b"\xff"])
def test_body_of_another_form_is_no_answer(endpoint, body):
    endpoint.replies = {"a": [(200, body)]}
    assert judged(endpoint, ["a"]) == ([None], ["second_judge_unreadable"])


def test_busy_endpoint_is_asked_again_and_one_text_fails_alone(endpoint):
    busy = (503, b"")
    endpoint.replies = {"a": [busy, busy, says('{"toxic": "yes"}')], "b": [busy], "c": [(401, b"")]}
    expected = ([1.0, None, None], [None, "second_judge_http_503", "second_judge_http_401"])
    assert judged(endpoint, ["a", "b", "c"], retries=2) == expected
    asked = [json.loads(question["messages"][1]["content"]) for _, question in endpoint.asked]
    assert [asked.count(text) for text in "abc"] == [3, 3, 1]


def test_slow_and_absent_endpoints_have_their_own_reasons(endpoint):
    endpoint.replies, endpoint.delay_s = {"a": [says('{"toxic": "no"}')]}, 0.5
    assert judged(endpoint, ["a"], timeout_s=0.1, retries=0) == ([None], ["second_judge_timeout"])
    endpoint.url = "http://127.0.0.1:9/v1"
    assert judged(endpoint, ["a"], retries=0) == ([None], ["second_judge_unreachable"])


def test_key_comes_from_the_environment(endpoint, monkeypatch):
    endpoint.replies = {"a": [says('{"toxic": "no"}')]}
    monkeypatch.setenv("JUDGE_KEY", "not-a-real-key")
    assert judged(endpoint, ["a"], key_from="JUDGE_KEY") == ([0.0], [None])
    assert endpoint.headers[0]["Authorization"] == "Bearer not-a-real-key"
    monkeypatch.delenv("JUDGE_KEY")
    with pytest.raises(ModelError, match="environment variable JUDGE_KEY"):
        judged(endpoint, ["a"], key_from="JUDGE_KEY")


def test_prompt_of_the_recipe(endpoint, tmp_path):
    endpoint.replies = {"a": [says('{"toxic": "no"}')]}
    prompt = tmp_path / "prompt.txt"
    with pytest.raises(ModelError, match=r"prompt\.txt"):
        judged(endpoint, ["a"], prompt=prompt)
    prompt.write_text("Judge kindly.")
    judged(endpoint, ["a"], prompt=prompt)
    assert endpoint.asked[0][1]["messages"][0]["content"] == "Judge kindly."


def test_an_answer_that_trickles_in_is_late(endpoint):
    endpoint.replies, endpoint.trickle_s = {"x": [says('{"toxic": "yes"}')]}, 0.03
    assert judged(endpoint, ["x"], timeout_s=0.3, retries=0) == ([None], ["second_judge_timeout"])


def test_an_answer_without_end_or_without_bottom_is_unreadable(endpoint):
    endpoint.replies = {"long": [(200, b" " * 3_000_000 + b"{}")], "deep": [(200, b"[" * 500_000)]}
    assert judged(endpoint, ["long", "deep"])[1] == ["second_judge_unreadable"] * 2
