"""What an encoder-decoder language model does: it reads pictures and words in its encoder, and says what follows."""

from typing import Any

import torch
from torch.nn import functional

from curate.train.batch import Text
from curate.train.decoder import Decoding, until
from curate.train.template import UNLABELLED


def states(language: Any, embeds_BLD: torch.Tensor, text: Text, answer: Text) -> torch.Tensor:
    """Return [B, L, D]: the decoder's last hidden states, each of which says the answer's token at its place."""
    read_BLD = language.encoder(inputs_embeds=embeds_BLD, attention_mask=text.mask_BL).last_hidden_state
    begin = torch.full_like(answer.ids_BL[:, :1], language.config.decoder_start_token_id)
    return language.decoder(
        input_ids=torch.cat([begin, answer.ids_BL[:, :-1]], dim=1),
        attention_mask=answer.mask_BL,
        encoder_hidden_states=read_BLD,
        encoder_attention_mask=text.mask_BL,
        use_cache=False,
    ).last_hidden_state


def loss_sum(language: Any, embeds_BLD: torch.Tensor, text: Text, answer: Text) -> torch.Tensor:
    """Return the summed cross-entropy of the answer's labelled tokens, -sum log p(y_t | y_<t, text), in nats."""
    labelled = answer.labels_BL != UNLABELLED
    logits_TV = language.lm_head(states(language, embeds_BLD, text, answer)[labelled])
    return functional.cross_entropy(logits_TV.float(), answer.labels_BL[labelled], reduction="sum")


def speak(language: Any, embeds_BLD: torch.Tensor, text: Text, how: Decoding) -> list[list[int]]:
    """Return the tokens of each answer, up to one that ends it (left out)."""
    if how.max_new_tokens <= 0:
        return [[] for _ in embeds_BLD]
    said = language.generate(
        inputs_embeds=embeds_BLD,
        attention_mask=text.mask_BL,
        max_new_tokens=how.max_new_tokens,
        num_beams=how.beams,
        length_penalty=how.length_penalty,
        do_sample=False,
        eos_token_id=list(how.ends),
        pad_token_id=0,
    )
    return [until(row[1:], how.ends) for row in said.tolist()]
