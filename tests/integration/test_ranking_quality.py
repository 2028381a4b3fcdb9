"""Both words and meaning rank better than either alone, by the labelled set of the benchmark."""

import pytest

from assistants.adapters.embeddings.minilm import MiniLM
from tests.support.ranking import corpus, quality

GUIDES = 2  # of eighty: `make bench-retrieval` asks about all of them


@pytest.mark.timeout(600)  # a quarter of a minute alone, two where the cores are shared
def test_the_default_ranks_better_than_words_or_meaning_alone() -> None:
    ranked = quality.evaluate(corpus.load(GUIDES), MiniLM())
    assert ranked["questions"] > 20
    less = {
        name: method["ndcg@10 less the default's"]["mean"]
        for name, method in ranked["methods"].items()
        if name != quality.DEFAULT
    }
    assert max(less.values()) < 0, less
