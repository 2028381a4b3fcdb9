"""Questions lose the words that no document answers, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants.domain.retrieval.query_rewriting import rewritten


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (
            "I'd like to know the height of the main office building.",
            "height of the main office building",
        ),
        ("Hello, could you please tell me what is the return policy?", "return policy"),
        ("How do I reset the printer?", "reset the printer"),
        ("Please show me the invoices of 2024, thanks!", "invoices of 2024"),
        ("I am looking for information about parrots", "parrots"),
        ("What's a fuse", "fuse"),
        ("reset printer", "reset printer"),
        ("Showroom hours", "Showroom hours"),
        ("Theory of relativity", "Theory of relativity"),
        ("Wie hoch ist der Turm", "Wie hoch ist der Turm"),
        ("TN-4400?", "TN-4400"),
        ("C++", "C++"),
        ("What is it", "it"),
        ("the", "the"),
        ("  ", "  "),
        ("?", "?"),
    ],
)
def test_a_question_becomes_what_it_is_about(query: str, left: str) -> None:
    assert rewritten(query) == left


@given(st.text(max_size=200))
def test_what_is_left_occurs_in_the_query(query: str) -> None:
    left = rewritten(query)
    assert left in query
    assert bool(left.strip()) == bool(query.strip())
