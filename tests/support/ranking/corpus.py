"""Real documentation with known answers: the guides of the AWS CDK, which its wheel carries.

Each section is the answer to its title. Titles are taken out of the text, so that no query occurs
word for word in its answer.
"""

import random
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

DOCSTRING = re.compile(r"r?'''\n(.*?)\n'''", re.DOTALL)
TITLE = re.compile(r"^(#{1,4}) +(.+?)\s*$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NOISE = re.compile(r"[`*]|\[|\]\([^)]*\)|Construct Library|AWS::\w+")

MIN_GUIDE = 3_000  # characters
MIN_SECTION = 300
ASKED_TWICE = {"overview", "usage", "introduction", "example", "examples", "notes", "limitations"}


@dataclass(frozen=True, slots=True)
class Question:
    """A section's title, with the one above it. `start` and `end` are where the answer is in
    the text of its guide.
    """

    text: str
    title: str
    guide: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Corpus:
    guides: dict[str, str]
    questions: list[Question]


def load(guides: int | None = None, questions: int | None = None, seed: int = 1) -> Corpus:
    """Load the first `guides` guides, and a fixed random choice of `questions` about them."""
    texts, asked = {}, []
    for name, source in sorted(_sources().items())[:guides]:
        texts[name], found = _without_titles(name, source)
        asked += found
    if questions is not None and questions < len(asked):
        asked = random.Random(seed).sample(asked, questions)
    return Corpus(texts, asked)


def _sources() -> dict[str, str]:
    found = find_spec("aws_cdk")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("aws_cdk")
    sources = {}
    for module in Path(found.origin).parent.glob("*/__init__.py"):
        with module.open(encoding="utf-8") as stream:
            guide = DOCSTRING.match(stream.read(500_000))
        if guide and len(guide[1]) >= MIN_GUIDE:
            sources[f"{module.parent.name}.md"] = guide[1]
    return sources


def _without_titles(name: str, source: str) -> tuple[str, list[Question]]:
    code = [(match.start(), match.end()) for match in FENCED.finditer(source)]
    titles = [
        match
        for match in TITLE.finditer(source)
        if not any(start <= match.start() < end for start, end in code)
    ]
    kept, questions, last, length = [], [], 0, 0
    subject, pending = name.removesuffix(".md").replace("_", " "), None
    for match in [*titles, None]:
        end = match.start() if match else len(source)
        piece = source[last:end]
        if pending and len(piece.strip()) >= MIN_SECTION:
            text = f"{subject}: {pending}"
            questions.append(Question(text, pending, name, length, length + len(piece)))
        kept.append(piece)
        length += len(piece)
        if match:
            pending, subject = _asked(match, subject)
            last = match.end()
    return "".join(kept), questions


def _asked(match: re.Match[str], subject: str) -> tuple[str | None, str]:
    """Return the question that a title asks, if any, and what the guide is about from here on."""
    title = " ".join(NOISE.sub("", match[2]).split())
    if match[1] == "#":
        return None, title or subject
    return (None if title.lower() in ASKED_TWICE else title), subject
