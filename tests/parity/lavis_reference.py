"""BLIP-2's first stage and its Q-Former by LAVIS: the only published code of the three losses."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from torch import distributed, nn
from transformers import BertConfig

from .lavis_files import load
from .reference import Reference, Tensors, detached, gradients, randomise
from .tiny import EVA, QFORMER, SHARED, mask, padded, pictures, texts

CLS, SEP, DEC = 1, 2, QFORMER.vocabulary - 1
TEXT_PLACES = 12
"""LAVIS pads every text to one length."""
IMAGE_NEGATIVES, TEXT_NEGATIVES = (1, 2, 0), (2, 0, 1)
"""Whose picture goes wrongly with each text, and whose text with each picture. Given, not drawn: the wheel adds 1e-4 to
the chances after the softmax, the repository leaves the diagonal out before it, and so they draw differently."""


class GivenTokens:
    """Stands where LAVIS tokenises: hands back the ids that it is given instead of texts."""

    bos_token_id, pad_token_id = DEC, 0

    def __len__(self) -> int:
        return QFORMER.vocabulary

    def __call__(self, tokens: SimpleNamespace, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(to=lambda _: tokens)


def stage_one(seed: int = 0) -> Reference:
    """Return loss_itc, loss_itm and loss_lm of one batch, with the hard negatives above.

    State: LAVIS's names. Outputs: the paths of the Q-Former, by `paths`.
    """
    model = randomise(_tiny().apply(_without_dropout), seed)
    given = stage_one_batch()
    tokens = SimpleNamespace(input_ids=given["input_ids"], attention_mask=given["attention_mask"])
    with one_process(), gathered_with_gradient(), negatives((*IMAGE_NEGATIVES, *TEXT_NEGATIVES)):
        result = model({"image": given["pixel_values"], "text_input": tokens})
        losses = {name: result[name] for name in ("loss_itc", "loss_itm", "loss_lm")}
        found = gradients(model, losses)
    return Reference(model, given, detached(paths(model, given)), detached(losses), found)


def stage_one_batch() -> Tensors:
    """Return pictures, texts between [CLS] and [SEP], padded to TEXT_PLACES, and the hard negatives."""
    rows = [[CLS, *text, SEP] for text in texts(DEC, seed=5)]
    missing = TEXT_PLACES - max(len(row) for row in rows)
    wide = [nn.functional.pad(table, (0, missing)) for table in (padded(rows), mask(rows))]
    return {
        "pixel_values": pictures(), "input_ids": wide[0], "attention_mask": wide[1],
        "image_negatives": torch.tensor(IMAGE_NEGATIVES), "text_negatives": torch.tensor(TEXT_NEGATIVES),
    }  # fmt: skip


def paths(model: Any, given: Tensors) -> Tensors:
    """Return what the Q-Former says by each way of using it, of LAVIS's stage-one model.

    `image` [P, M, W]: the tower after ln_vision. `queries` [P, Q, H]: queries alone. `text` [B, L, H]: text alone.
    `both` [B, Q + L, H]: queries and text, each seeing all (ITM), `itm` [B, 2]: its two-way head, mean over queries.
    `caption` [B, L, V]: logits of the text after [DEC], which sees itself backwards and all queries through their keys
    and values (ITG). `image_shared` [P, Q, E] and `text_shared` [B, E]: unit vectors that ITC compares.
    """
    image = model.ln_vision(model.visual_encoder(given["pixel_values"]))
    ids, seen = given["input_ids"], given["attention_mask"]
    asked = model.query_tokens.expand(len(image), -1, -1)
    everything = torch.cat([torch.ones(asked.shape[:2], dtype=torch.long), seen], dim=1)
    looks = {"encoder_hidden_states": image, "return_dict": True}
    queries = model.Qformer.bert(query_embeds=asked, use_cache=True, **looks)
    text = model.Qformer.bert(ids, attention_mask=seen, return_dict=True).last_hidden_state
    both = model.Qformer.bert(ids, query_embeds=asked, attention_mask=everything, **looks).last_hidden_state
    begun = torch.cat([torch.full_like(ids[:, :1], DEC), ids[:, 1:]], dim=1)
    caption = model.Qformer(
        begun, attention_mask=everything, past_key_values=queries.past_key_values, return_dict=True
    ).logits
    return {
        "image": image, "queries": queries.last_hidden_state, "text": text, "both": both,
        "itm": model.itm_head(both[:, : asked.shape[1]]).mean(dim=1), "caption": caption,
        "image_shared": nn.functional.normalize(model.vision_proj(queries.last_hidden_state), dim=-1),
        "text_shared": nn.functional.normalize(model.text_proj(text[:, 0]), dim=-1),
    }  # fmt: skip


def _tiny() -> Any:
    """Build LAVIS's own class; only its three methods that download are ours."""
    files = load("lavis.models.blip2_models.blip2_qformer")
    methods = {"init_tokenizer": GivenTokens, "init_vision_encoder": _vision, "init_Qformer": _qformer}
    kind = type("TinyStageOne", (files.Blip2Qformer,), {name: staticmethod(m) for name, m in methods.items()})
    return kind(freeze_vit=False, num_query_token=QFORMER.queries, embed_dim=SHARED, max_txt_len=TEXT_PLACES)


