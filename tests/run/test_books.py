"""Counting: what balances, what does not, and when too much has failed."""

from collections import Counter

import pytest

from curate.errors import BudgetError, IntegrityError
from curate.plan import make_plan
from curate.run.books import Books, StageBooks, check_balance, check_budget, imbalances
from tests.run.lines import lines


def books(**stages):
    return Books({n: StageBooks(*counts[:2], Counter(counts[2]), Counter(counts[3])) for n, counts in stages.items()})


def test_what_came_in_is_accounted_for():
    whole = books(a=(10, 7, {"x": 2}, {"y": 1}), b=(7, 7, {}, {}))
    assert imbalances(whole, 10) == []
    check_balance(whole, 10)
    assert Books.from_json(whole.to_json()) == whole


def test_every_place_where_samples_are_lost_is_named():
    broken = books(a=(10, 7, {"x": 1}, {}), b=(6, 6, {}, {}))
    assert imbalances(broken, 11) == [
        "a: 10 samples entered, 11 came from the stage before",
        "a: in 10 is not kept 7 + dropped 1 + failed 0",
        "b: 6 samples entered, 7 came from the stage before",
    ]
    with pytest.raises(IntegrityError, match="do not balance"):
        check_balance(broken, 11)


def test_parts_add_up():
    total = Books()
    total.add(books(a=(3, 2, {"x": 1}, {})))
    total.add(books(a=(4, 2, {"x": 1}, {"y": 1}), b=(2, 2, {}, {})))
    assert total == books(a=(7, 4, {"x": 2}, {"y": 1}), b=(2, 2, {}, {}))


def plan(budget, **poison):
    return make_plan(lines({"poison": poison}, budget=budget), "input")


@pytest.mark.parametrize(("failed", "stops"), [(10, False), (11, True)])
def test_the_budget_is_a_share_of_what_entered(failed, stops):
    found = books(poison=(100, 100 - failed, {}, {"error_ValueError": failed}))
    if not stops:
        check_budget(plan(0.1), found, "run")
        return
    with pytest.raises(BudgetError) as stopped:
        check_budget(plan(0.1), found, "run")
    assert str(stopped.value) == (
        "poison: 11 of 100 samples failed, over its budget of 10.0% (error_ValueError 11).\n"
        "What succeeded is kept. Try the failed ones again: curate retry run\n"
        "Or accept them: curate run ... --set poison.max_failed_fraction=0.12"
    )


@pytest.mark.parametrize("stage", ["numbered_lines", "flaky"])
def test_what_trying_again_cannot_mend_is_not_to_be_tried_again(stage):
    found = books(**{stage: (100, 50, {}, {"gone": 50})})
    with pytest.raises(BudgetError) as stopped:
        check_budget(make_plan(lines({"flaky": {"until": "x"}}), "input"), found, "run")
    assert str(stopped.value) == (
        f"{stage}: 50 of 100 samples failed, over its budget of 20.0% (gone 50).\n"
        f"What succeeded is kept. Mend the input, or accept them: "
        f"curate run ... --set {stage}.max_failed_fraction=0.51"
    )


def test_a_stages_own_budget_comes_before_the_recipes():
    found = books(poison=(100, 70, {}, {"error_ValueError": 30}))
    check_budget(plan(0.1, max_failed_fraction=0.3), found, "run")


def test_a_run_is_stopped_early_only_where_its_end_is_sure():
    """Half of the first partition failing says nothing of a list of a thousand."""
    found = books(poison=(20, 10, {}, {"error_ValueError": 10}))
    check_budget(plan(0.1), found, "run", at_most=100)
    with pytest.raises(BudgetError):
        check_budget(plan(0.1), found, "run", at_most=99)


def test_the_fraction_that_is_offered_would_do():
    for failed in range(1, 300, 7):
        found = books(poison=(300, 300 - failed, {}, {"x": failed}))
        with pytest.raises(BudgetError) as stopped:
            check_budget(plan(0), found, "run")
        offered = float(str(stopped.value).rpartition("=")[2])
        check_budget(plan(0, max_failed_fraction=offered), found, "run")
