"""Fingerprints say which stored results still hold: settings that measure change them, thresholds do not."""

import pytest

from curate.plan import make_plan
from tests.run.lines import STAGES, lines


def plan_of(*stages, snapshot="input", **settings):
    return make_plan(lines(*stages, **settings), snapshot)


def fingerprints(plan):
    return {step.name: step.fingerprint for step in plan.steps}


def test_phases_end_at_reduces():
    plan = plan_of()
    assert [[s.name for s in p.steps] for p in plan.phases] == [[], ["line_number", "shout", "last_digit"], ["poison"]]
    assert [p.reduce.name if p.reduce else None for p in plan.phases] == ["repeated_rows", "one_a_digit", None]


def test_steps_that_take_the_same_share_a_worker():
    phase = plan_of("shout", "line_number", "length", "last_digit").phases[1]
    names = [[s.name for s in segment] for segment in phase.segments]
    assert names == [["shout", "line_number"], ["length"], ["last_digit"]]
    assert [phase.resources(i).cpus for i in range(3)] == [1.0, 0.25, 1.0]


def test_equal_plans_are_equal():
    assert plan_of() == plan_of()


def test_a_threshold_changes_decisions_and_no_measurement():
    before, after = plan_of({"line_number": {"at_most": 9}}), plan_of({"line_number": {"at_most": 10}})
    assert fingerprints(before) == fingerprints(after)
    assert before.phases[-1].fingerprint != after.phases[-1].fingerprint
    assert before.fingerprint != after.fingerprint


def test_a_budget_changes_nothing():
    before, after = plan_of({"poison": {}}, budget=0.1), plan_of({"poison": {"max_failed_fraction": 0.5}}, budget=0.2)
    assert before.phases == before.phases
    assert before.fingerprint == after.fingerprint


def test_an_edit_changes_those_who_read_what_it_wrote():
    with_edit = fingerprints(plan_of("shout", "line_number", "last_digit"))
    without = fingerprints(plan_of("line_number", "last_digit"))
    assert with_edit["line_number"] != without["line_number"]
    after = fingerprints(plan_of("line_number", "shout", "last_digit"))
    assert after["line_number"] == without["line_number"]
    assert after["last_digit"] == with_edit["last_digit"]


def test_a_reduce_judges_the_survivors_it_gets():
    tight = fingerprints(plan_of({"line_number": {"at_most": 9}}, "last_digit", "one_a_digit", "length"))
    loose = fingerprints(plan_of({"line_number": {"at_most": 90}}, "last_digit", "one_a_digit", "length"))
    assert tight["one_a_digit"] != loose["one_a_digit"]
    assert tight["length"] == loose["length"]


def test_sketches_hold_for_the_score_that_stands_in_them():
    stages = [{"line_parity": {}}, {"alike_captions": {"within": ["parity"]}}]
    unscored = plan_of(*stages)
    scored = plan_of(stages[0], {"alike_captions": {"within": ["parity"], "keep": "highest", "score": "parity"}})
    turned = plan_of(stages[0], {"alike_captions": {"within": ["parity"], "keep": "lowest", "score": "parity"}})
    assert fingerprints(unscored)["alike_captions"] != fingerprints(scored)["alike_captions"]
    assert fingerprints(turned)["alike_captions"] == fingerprints(scored)["alike_captions"]


@pytest.mark.parametrize("change", [{"rows": 9}, {"per_shard": 9}])
def test_source_and_sink_name_the_shards(change):
    assert plan_of("shout", **change).fingerprint != plan_of("shout").fingerprint


def test_another_input_is_another_plan():
    assert plan_of("shout", snapshot="other").fingerprint != plan_of("shout").fingerprint
    assert plan_of("shout", snapshot="other").phases[0].fingerprint != plan_of("shout").phases[0].fingerprint


def test_results_that_hold_media_or_edits_are_raw():
    steps = {s.name: s for s in plan_of(*STAGES, {"flaky": {"until": "x"}}).steps}
    assert {n: s.folder.partition("/")[0] for n, s in steps.items()} == {
        "repeated_rows": "reduce",
        "line_number": "scores",
        "last_digit": "edits",
        "shout": "edits",
        "one_a_digit": "reduce",
        "poison": "scores",
        "flaky": "samples",
    }
