"""The last layer of a classifying encoder, for the one token that the classifier looks at.

BERT and its kin judge a text by what the last layer says of its first token. The other tokens are needed there only as
keys and values: their queries, and everything behind the attention, ten twelfths of a layer, say nothing that is read.
"""

from typing import Any

PARTS = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output", "intermediate")


def only_first_token(network: Any) -> None:
    """Exchange the last layer for one that computes its first token alone, where it is a layer of BERT's form."""
    encoder = getattr(network.base_model, "encoder", None)
    layers = getattr(encoder, "layer", None)
    if layers and network.config._attn_implementation == "sdpa" and _is_berts(layers[-1]):  # noqa: SLF001
        layers[-1] = _for_first_token(layers[-1])


def _is_berts(layer: Any) -> bool:
    modules = dict(layer.named_modules())
    return all(part in modules for part in (*PARTS, "output")) and not getattr(layer, "is_decoder", False)


def _for_first_token(layer: Any) -> Any:
    import torch

    class FirstToken(torch.nn.Module):
        """From hidden states [texts, tokens, width] to those of the first token, [texts, 1, width]."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, hidden: Any, attention_mask: Any = None, *_: Any, **__: Any) -> Any:
            own = self.layer.attention.self
            first = hidden[:, :1]
            query, key, value = (
                part.unflatten(-1, (own.num_attention_heads, -1)).transpose(1, 2)
                for part in (own.query(first), own.key(hidden), own.value(hidden))
            )
            mask = None if attention_mask is None else attention_mask[:, :, :1]
            seen = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            attended = self.layer.attention.output(seen.transpose(1, 2).flatten(-2), first)
            return self.layer.output(self.layer.intermediate(attended), attended)

    return FirstToken()
