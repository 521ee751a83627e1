"""The layers of a Q-Former as LAVIS and transformers name them: BERT's names, and some for what queries alone have."""

from curate.train.importing.source import Left, Rename, prefixed

NO_TEXT = "the preset's Q-Former reads no text"
TEXT_PARTS = (
    Left("qformer.words.{x}", NO_TEXT),
    Left("qformer.positions.{x}", NO_TEXT),
    Left("qformer.layers.{n}.text_feedforward.{x}", NO_TEXT),
)
"""What stage 1 and InstructBLIP have and stage 2 has not."""


def layers(prefix: str, inner: str) -> tuple[Rename, ...]:
    """Return the names of all that a layer may have; `inner` is a library's word for the attention in the attention."""
    attention = {
        f"{inner}.query": "query",
        f"{inner}.key": "key",
        f"{inner}.value": "value",
        "output.dense": "out",
        "output.LayerNorm": "norm",
    }
    theirs, ours = f"{prefix}encoder.layer.{{n}}.", "qformer.layers.{n}."
    return (
        *prefixed(f"{theirs}attention.", f"{ours}attention.", attention),
        *prefixed(f"{theirs}crossattention.", f"{ours}cross.", attention),
        *prefixed(theirs, f"{ours}query_feedforward.", feedforward("_query")),
        *prefixed(theirs, f"{ours}text_feedforward.", feedforward("")),
    )


def feedforward(whose: str) -> dict[str, str]:
    """Return the names of one of the two feed-forwards of a layer."""
    return {f"intermediate{whose}.dense": "up", f"output{whose}.dense": "down", f"output{whose}.LayerNorm": "norm"}
