"""What a recipe's author is told: every fault at once, with its line and the nearest valid name."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import RecipeError
from curate.recipe import load_recipe, parse_recipe
from curate.recipe.located import MAX_BYTES

PIPELINES = sorted((Path(__file__).parents[1] / "pipelines").glob("*.yaml"))
NOT_A_NUMBER = "Input should be a valid integer, unable to parse string as an integer"
NO_TAG = "could not determine a constructor for the tag"
GOOD = """name: n
source: {numbered_lines: {rows: 3}}
stages:
- line_number: {at_most: 2}
- shout
sink: webdataset
"""


def faults(text, *overrides):
    with pytest.raises(RecipeError) as refused:
        parse_recipe(text.encode() if isinstance(text, str) else text, "n.yaml", overrides)
    assert str(refused.value) == "\n".join(refused.value.faults)
    return refused.value.faults


def with_stages(*steps):
    lines = ["name: n", "source: {numbered_lines: {}}", "stages:", *(f"- {s}" for s in steps), "sink: webdataset"]
    return "\n".join(lines)


def test_every_fault_is_told_at_once_with_its_line():
    text = """name: n
source: {numbered_lines: {}}
stages:
- short_sid: {}
- caption_words: {at_lest: 2}
- caption_words:
    at_least: many
sink: webdatset
max_failed_fraction: 3
sauce: {}
"""
    assert faults(text) == [
        "n.yaml:10: no entry named 'sauce'. Did you mean 'source'?",
        "n.yaml:9: max_failed_fraction: Input should be less than or equal to 1, got 3",
        "n.yaml:4: no stage named 'short_sid'. Did you mean 'short_side'?",
        "n.yaml:5: caption_words: no option named 'at_lest'. Did you mean 'at_least'?",
        "n.yaml:7: caption_words: at_least: " + NOT_A_NUMBER + ", got 'many'",
        "n.yaml:8: no stage named 'webdatset'. Did you mean 'webdataset'?",
    ]


def test_what_stages_read_and_write_is_checked_before_any_work():
    text = with_stages("one_a_digit", "shout", "line_number", "last_digit", "line_number", "shout")
    assert faults(text) == [
        "n.yaml:4: one_a_digit reads 'digit', which no earlier stage writes.",
        "n.yaml:8: 'line_number' stands twice; a stage can be used once in a recipe",
        "n.yaml:8: line_number writes 'line_number', which an earlier stage writes already",
        "n.yaml:9: 'shout' stands twice; a stage can be used once in a recipe",
        "n.yaml:9: shout changes 'caption' after last_digit has used it: put shout first",
    ]


def test_a_stage_may_not_turn_a_column_into_another_type():
    assert faults(with_stages("line_number", "rename_number")) == [
        "n.yaml:5: rename_number turns 'line_number' from int32 into string"
    ]


def test_survivors_are_picked_by_a_number():
    text = with_stages("last_digit", "one_a_digit")
    assert faults(text, "one_a_digit.keep=highest", "one_a_digit.score=caption") == [
        "n.yaml:5: one_a_digit: score: caption is string; survivors are picked by a number"
    ]


def test_settings_that_do_not_go_together_say_so_once():
    assert faults(with_stages("last_digit", "one_a_digit"), "one_a_digit.keep=highest") == [
        "n.yaml:5: one_a_digit: `score` names the column that keep: highest or lowest goes by, and is for these only"
    ]


def test_a_column_nobody_writes_gets_the_nearest_that_somebody_does():
    (fault,) = faults(with_stages("reads_captions"))
    assert fault == "n.yaml:4: reads_captions reads 'captions', which no earlier stage writes. Did you mean 'caption'?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["n.yaml: the recipe must be a mapping of names to values"]),
        ("- a\n", ["n.yaml:1: the recipe must be a mapping of names to values"]),
        ("name: [\n", ["n.yaml:2: not valid YAML: expected the node content, but found '<stream end>'"]),
        ("a: 1\n---\nb: 2\n", ["n.yaml:2: not valid YAML: but found another document"]),
        (b"\xff", ["n.yaml: not UTF-8 text; is this a recipe?"]),
        ("name: \x00", ["n.yaml: not valid YAML: unacceptable character #x0000: special characters are not allowed"]),
        ("[" * 100_000, ["n.yaml: nested too deeply for a recipe"]),
        ("#" * (MAX_BYTES + 1), ["n.yaml: 1000001 bytes is too long for a recipe"]),
        (GOOD + "name: m\n", ["n.yaml:7: 'name' is written twice"]),
        (GOOD.replace("{rows: 3}", "{rows: 3, rows: 4}"), ["n.yaml:2: 'rows' is written twice"]),
        (
            GOOD.replace("rows: 3", "rows: &a 3").replace("at_most: 2", "at_most: *a"),
            ["n.yaml: anchors and aliases (& and *) are not used in recipes; write the value out"],
        ),
        (GOOD.replace("{rows: 3}", "3"),
         ["n.yaml:2: options of 'numbered_lines' must be a mapping of names to values"]),
        (GOOD.replace("{rows: 3}", "{[rows]: 3}"),
         ["n.yaml:2: options of 'numbered_lines': a name must be plain text"]),
        (
            GOOD.replace("rows: 3", "rows: !!python/name:os.system x"),
            [f"n.yaml:2: numbered_lines: rows: {NO_TAG} 'tag:yaml.org,2002:python/name:os.system'"],
        ),
        (
            GOOD.replace("rows: 3", "rows: 2026-13-45"),
            ["n.yaml:2: numbered_lines: rows: month must be in 1..12; quote it if it is text"],
        ),
        (GOOD.replace("- shout", "- {shout: {}, line_number: {}}"),
         ["n.yaml:5: a stage is written `name: {option: value}`, one name only"]),
        (GOOD.replace("- shout", "- webdataset"),
         ["n.yaml:5: 'webdataset' is of kind sink; a filter, edit or reduce belongs here"]),
        (GOOD.replace("sink: webdataset", "sink: shout"), ["n.yaml:6: 'shout' is of kind edit; a sink belongs here"]),
        ("stages: 3\n" + GOOD.replace("stages:\n- line_number: {at_most: 2}\n- shout\n", ""),
         ["n.yaml:1: stages must be a list, one `- name: {option: value}` a line"]),
        ("stages: []\n",
         ["n.yaml: 'source' is missing", "n.yaml: 'sink' is missing", "n.yaml: name: required, and not given"]),
        (GOOD.replace("name: n", "name: My Recipe"),
         ["n.yaml:1: name: String should match pattern '^[a-z0-9][a-z0-9_-]*$', got 'My Recipe'"]),
        (GOOD.replace("rows: 3", "rows: .nan"),
         ["n.yaml:2: numbered_lines: rows: Input should be a finite number, got nan"]),
    ],
)  # fmt: skip
def test_bad_text(text, expected):
    assert faults(text) == expected


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("x", "--set x: write it as stage.option=value, for example --set short_side.at_least=128"),
        ("a.b=[", "--set a.b=[: write it as stage.option=value, for example --set short_side.at_least=128"),
        ("shout=3", "--set shout=3: no entry named 'shout'. Did you mean 'source'?"),
        ("line_numbr.at_most=3",
         "--set line_numbr.at_most=3: the recipe has no stage 'line_numbr'. Did you mean 'line_number'?"),
        ("line_number.at_mots=3",
         "--set line_number.at_mots=3: line_number: no option named 'at_mots'. Did you mean 'at_most'?"),
        ("max_failed_fraction=2",
         "--set max_failed_fraction=2: max_failed_fraction: Input should be less than or equal to 1, got 2"),
    ],
)  # fmt: skip
def test_bad_overrides(override, expected):
    assert faults(GOOD, override) == [expected]


def test_overrides_replace_and_add_options():
    recipe = parse_recipe(
        GOOD.encode(), "n.yaml",
        ["line_number.at_most=7", "numbered_lines.rows=9", "webdataset.samples_per_shard=2", "max_failed_fraction=0.5"],
    )  # fmt: skip
    assert recipe.stages[0].at_most == 7
    assert recipe.source.rows == 9
    assert recipe.sink.samples_per_shard == 2
    assert recipe.settings.max_failed_fraction == 0.5


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(RecipeError, match=r"none.yaml: No such file or directory. Give the path of a recipe file"):
        load_recipe(str(tmp_path / "none.yaml"))


def test_the_spelled_out_recipe_is_the_recipe():
    recipe = parse_recipe(GOOD.encode(), "n.yaml")
    assert parse_recipe(recipe.to_yaml().encode(), "m.yaml") == recipe
    assert parse_recipe(recipe.to_yaml().encode(), "m.yaml").to_yaml() == recipe.to_yaml()
    assert "at_least: null" in recipe.to_yaml()


TRAINED = GOOD + """train:
  preset: llava-tiny
  settings:
    steps: 3
    trainable: [projector, language]
    language.width: 64
