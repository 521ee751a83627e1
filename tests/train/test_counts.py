"""Presets have the parameters of their papers. `python -m train.test_counts` from tests/ writes the page's table."""

from functools import cache
from pathlib import Path

import pytest

from curate.train.counting import count
from curate.train.presets import presets

pytestmark = pytest.mark.counts

COUNTS = {
    "blip2-stage1-vitg": (186_705_470, 1_172_599_998),
    "blip2-stage1-vitl": (183_165_758, 473_747_262),
    "blip2-opt-2.7b": (107_133_696, 3_744_625_024),
    "blip2-opt-6.7b": (108_314_880, 7_752_683_392),
    "blip2-flan-t5-xl": (106_739_968, 3_942_391_680),
    "blip2-flan-t5-xxl": (108_314_880, 12_229_541_760),
    "blip2-vitl-opt-2.7b": (103_593_984, 3_045_772_288),
    "blip2-vitl-flan-t5-xl": (103_200_256, 3_243_538_944),
    "instructblip-vicuna-7b": (188_834_560, 7_913_155_712),
    "instructblip-vicuna-13b": (189_622_016, 14_191_393_920),
    "instructblip-flan-t5-xl": (187_259_648, 4_022_914_176),
    "instructblip-flan-t5-xxl": (188_834_560, 12_310_064_256),
    "minigpt4-vicuna-7b": (3_149_824, 7_832_625_024),
    "minigpt4-vicuna-7b-stage2": (3_149_824, 7_832_625_024),
    "minigpt4-vicuna-13b": (3_937_280, 14_110_861_184),
    "minigpt4-vicuna-13b-stage2": (3_937_280, 14_110_861_184),
    "minigpt4-llama2-7b": (23_072_768, 7_747_385_728),
    "minigpt4-llama2-7b-stage2": (23_072_768, 7_747_385_728),
    "fromage-opt-6.7b": (5_513_729, 6_967_142_913),
    "fromage-opt-6.7b-vis4": (18_108_929, 6_979_738_113),
    "llava-7b-stage1": (4_198_400, 7_045_793_792),
    "llava-7b": (6_742_614_016, 7_045_793_792),
    "llava-13b-stage1": (5_248_000, 13_324_292_096),
    "llava-13b": (13_021_112_320, 13_324_292_096),
    "llava-1.5-7b-stage1": (20_979_712, 7_062_902_784),
    "llava-1.5-7b": (6_759_395_328, 7_062_902_784),
    "llava-1.5-13b-stage1": (31_467_520, 13_350_839_296),
    "llava-1.5-13b": (13_047_331_840, 13_350_839_296),
    "llava-1.5-7b-lora": (340_795_392, 7_382_718_464),
    "llava-1.5-13b-lora": (532_162_560, 13_851_534_336),
}
"""What learns, and all there is: calculated from the papers' sizes, and compared with the references."""



PUBLISHED = {
    "blip2-stage1-vitg": ("188M", "1.2B"),
    "blip2-stage1-vitl": ("", "474M"),
    "blip2-opt-2.7b": ("107M", "3.8B"),
    "blip2-opt-6.7b": ("108M", "7.8B"),
    "blip2-flan-t5-xl": ("107M", "4.1B"),
    "blip2-flan-t5-xxl": ("108M", "12.1B"),
    "blip2-vitl-opt-2.7b": ("104M", "3.1B"),
    "blip2-vitl-flan-t5-xl": ("103M", "3.4B"),
    "instructblip-vicuna-7b": ("188M", ""),
    "fromage-opt-6.7b": ("5.5M", ""),
}
"""What the papers' tables say. BLIP-2's totals are the language model's nominal size and 1.1 billion."""
LOOSE = ("blip2-stage1-vitg", "instructblip-vicuna-7b")
"""Where 188M is near and not the rounded number: 186.7 and 188.8 million."""
TINY_LEARNS = {
    "blip2-stage1-tiny": {"norm", "qformer", "head", "vision_proj", "text_proj", "itm_head", "temp"},
    "blip2-opt-tiny": {"norm", "qformer", "projector", "language"},
    "blip2-flan-t5-tiny": {"norm", "qformer", "projector", "language"},
    "instructblip-tiny": {"norm", "qformer", "projector", "language"},
    "minigpt4-tiny": {"projector", "language"},
    "fromage-tiny": {"language", "visual_embeddings", "visual_fc", "text_fc", "logit_scale", "ret"},
    "llava-tiny": {"vision", "projector", "language"},
}
PAGE = Path(__file__).parents[2] / "docs/architectures.md"
HEAD = ("preset", "architecture", "learns", "total", "published")


@cache
def counted(name):
    """Return what learns and all there is, and the parts that learn."""
    found = count(presets()[name])
    return found.learns, found.total, {part.name for part in found.parts if part.learns}


def test_every_preset_is_in_one_of_the_tables():
    assert COUNTS.keys() | TINY_LEARNS.keys() == presets().keys()
    assert {name for name in presets() if name.endswith("-tiny")} == TINY_LEARNS.keys()


@pytest.mark.parametrize("name", COUNTS)
def test_a_preset_has_the_papers_parameters_to_the_last_one(name):
    assert counted(name)[:2] == COUNTS[name]


@pytest.mark.parametrize("name", TINY_LEARNS)
def test_a_tiny_preset_learns_a_few_million(name):
    learns, _, parts = counted(name)
    assert 0.5e6 < learns < 6e6
    assert parts == TINY_LEARNS[name]


def number(said):
    """Return a published count and the unit of its last digit."""
    unit = {"M": 1e6, "B": 1e9}[said[-1]]
    return float(said[:-1]) * unit, unit * 10.0 ** -len(said[:-1].partition(".")[2])


@pytest.mark.parametrize("name", [name for name, (learns, _) in PUBLISHED.items() if learns])
def test_what_learns_rounds_to_what_is_published(name):
    published, digit = number(PUBLISHED[name][0])
    allowed = published / 100 if name in LOOSE else digit / 2
    assert abs(counted(name)[0] - published) <= allowed


@pytest.mark.parametrize("name", [name for name, (_, total) in PUBLISHED.items() if total])
def test_totals_are_near_what_is_published(name):
    assert counted(name)[1] == pytest.approx(number(PUBLISHED[name][1])[0], rel=0.05)


def table():
    """Return the lines of the page's table."""
    lines = [f"| {' | '.join(HEAD)} |", "|---|---|---:|---:|---|"]
    for name, config in presets().items():
        learns, total, _ = counted(name)
        published = " / ".join(said or "-" for said in PUBLISHED.get(name, ()))
        lines.append(f"| {name} | {config.architecture} | {learns:,} | {total:,} | {published} |")
    return lines


def test_the_page_says_what_the_program_counts():
    written = PAGE.read_text("utf-8").splitlines()
    start = written.index(f"| {' | '.join(HEAD)} |")
    assert written[start : start + len(presets()) + 2] == table()
    assert not written[start + len(presets()) + 2].startswith("|")


if __name__ == "__main__":
    lines = PAGE.read_text("utf-8").splitlines()
    start = lines.index(f"| {' | '.join(HEAD)} |")
    end = next(n for n in range(start, len(lines)) if not lines[n].startswith("|"))
    PAGE.write_text("\n".join([*lines[:start], *table(), *lines[end:]]) + "\n", "utf-8")