def _vision(*_: Any) -> tuple[Any, Any]:
    tower = load("lavis.models.eva_vit").VisionTransformer(
        img_size=EVA.image_size,
        patch_size=EVA.patch,
        embed_dim=EVA.width,
        depth=EVA.layers,
        num_heads=EVA.heads,
        mlp_ratio=EVA.feedforward / EVA.width,
        qkv_bias=True,
        use_mean_pooling=False,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
    )
    return tower, load("lavis.models.blip2_models.blip2").LayerNorm(EVA.width)


def _qformer(queries: int, width: int, every: int) -> tuple[Any, nn.Parameter]:
    config = BertConfig(
        vocab_size=QFORMER.vocabulary,
        hidden_size=QFORMER.width,
        num_hidden_layers=QFORMER.layers,
        num_attention_heads=QFORMER.heads,
        intermediate_size=QFORMER.feedforward,
        max_position_embeddings=QFORMER.context,
    )
    config.encoder_width, config.add_cross_attention = width, True
    config.cross_attention_freq, config.query_length = every, queries
    model = load("lavis.models.blip2_models.Qformer").BertLMHeadModel(config)
    return model, nn.Parameter(torch.zeros(1, queries, QFORMER.width))


def _without_dropout(module: nn.Module) -> None:
    if isinstance(module, nn.Dropout):
        module.p = 0.0


@contextmanager
def one_process() -> Iterator[None]:
    """Open a process group of one process, of which LAVIS asks its rank."""
    with tempfile.TemporaryDirectory() as folder:
        distributed.init_process_group("gloo", init_method=f"file://{folder}/group", rank=0, world_size=1)
        try:
            yield
        finally:
            distributed.destroy_process_group()


@contextmanager
def gathered_with_gradient() -> Iterator[None]:
    """Let vectors of the one process through with their gradient, as ours are.

    LAVIS gathers those that are compared against without any, and its gradient depends on how many processes there are.
    """
    with mock.patch.object(load("lavis.models.blip2_models.blip2_qformer"), "concat_all_gather", lambda table: table):
        yield


@contextmanager
def negatives(indices: tuple[int, ...]) -> Iterator[None]:
    """Let torch.multinomial give these numbers, one at each call, and see that all were asked for."""
    draws = [torch.tensor([index]) for index in indices]
    with mock.patch.object(torch, "multinomial", side_effect=draws) as drawn:
        yield
    assert drawn.call_count == len(indices)


RENAMED = (
    (r"^Qformer\.bert\.embeddings\.LayerNorm", "qformer.layernorm"),
    (r"^Qformer\.bert\.embeddings", "embeddings"),
    (r"^Qformer\.bert\.encoder", "qformer.encoder"),
    (r"attention\.self\.", "attention.attention."),
    (r"^vision_proj\.", "vision_projection."),
    (r"^text_proj\.", "text_projection."),
    (r"^ln_vision\.", "vision_model.post_layernorm."),
    (r"^visual_encoder\.cls_token", "vision_model.embeddings.class_embedding"),
    (r"^visual_encoder\.pos_embed", "vision_model.embeddings.position_embedding"),
    (r"^visual_encoder\.patch_embed\.proj", "vision_model.embeddings.patch_embedding"),
    (r"^visual_encoder\.blocks", "vision_model.encoder.layers"),
    (r"\.attn\.proj\.", ".self_attn.projection."),
    (r"\.attn\.qkv\.", ".self_attn.qkv."),
    (r"\.norm([12])\.", r".layer_norm\1."),
)
"""LAVIS's names, and what transformers calls the same."""


def for_transformers(state: Tensors) -> Tensors:
    """Return a state of LAVIS's first stage by the names of transformers' Blip2ForImageTextRetrieval.

    The temperature and the head that writes captions have no counterpart there.
    """
    found = {}
    for name, tensor in state.items():
        block, _, bias = name.rpartition(".attn.")
        if bias == "q_bias":
            parts = [tensor, torch.zeros_like(tensor), state[f"{block}.attn.v_bias"]]
            found[renamed(f"{block}.attn.qkv.bias")] = torch.cat(parts)
        elif bias != "v_bias" and not re.match(r"temp$|Qformer\.cls|.*position_ids$", name):
            found[renamed(name)] = tensor
    return found


def renamed(name: str) -> str:
    for ours, theirs in RENAMED:
        name = re.sub(ours, theirs, name)
    return name
