"""The Q-Former: learned queries that look at a picture, and text that may look at them.

Li et al. 2023, arXiv 2301.12597. BERT's layers (Devlin et al. 2018, arXiv 1810.04805) with a cross-attention to the
picture in every second one, and a feed-forward of their own for the queries. Section 3.1's three masks are three
calls: `look` and `read` for queries and text apart (contrastive), `both` for queries and text that see each other
(matching, and InstructBLIP's instructions), and `say` for text that sees the queries and what is left of it
(generation).
"""

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn import functional

from curate.train.sizes import QFormer as Sizes

_EPSILON = 1e-12
_DEVIATION = 0.02
KeysValues = tuple[torch.Tensor, torch.Tensor]
"""[B, heads, Q, H / heads] each: what the queries were to one layer's self-attention."""


class QFormer(nn.Module):
    """Turns what a vision tower says into as many vectors as there are queries."""

    def __init__(self, sizes: Sizes, picture_width: int, *, text: bool) -> None:
        """Build with random weights; `text` says whether it ever reads."""
        super().__init__()
        self.queries = nn.Parameter(torch.empty(1, sizes.queries, sizes.width))
        self.words = nn.Embedding(sizes.vocabulary, sizes.width) if text else None
        self.positions = nn.Embedding(sizes.context, sizes.width) if text else None
        self.norm = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.dropout = nn.Dropout(sizes.dropout)
        seeing = (number % sizes.cross_every == 0 for number in range(sizes.layers))
        self.layers = nn.ModuleList(_Layer(sizes, picture_width if sees else 0, text=text) for sees in seeing)
        self.apply(_initialise)
        nn.init.normal_(self.queries, std=_DEVIATION)

    def look(self, picture_BMW: torch.Tensor) -> torch.Tensor:
        """Return [B, Q, H]: queries that saw the picture and no text."""
        return self.look_and_keep(picture_BMW)[0]

    def look_and_keep(self, picture_BMW: torch.Tensor) -> tuple[torch.Tensor, list[KeysValues]]:
        """Return [B, Q, H], and what `say` needs of each layer."""
        states_BQH, kept = self._queries(len(picture_BMW)), []
        for layer in self.layers:
            states_BQH, keys_values = layer(states_BQH, self.queries.shape[1], picture_BMW=picture_BMW)
            kept.append(keys_values)
        return states_BQH, kept

    def read(self, ids_BL: torch.Tensor, mask_BL: torch.Tensor) -> torch.Tensor:
        """Return [B, L, H]: text that saw itself alone."""
        states_BLH, seen = self._text(ids_BL), mask_BL[:, None, None] > 0
        for layer in self.layers:
            states_BLH, _ = layer(states_BLH, 0, seen)
        return states_BLH

    def both(self, picture_BMW: torch.Tensor, ids_BL: torch.Tensor, mask_BL: torch.Tensor) -> torch.Tensor:
        """Return [B, Q + L, H]: queries and text that saw each other; queries alone saw the picture."""
        states = torch.cat([self._queries(len(ids_BL)), self._text(ids_BL)], dim=1)
        queries = self.queries.shape[1]
        seen = functional.pad(mask_BL, (queries, 0), value=1)[:, None, None] > 0
        for layer in self.layers:
            states, _ = layer(states, queries, seen, picture_BMW)
        return states

    def say(self, kept: Iterable[KeysValues], ids_BL: torch.Tensor, mask_BL: torch.Tensor) -> torch.Tensor:
        """Return [B, L, H]: text of which each place saw all queries and the text up to it."""
        queries, length = self.queries.shape[1], ids_BL.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device=ids_BL.device).tril()
        seen = functional.pad(causal & (mask_BL[:, None, None] > 0), (queries, 0), value=True)
        states_BLH = self._text(ids_BL)
        for layer, before in zip(self.layers, kept, strict=True):
            states_BLH, _ = layer(states_BLH, 0, seen, before=before)
        return states_BLH

    def _queries(self, count: int) -> torch.Tensor:
        return self.dropout(self.norm(self.queries).expand(count, -1, -1))

    def _text(self, ids_BL: torch.Tensor) -> torch.Tensor:
        if self.words is None or self.positions is None:
            raise ValueError("this Q-Former was built without text")
        places = torch.arange(ids_BL.shape[1], device=ids_BL.device)
        return self.dropout(self.norm(self.words(ids_BL) + self.positions(places)))


