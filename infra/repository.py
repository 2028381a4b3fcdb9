"""The root of the repository, below which lie all sources of the templates."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
