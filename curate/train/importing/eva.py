"""EVA-CLIP's ViT-g as LAVIS names it: alone in eva_vit_g.pth, or as `visual_encoder` (Fang et al. 2022, 2211.07636)."""

from curate.train.importing.source import Left, Rename, Source, prefixed, rename

_BLOCK = {
    "norm1": "norm1",
    "norm2": "norm2",
    "attn.qkv": "attention.qkv",
    "attn.proj": "attention.out",
    "mlp.fc1": "up",
    "mlp.fc2": "down",
}
FORTIETH = Left("vision.blocks.39.{x}", "the fortieth block: BLIP-2 reads the states before it")


def tower(prefix: str) -> tuple[Rename, ...]:
    """Return the names of a tower behind a prefix."""
    return (
        rename(f"{prefix}cls_token", "vision.class_token"),
        rename(f"{prefix}pos_embed", "vision.positions"),
        rename(f"{prefix}patch_embed.proj.{{x}}", "vision.patches.{x}"),
        rename(f"{prefix}blocks.{{n}}.attn.q_bias", "vision.blocks.{n}.attention.query_bias"),
        rename(f"{prefix}blocks.{{n}}.attn.v_bias", "vision.blocks.{n}.attention.value_bias"),
        *prefixed(f"{prefix}blocks.{{n}}.", "vision.blocks.{n}.", _BLOCK),
    )


_AFTER = "comes after the last block, of which BLIP-2 reads nothing"
EVA = Source(
    kind="eva",
    renames=tower(""),
    left=(
        Left("norm.{x}", _AFTER),
        Left("fc_norm.{x}", _AFTER),
        Left("head.{x}", _AFTER),
        Left("mask_token", "stands for hidden patches in EVA's own pretraining"),
    ),
    absent=(FORTIETH,),
    claims=("vision",),
)
