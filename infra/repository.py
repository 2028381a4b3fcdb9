"""Where the repository lies; everything that the templates are made from is found from here."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
