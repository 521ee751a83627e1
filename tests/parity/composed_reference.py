"""MiniGPT-4 and FROMAGe, put together from transformers' towers: their own code does not run with it.

MiniGPT-4: Zhu et al. 2023, arXiv 2304.10592. FROMAGe: Koh et al. 2023, arXiv 2301.13823, section 3.
"""

import math
from typing import Any

import torch
from torch import nn
from transformers import (
    Blip2QFormerConfig,
    Blip2QFormerModel,
    Blip2VisionConfig,
    Blip2VisionModel,
    CLIPVisionModel,
    LlamaForCausalLM,
    OPTForCausalLM,
)

from . import tiny
from .hf_reference import as_published, clip_config, eva_sizes, llama_config, opt_config, qformer_sizes
from .reference import NEW_TOKENS, Reference, Tensors, detached, gradients, mute, randomise
from .tiny import CLIP, IMAGE_TOKEN, LLAMA, QFORMER, SHARED, UNLABELLED

RET = IMAGE_TOKEN - 1
"""FROMAGe's token [RET], the last of its vocabulary: the one that stands for pictures has no row there."""


def spliced(language: Any, ids: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Return [B, L, D]: embeddings of tokens, with features where ids say IMAGE_TOKEN."""
    places = ids == IMAGE_TOKEN
    embeds = language.get_input_embeddings()(ids.masked_fill(places, 0))
    return embeds.masked_scatter(places.unsqueeze(-1), features)


def next_token_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of labels that the place before each predicts."""
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=UNLABELLED)


class MiniGPT4(nn.Module):
    """BLIP-2's tower, Q-Former and queries, one linear layer, a Llama."""

    def __init__(self) -> None:
        super().__init__()
        self.vision_model = Blip2VisionModel(Blip2VisionConfig(**eva_sizes()))
        self.qformer = Blip2QFormerModel(Blip2QFormerConfig(**qformer_sizes(reads_text=False)))
        self.query_tokens = nn.Parameter(torch.zeros(1, QFORMER.queries, QFORMER.width))
        self.llama_proj = nn.Linear(QFORMER.width, LLAMA.width)
        self.language_model = LlamaForCausalLM(llama_config())

    def forward(self, pixel_values, input_ids, attention_mask):
        """Return logits [B, L, V]."""
        image = self.vision_model(pixel_values).last_hidden_state
        queries = self.query_tokens.expand(len(image), -1, -1)
        said = self.qformer(query_embeds=queries, encoder_hidden_states=image).last_hidden_state
        embeds = spliced(self.language_model, input_ids, self.llama_proj(said))
        return self.language_model(inputs_embeds=embeds, attention_mask=attention_mask).logits


def minigpt4(seed: int = 0) -> Reference:
    """Return MiniGPT-4: the begin token, words, queries, words, answer."""
    model = as_published(MiniGPT4(), seed)
    mute(model.language_model, IMAGE_TOKEN)
    rows = tiny.decoder_rows(QFORMER.queries, picture_first=False)
    given, asked = tiny.decoder_batch(rows), tiny.decoder_prompts(rows)
    logits = model(**{name: given[name] for name in ("pixel_values", "input_ids", "attention_mask")})
    losses = {"tokens": next_token_loss(logits, given["labels"])}
    said = [repeated(model, prompt) for prompt in asked]
    return Reference(
        model, given, detached({"logits": logits}), detached(losses), gradients(model, losses), asked, said
    )


@torch.no_grad()
def repeated(model: Any, prompt: Tensors) -> list[int]:
    """Return the likeliest NEW_TOKENS tokens after a prompt, each from a whole new pass: no cache that could err."""
    ids, said = prompt["input_ids"], []
    for _ in range(NEW_TOKENS):
        given = prompt | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        result = model(**given)
        said.append(int(getattr(result, "logits", result)[0, -1].argmax()))
        ids = torch.cat([ids, torch.tensor([said[-1:]])], dim=1)
    return said