"""


def test_a_section_on_training_is_read_overridden_and_spelled_out():
    recipe = parse_recipe(
        TRAINED.encode(), "n.yaml", ["train.settings.language.width=32", "train.settings.seed=1", "train.out=model"]
    )
    assert recipe.train.settings == {
        "steps": "3", "trainable": "projector,language", "language.width": "32", "seed": "1",
    }  # fmt: skip
    assert (recipe.train.preset, recipe.train.out, recipe.train.features) == ("llava-tiny", "model", True)
    assert recipe.train_at == "n.yaml:7"
    again = parse_recipe(recipe.to_yaml().encode(), "m.yaml")
    assert again == recipe
    assert "features: true" in again.to_yaml()
    assert again.train.evaluate.controls
    none = parse_recipe(TRAINED.encode(), "n.yaml", ["train.evaluate=false"])
    assert none.train.evaluate is None
    assert parse_recipe(none.to_yaml().encode(), "m.yaml") == none
    assert parse_recipe(GOOD.encode(), "n.yaml").train is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("preset:", "prest:", ["8: train: no option named 'prest'. Did you mean 'preset'?",
                               "7: train: preset: required, and not given"]),
        ("steps: 3", "steps: {a: 3}", ["10: train: settings.steps: Input should be a valid string, got {'a': 3}"]),
        ("llava-tiny", "llava-tiny\n  evaluate: {smples: 3}",
         ["9: train: evaluate.smples: Extra inputs are not permitted, got 3"]),
        ("steps: 3", "steps: 3\n    steps: 4", ["11: 'steps' is written twice"]),
        ("llava-tiny", "[a]", ["8: train: preset: Input should be a valid string, got ['a']"]),
        ("llava-tiny", "llava-tiny\n  features: 3", ["9: train: features: Input should be a valid boolean, got 3"]),
    ],
)  # fmt: skip
def test_faults_of_the_section_on_training(old, new, expected):
    assert sorted(faults(TRAINED.replace(old, new))) == sorted(f"n.yaml:{fault}" for fault in expected)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("train: llava-tiny\n", "n.yaml:7: 'train' must be a mapping of names to values"),
        ("train: {preset: a, settings: 3}\n", "n.yaml:7: train: settings: Input should be a valid dictionary, got 3"),
    ],
)
def test_a_section_on_training_that_is_none(section, expected):
    assert faults(GOOD + section) == [expected]


def test_an_override_of_training_needs_the_section():
    (fault,) = faults(GOOD, "train.preset=a")
    assert fault == "--set train.preset=a: the recipe has no stage 'train'."


@pytest.mark.parametrize("path", PIPELINES, ids=lambda p: p.stem)
def test_every_recipe_of_ours_loads(path):
    recipe = load_recipe(str(path))
    assert parse_recipe(recipe.to_yaml().encode(), "again.yaml") == recipe


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(alphabet="abn:-{}[]&*!'\"#\n 0.?|><%@`,~", max_size=40))
def test_no_text_makes_the_reader_raise_anything_else(text):
    with pytest.raises(RecipeError):
        parse_recipe(text.encode(), "n.yaml")


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(alphabet="abn:-{}[]&*!'\"#\n 0.?|><%@`,~=1", max_size=20))
def test_no_value_makes_the_reader_raise_anything_else(value):
    try:
        recipe = parse_recipe(GOOD.encode(), "n.yaml", [f"line_number.at_most={value}"])
    except RecipeError:
        return
    assert recipe.stages[0].at_most is None or isinstance(recipe.stages[0].at_most, int)


def test_redaction_behind_what_was_made_from_the_raw_caption_is_refused():
    assert faults(with_stages("write_conversations", "redact_pii")) == [
        "n.yaml:5: redact_pii changes 'caption' after write_conversations has used it: put redact_pii first"
    ]


@pytest.mark.parametrize(("options", "expected"), [
    ("entities: [PERSONN]", "n.yaml:4: redact_pii: entities.0: Input should be 'ABA_ROUTING_NUMBER', "),
    ("columns: [tanscript]", "n.yaml:4: redact_pii: columns.0: Input should be 'caption', "),
])  # fmt: skip
def test_a_mistyped_choice_is_one_fault_and_gets_the_nearest_that_there_is(options, expected):
    (fault,) = faults(with_stages(f"redact_pii: {{{options}}}"))
    assert fault.startswith(expected)
    assert fault.endswith((" got 'PERSONN'. Did you mean 'PERSON'?", " got 'tanscript'. Did you mean 'transcript'?"))