class TextHead(nn.Module):
    """BERT's head that predicts words; its output matrix is the embedding's."""

    def __init__(self, sizes: Sizes) -> None:
        """Build with random weights."""
        super().__init__()
        self.dense = nn.Linear(sizes.width, sizes.width)
        self.norm = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.bias = nn.Parameter(torch.zeros(sizes.vocabulary))
        self.apply(_initialise)

    def forward(self, states: torch.Tensor, words: nn.Embedding) -> torch.Tensor:
        """Return [..., V]: logits."""
        return functional.linear(self.norm(functional.gelu(self.dense(states))), words.weight, self.bias)


class _Layer(nn.Module):
    def __init__(self, sizes: Sizes, picture_width: int, *, text: bool) -> None:
        super().__init__()
        self.attention = _Attention(sizes, sizes.width)
        self.cross = _Attention(sizes, picture_width) if picture_width else None
        self.query_feedforward = _FeedForward(sizes)
        self.text_feedforward = _FeedForward(sizes) if text else None

    def forward(
        self,
        states: torch.Tensor,
        queries: int,
        seen: torch.Tensor | None = None,
        picture_BMW: torch.Tensor | None = None,
        before: KeysValues | None = None,
    ) -> tuple[torch.Tensor, KeysValues]:
        """Return states of the same shape, and their keys and values without those of `before`.

        The first `queries` places are queries, the others text. All that a layer computes is computed in here: FSDP
        and activation checkpointing know no other door.
        """
        made = self.attention.keys_values(states)
        states = self.attention(states, *_behind(before, made), seen)
        query, text = states[:, :queries], states[:, queries:]
        parts = []
        if queries:
            if self.cross is not None and picture_BMW is not None:
                query = self.cross(query, *self.cross.keys_values(picture_BMW))
            parts.append(self.query_feedforward(query))
        if text.shape[1] and self.text_feedforward is not None:
            parts.append(self.text_feedforward(text))
        return torch.cat(parts, dim=1), made


class _Attention(nn.Module):
    """Multi-head attention, its output projection, and the norm after the residual."""

    def __init__(self, sizes: Sizes, source_width: int) -> None:
        super().__init__()
        self.heads, self.dropped = sizes.heads, sizes.dropout
        self.query = nn.Linear(sizes.width, sizes.width)
        self.key = nn.Linear(source_width, sizes.width)
        self.value = nn.Linear(source_width, sizes.width)
        self.out = nn.Linear(sizes.width, sizes.width)
        self.norm = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.dropout = nn.Dropout(sizes.dropout)

    def keys_values(self, source: torch.Tensor) -> KeysValues:
        """Return keys and values of a source."""
        return self._split(self.key(source)), self._split(self.value(source))

    def forward(
        self, states: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, seen: torch.Tensor | None = None
    ) -> torch.Tensor:
        dropped = self.dropped if self.training else 0.0
        query = self._split(self.query(states))
        mixed = functional.scaled_dot_product_attention(query, keys, values, attn_mask=seen, dropout_p=dropped)
        return self.norm(states + self.dropout(self.out(mixed.transpose(1, 2).flatten(2))))

    def _split(self, states: torch.Tensor) -> torch.Tensor:
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class _FeedForward(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.up = nn.Linear(sizes.width, sizes.feedforward)
        self.down = nn.Linear(sizes.feedforward, sizes.width)
        self.norm = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.norm(states + self.dropout(self.down(functional.gelu(self.up(states)))))


def _behind(before: KeysValues | None, made: KeysValues) -> KeysValues:
    return made if before is None else (torch.cat([before[0], made[0]], 2), torch.cat([before[1], made[1]], 2))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=_DEVIATION)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
