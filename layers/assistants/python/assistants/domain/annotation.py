"""What a message's text rests on: the sources that its annotations name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Citation:
    """The passage of a file that a marker in the text stands for."""

    file_id: str
    quote: str
