"""Language models of transformers for given sizes, and how their blocks are saved from keeping activations."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from curate.train.sizes import Language
from curate.train.towers.hollow import made


def build_language(sizes: Language) -> PreTrainedModel:
    """Build a language model with random weights, or without any inside `torch.device("meta")`."""
    model = made("language", lambda: _BUILDERS[sizes.kind](sizes))
    if sizes.kind == "opt":
        model.tie_weights()  # being moved off `meta` parts what is tied
    elif sizes.kind == "t5":
        model.encoder.embed_tokens = model.decoder.embed_tokens = model.shared
    return model


def _llama(sizes: Language) -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=sizes.vocabulary,
            hidden_size=sizes.width,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            num_key_value_heads=sizes.heads,
            intermediate_size=sizes.feedforward,
            max_position_embeddings=sizes.context,
            rms_norm_eps=sizes.epsilon,
        )
    )


def _opt(sizes: Language) -> PreTrainedModel:
    return OPTForCausalLM(
        OPTConfig(
            vocab_size=sizes.vocabulary,
            hidden_size=sizes.width,
            word_embed_proj_dim=sizes.width,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            ffn_dim=sizes.feedforward,
            max_position_embeddings=sizes.context,
            dropout=sizes.dropout,
            pad_token_id=None,  # or row 1 learns nothing where it is read, which a vocabulary of our own uses
        )
    )


def _t5(sizes: Language) -> PreTrainedModel:
    # The exact GELU: LAVIS puts it in place of Flan-T5's approximation by tanh, and the published weights of BLIP-2 and
    # InstructBLIP learned with it. `gated-gelu` alone means the approximation.
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=sizes.vocabulary,
            d_model=sizes.width,
            d_kv=sizes.width // sizes.heads,
            d_ff=sizes.feedforward,
            num_layers=sizes.layers,
            num_heads=sizes.heads,
            dropout_rate=sizes.dropout,
            feed_forward_proj="gated-gelu",
            dense_act_fn="gelu",
            tie_word_embeddings=False,
            decoder_start_token_id=0,
        )
    )
    # transformers 5 ties the output matrix to the input's whatever it is told; Flan-T5's are two.
    if model.lm_head.weight is model.shared.weight:
        model.lm_head.weight = nn.Parameter(model.shared.weight.detach().clone())
    model.config.scale_decoder_outputs = False
    return model


_BUILDERS: dict[str, Callable[[Language], PreTrainedModel]] = {"llama": _llama, "opt": _opt, "t5": _t5}


def blocks(model: Any) -> list[nn.Module]:
    """Return the layers of a language model, an encoder's before its decoder's."""
    if hasattr(model, "encoder"):
        return [*model.encoder.block, *model.decoder.block]
    body = getattr(model.model, "decoder", model.model)
    return list(body.layers)


def checkpoint_activations(modules: Iterable[nn.Module]) -> None:
    """Have blocks compute their activations again when gradients come, instead of keeping them.

    Gradients cross a frozen language model on their way to what it is fed, so its blocks need this too, in evaluation
    mode as well: there transformers' own switch does nothing.
    """
    for module in modules:
        module.forward = partial(checkpoint, module.forward, use_reentrant=False)
