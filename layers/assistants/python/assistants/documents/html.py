"""HTML, parsed by lexbor: the visible text, with each block on its own line, and the headings."""

import re
from typing import BinaryIO

from selectolax.lexbor import LexborHTMLParser, LexborNode

from assistants.documents import plain
from assistants.documents.text import TextWriter

_UNSEEN = "script style noscript template nav svg iframe object select head button"
_BLOCKS = (
    "h1 h2 h3 h4 h5 h6 p div section article main header footer aside ul ol li dl dt dd table tr "
    "caption blockquote figure figcaption pre br hr address details summary form fieldset"
)
UNSEEN, BLOCKS = frozenset(_UNSEEN.split()), frozenset(_BLOCKS.split())
HEADINGS = {f"h{level}": level for level in range(1, 7)}
CELLS = {"td", "th"}
BLANKS = re.compile(r"[ \t\n\r\f]+")


def read(file: BinaryIO, writer: TextWriter) -> None:
    tree = LexborHTMLParser(plain.decoded(file))
    if tree.body is not None:
        _Reader(writer).read(tree.body)


class _Reader:
    """Walk the tree without recursion, because a page may be nested to any depth."""

    def __init__(self, writer: TextWriter) -> None:
        self._writer = writer
        self._at_line_start = True
        self._preformatted = 0

    def read(self, root: LexborNode) -> None:
        pending: list[tuple[LexborNode, bool]] = [(root, True)]
        while pending:
            node, opening = pending.pop()
            if opening and node.is_text_node:
                self._text(node.text_content or "")
            elif opening and node.is_element_node and node.tag not in UNSEEN:
                self._open(node)
                pending.append((node, False))
                child = node.last_child
                while child is not None:
                    pending.append((child, True))
                    child = child.prev
            elif not opening:
                self._close(node.tag or "")

    def _open(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in BLOCKS:
            self._line()
        if tag in HEADINGS:
            self._writer.heading(HEADINGS[tag], node.text(deep=True))
        self._preformatted += tag == "pre"

    def _close(self, tag: str) -> None:
        self._preformatted -= tag == "pre"
        if tag in BLOCKS:
            self._line()
        elif tag in CELLS:
            self._writer.add("\t")

    def _text(self, text: str) -> None:
        if not self._preformatted:
            text = BLANKS.sub(" ", text)
            text = text.lstrip() if self._at_line_start else text
        if text:
            self._writer.add(text)
            self._at_line_start = text.endswith("\n")

    def _line(self) -> None:
        if not self._at_line_start:
            self._writer.add("\n")
            self._at_line_start = True
