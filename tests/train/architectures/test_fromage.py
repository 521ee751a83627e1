"""FROMAGe against the published counts, transformers' own CLIP and OPT put together by hand, and its own arithmetic."""

import copy
import itertools
import json
import random

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import CLIPVisionModel, OPTForCausalLM

from curate.errors import TrainError
from curate.train import checkpoint, train
from curate.train.architectures.fromage import Fromage, neighbours
from curate.train.batch import Batch
from curate.train.corpus import Drawn, collate
from curate.train.decoder import Decoding
from curate.train.job import _require_shares
from curate.train.learner import Learner, build
from curate.train.loop import train_step
from curate.train.optimizer import optimizer_for
from curate.train.presets import configure, presets
from curate.train.ranks import Ranks
from curate.train.step import Work, gradients
from curate.train.template import IMAGE, UNLABELLED
from curate.train.weights import fill
from train.shapes import write_run

from .small_fromage import CLIP, SMALL, captioned, made, one_batch, sample_of, words_of

LEARNED = ("visual_embeddings", "visual_fc", "text_fc")


class Reference:
    """The same weights in transformers' models, whose embedding is one row longer; one sample at a time."""

    def __init__(self, model):
        self.model, self.parts = model, {name: copy.deepcopy(getattr(model, name)) for name in LEARNED}
        self.scale = model.logit_scale.detach().clone().requires_grad_()
        self.clip = CLIPVisionModel(model.vision.config).eval()
        self.clip.load_state_dict(model.vision.state_dict())
        longer = copy.deepcopy(model.language.config)
        longer.vocab_size += 1
        self.opt = OPTForCausalLM(longer).eval()
        state = model.language.state_dict()
        rows = torch.cat([state["lm_head.weight"], model.ret.detach()])
        self.opt.load_state_dict({**state, "lm_head.weight": rows, "model.decoder.embed_tokens.weight": rows})

    def embedded(self, ids):
        return self.opt.get_input_embeddings()(ids)

    def caption(self, pairs):
        """Return the loss of a sequence: [picture, caption without [RET]] once or twice."""
        embeds, labels = [], []
        for pooled, ids in pairs:
            embeds += [self.parts["visual_embeddings"](pooled).view(2, -1), self.embedded(ids[:-1])]
            labels += [torch.full((2,), UNLABELLED), ids[:-1]]
        return self.said(torch.cat(embeds), torch.cat(labels))

    def said(self, embeds, labels):
        logits = self.opt(inputs_embeds=embeds[None]).logits[0]
        return functional.cross_entropy(logits[:-1], labels[1:], reduction="sum")

    def losses(self, batch, groups):
        with torch.no_grad():
            pooled = self.clip(batch.pictures).pooler_output
        words = words_of(batch)
        caption = sum(self.caption([(pooled[row], words[row]) for row in group]) for group in groups)
        text = sum(self.said(self.embedded(ids), ids) for ids in words)
        image_BE = self.parts["visual_fc"](pooled)
        text_BE = torch.stack(
            [
                self.parts["text_fc"](self.opt(ids[None], output_hidden_states=True).hidden_states[-1][0, -1])
                for ids in words
            ]
        )
        cosines = functional.cosine_similarity(image_BE[:, None], text_BE[None], dim=-1) * self.scale.exp()
        right = torch.arange(len(words))
        retrieval = (functional.cross_entropy(cosines, right) + functional.cross_entropy(cosines.T, right)) / 2
        tokens = sum(len(ids) - 1 for ids in words)
        return {"caption": caption / tokens, "text": text / tokens, "retrieval": retrieval}


@pytest.mark.counts
@pytest.mark.parametrize(
    ("preset", "total", "learned"),
    [
        ("fromage-opt-6.7b", 6_967_142_913, 5_513_729),
        ("fromage-opt-6.7b-vis4", 6_979_738_113, 18_108_929),
    ],
)
def test_presets_have_the_published_counts(preset, total, learned):
    with torch.device("meta"):
        model = Fromage(presets()[preset])
    assert sum(p.numel() for p in model.parameters()) == total
    assert sum(p.numel() for p in model.learns().values()) == learned


def test_tiny_preset_is_small_and_its_tower_does_not_learn():
    with torch.device("meta"):
        model = Fromage(presets()["fromage-tiny"])
    assert sum(p.numel() for p in model.parameters()) < 6e6
    assert {name.split(".")[0] for name in model.learns()} == set(model.config.trainable)
    assert model.looks_frozen