class Fromage(nn.Module):
    """CLIP's pooled picture as k places before OPT's text, and both in one space by [RET]'s last hidden state."""

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places = places
        self.visual_model = CLIPVisionModel(clip_config())
        self.lm = OPTForCausalLM(opt_config(vocabulary=RET + 1))
        self.visual_embeddings = nn.Linear(CLIP.width, places * tiny.OPT.width)
        self.visual_fc = nn.Linear(CLIP.width, SHARED)
        self.text_fc = nn.Linear(tiny.OPT.width, SHARED)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, pixel_values, input_ids, attention_mask):
        """Return logits [B, L, V] of texts whose first k places are the picture."""
        pooled = self.visual_model(pixel_values).pooler_output
        features = self.visual_embeddings(pooled).unflatten(1, (self.places, -1))
        embeds = spliced(self.lm, input_ids, features)
        return self.lm(inputs_embeds=embeds, attention_mask=attention_mask).logits

    def retrieval(self, given: Tensors) -> Tensors:
        """Return `text_logits`, and unit vectors `images` [P, E] and `captions` [B, E]."""
        ids = given["retrieval_ids"]
        result = self.lm(input_ids=ids, attention_mask=given["retrieval_mask"], output_hidden_states=True)
        last = result.hidden_states[-1][ids == RET]
        pooled = self.visual_model(given["pixel_values"]).pooler_output
        images, captions = self.visual_fc(pooled), self.text_fc(last)
        unit = {"images": images, "captions": captions}
        return {"text_logits": result.logits, **{n: nn.functional.normalize(v, dim=-1) for n, v in unit.items()}}


def fromage(places: int = 1, seed: int = 0) -> Reference:
    """Return FROMAGe's losses: `caption`, `text`, and `contrast`, the mean of both directions.

    Given: `input_ids` begin with k places of the picture and `labels` leave out those, padding and [RET];
    `retrieval_ids` are the text and [RET] and no picture, and `retrieval_labels` leave out padding alone.
    """
    model = randomise(Fromage(places), seed)
    given = fromage_batch(places)
    logits = model(**{name: given[name] for name in ("pixel_values", "input_ids", "attention_mask")})
    found = model.retrieval(given)
    similar = model.logit_scale.exp() * found["images"] @ found["captions"].T
    pairs = torch.arange(len(similar))
    both_ways = [nn.functional.cross_entropy(table, pairs) for table in (similar, similar.T)]
    losses = {
        "caption": next_token_loss(logits, given["labels"]),
        "text": next_token_loss(found["text_logits"], given["retrieval_labels"]),
        "contrast": torch.stack(both_ways).mean(),
    }
    outputs = detached({"logits": logits, "similarities": similar, **found})
    asked = fromage_prompts(places)
    said = [repeated(model, prompt) for prompt in asked]
    return Reference(model, given, outputs, detached(losses), gradients(model, losses), asked, said)


def fromage_batch(places: int) -> Tensors:
    """Return pictures and texts as both modes read them."""
    texts = [[tiny.BEGIN, *text, RET] for text in tiny.texts(RET)]
    rows = [[*[IMAGE_TOKEN] * places, *text] for text in texts]
    labels = [[UNLABELLED if token >= RET else token for token in row] for row in rows]
    return {
        "pixel_values": tiny.pictures(),
        "input_ids": tiny.padded(rows), "attention_mask": tiny.mask(rows), "labels": tiny.padded(labels, UNLABELLED),
        "retrieval_ids": tiny.padded(texts), "retrieval_mask": tiny.mask(texts),
        "retrieval_labels": tiny.padded(texts, UNLABELLED),
    }  # fmt: skip


def fromage_prompts(places: int) -> list[Tensors]:
    """Return each picture and the begin token."""
    row = [*[IMAGE_TOKEN] * places, tiny.BEGIN]
    return [
        {"pixel_values": pixels[None], "input_ids": torch.tensor([row]), "attention_mask": tiny.mask([row])}
        for pixels in tiny.pictures()
    ]
