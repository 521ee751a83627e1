"""The `curate` command: thin. Each subcommand calls one function and prints what it returns."""

from curate.cli.app import main

__all__ = ["main"]