@pytest.mark.parametrize(("share", "groups"), [(0, [[0], [1], [2], [3]]), (1, [[0, 1], [2, 3]])])
def test_losses_and_gradients_are_those_of_clip_and_opt_put_together(share, groups):
    """An independent composition, whose [RET] is the last row of a tied embedding."""
    model = made(interleave=share)
    batch, reference = one_batch(model), Reference(model)
    learned = gradients(model, Work([batch], 0, Ranks()))
    expected = reference.losses(batch, groups)
    assert learned.means == pytest.approx({n: v.item() for n, v in expected.items()}, rel=1e-5)
    sum(expected.values()).backward()
    for name in LEARNED:
        for ours, theirs in zip(getattr(model, name).parameters(), reference.parts[name].parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-5)
    row = reference.opt.get_input_embeddings().weight.grad[-1:]
    torch.testing.assert_close(model.ret.grad, row, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(model.logit_scale.grad, reference.scale.grad, atol=1e-5, rtol=1e-5)


def test_logits_are_those_of_an_opt_with_one_more_row():
    model = made()
    reference, (ids, *_) = Reference(model), words_of(one_batch(model))
    with torch.inference_mode():
        embeds = model.embed(ids[None], torch.zeros(0, 32))
        ours = model.logits(model.language.model(inputs_embeds=embeds).last_hidden_state)
        torch.testing.assert_close(ours, reference.opt(ids[None]).logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("rows", "said"), [(308, None), (299, "1 tensors differ|2 tensors differ")])
def test_spare_rows_of_published_weights_are_left_out(tmp_path, rows, said):
    """OPT is published with 7 rows that no token names; fewer rows than the preset's are other sizes."""
    model = made()
    longer = copy.deepcopy(model.language.config)
    longer.vocab_size = rows
    theirs = OPTForCausalLM(longer)
    theirs.save_pretrained(tmp_path)
    config = model.config.model_copy(update={"language_from": str(tmp_path)})
    if said:
        with pytest.raises(TrainError, match=said):
            fill(model, config)
        return
    fill(model, config)
    for table in (model.language.get_input_embeddings(), model.language.lm_head):
        torch.testing.assert_close(table.weight, theirs.lm_head.weight[:300])


def test_interleaved_sequence_is_one_text_with_two_pictures():
    """[v1 c1 v2 c2] by hand: -sum log p of every word of c1, and of c2 after all that is before it."""
    model = made(interleave=1)
    batch = one_batch(model, (4, 5))
    text, order = model.captioned(batch)
    first, second = (ids[:-1].tolist() for ids in words_of(batch))
    assert text.ids_BL.tolist() == [[IMAGE, IMAGE, *first, IMAGE, IMAGE, *second]]
    assert order == [0, 1]
    with torch.inference_mode():
        logits = model.logits(model._read(text, model.seen(batch)))[0].log_softmax(-1)
        expected = -sum(
            float(logits[start - 1 + place, token])
            for start, said in ((2, first), (4 + len(first), second))
            for place, token in enumerate(said)
        )
        assert float(model(batch)["caption"]) == pytest.approx(expected, rel=1e-5)


def test_a_pair_gives_the_same_wherever_its_rows_stand():
    model = made(interleave=1)
    with torch.inference_mode():
        sums = [model(one_batch(model, places)) for places in ((4, 5, 6, 7), (6, 5, 4, 7))]
    for name, value in sums[0].items():
        assert float(value) == pytest.approx(float(sums[1][name]), rel=1e-5)


def test_neighbours_are_drawn_by_seed_and_place_alone():
    places = range(400)
    groups = neighbours(places, 0.5, seed=1)
    assert sorted(itertools.chain(*groups)) == list(places)
    pairs = [group for group in groups if len(group) > 1]
    assert all(second == first + 1 and first % 2 == 0 for first, second in pairs)
    assert 70 < len(pairs) < 130
    apart = [[row + 100 for row in group] for group in neighbours(range(100, 400), 0.5, seed=1)]
    assert apart == [group for group in groups if group[0] >= 100]
    assert neighbours(places, 0.5, seed=2) != groups
    assert neighbours([0, 3, 5, 6], 1.0, seed=1) == [[0], [1], [2], [3]]


def test_captions_stay_apart_in_evaluation():
    model = made(interleave=1)
    batch = one_batch(model)
    assert model.captioned(batch)[0].ids_BL.shape[0] == 2
    assert model.eval().captioned(batch)[0].ids_BL.shape[0] == 4


@pytest.mark.parametrize("size", [2, 4])
def test_micro_batches_learn_as_one_batch(size):
    places = tuple(range(8))
    model = made(interleave=0.5, trainable="visual_embeddings,visual_fc,text_fc,logit_scale,ret,language,vision")
    whole = gradients(model, Work([one_batch(model, places)], 3, Ranks()))
    expected = {name: p.grad.clone() for name, p in model.learns().items()}
    model.zero_grad()
    micros = [one_batch(model, places[start : start + size]) for start in range(0, 8, size)]
    learned = gradients(model, Work(micros, 3, Ranks()))
    assert learned.means == pytest.approx(whole.means, rel=1e-5)
    assert learned.counts == whole.counts == {"caption": 55, "text": 55, "retrieval": 8}
    for name, parameter in model.learns().items():
        torch.testing.assert_close(parameter.grad, expected[name], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("overrides", [{"batch_size": 3}, {"micro_batch": 3}])
def test_odd_batches_are_refused_where_neighbours_are_joined(overrides):
    with pytest.raises(TrainError, match="parts neighbours that interleave joins"):
        made(**overrides)
    assert made(**overrides, interleave=0)


def test_processes_that_part_neighbours_are_refused():
    """Six samples by two processes are three each."""
    _require_shares(configure("fromage-tiny", {"batch_size": "6", "interleave": "0"}), Ranks(0, 2))
    _require_shares(configure("fromage-tiny", {"batch_size": "8"}), Ranks(0, 2))
    with pytest.raises(TrainError, match="parts samples that stay together: give a multiple of 4"):
        _require_shares(configure("fromage-tiny", {"batch_size": "6"}), Ranks(0, 2))


def test_captions_longer_than_the_context_are_refused():
    with pytest.raises(TrainError, match=r"up to 52 places, language\.context is 51"):
        made(**{"language.context": 51})


def test_only_what_the_paper_trains_moves_and_ret_keeps_the_mean_norm():
    model = made()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    learner = Learner(model, {}, optimizer_for(model), {})
    train_step(learner, Work([one_batch(model)], 0, Ranks()), rate=0.01)
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == set(model.learns())
    mean = float(model.language.get_input_embeddings().weight.detach().norm(dim=1).mean())
    assert float(model.ret.detach().norm()) == pytest.approx(mean, rel=1e-6)
    assert float(before["ret"].norm()) != pytest.approx(mean, rel=1e-2)


def test_half_precision_is_evaluated_and_answered_in_too():
    """Frozen parts are kept in bfloat16, what learns in float32."""
    config = configure("fromage-tiny", SMALL)
    full, half = build(config), build(config.model_copy(update={"precision": "bfloat16"})).eval()
    full.eval()
    batch = one_batch(full)
    assert half.language.lm_head.weight.dtype == torch.bfloat16
    assert half.ret.dtype == torch.float32
    with torch.inference_mode(), half.in_precision():
        sums = half(batch)
        half.generate(batch, Decoding(max_new_tokens=3))
        vectors = half.embed_texts(batch)
    with torch.inference_mode():
        for name, value in full(batch).items():
            assert float(sums[name]) == pytest.approx(float(value), rel=1e-2)
    assert vectors.dtype == torch.float32
    assert float((vectors * full.embed_texts(batch)).sum(1).min()) > 0.99


def test_stored_features_stand_for_pictures():
    model = made()
    batch = one_batch(model)
    with torch.inference_mode():
        stored = Batch(batch.text, None, None, model.look(batch.pictures), cached=True, places_B=batch.places_B)
        for name, value in model(batch).items():
            torch.testing.assert_close(model(stored)[name], value)


def test_tiny_preset_tells_sixteen_shapes_apart(tmp_path):
    """Each caption finds its picture, each picture its caption, and every caption is said."""
    pairs = [captioned(n) for n in range(0, 64, 4)]
    members = [[("json", json.dumps({"caption": c}).encode()), ("png", p)] for c, p in pairs]
    run = write_run(str(tmp_path / "run"), [(f"{n:032x}", m) for n, m in enumerate(members)])
    parts = "vision,language,visual_embeddings,visual_fc,text_fc,logit_scale,ret"
    overrides = {**CLIP, "trainable": parts, "pictures": "pad", "batch_size": "16", "steps": "150"}
    overrides |= {"language.vocabulary": "400", "checkpoint_every": "150"}
    final = train("fromage-tiny", run, str(tmp_path / "out"), overrides=overrides, progress=lambda _: None)
    assert final["eval_loss"] < final["eval_loss_blank"]
    learner, _ = checkpoint.restore(checkpoint.newest(tmp_path / "out"))
    model, examples = learner.model.eval(), learner.examples
    drawn = [examples.example(sample_of(*pair)) for pair in pairs]
    pixels = examples.transform.normalised(np.stack([examples.transform.decode(p, random.Random(0)) for _, p in pairs]))
    batch = collate(Drawn(drawn, list(range(16)), []), examples.transform)
    batch = Batch(batch.text, None, None, pixels, cached=False, places_B=batch.places_B)
    cosines = model.embed_texts(batch) @ model.embed_images(batch).T
    assert cosines.argmax(dim=0).tolist() == cosines.argmax(dim=1).tolist() == list(range(16))
    asked = collate(Drawn([examples.asked("")] * 16, list(range(16)), []), examples.transform)
    asked = Batch(asked.text, None, None, pixels, cached=False, places_B=asked.places_B)
    said = model.generate(asked, Decoding(ends=examples.ends))
    assert [learner.vocabularies["language"].decode(ids) for ids in said] == [caption for caption, _ in pairs]
