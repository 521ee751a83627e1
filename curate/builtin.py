"""The stages that `curate` itself brings, registered through the entry point `curate.stages` like anyone's."""

STAGES = ()
__all__ = ["STAGES"]
