"""How the node in memory finds documents: the queries that the search index writes."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

Source = dict[str, Any]
Clause = dict[str, Any]
Scores = dict[str, float]  # by id, of the documents that are found


def find(documents: Mapping[str, Source], query: Clause) -> Scores:
    [(kind, clause)] = query.items()
    return _QUERIES[kind](documents, clause)


def _no(documents: Mapping[str, Source], clause: Clause) -> Scores:
    return {}


def _term(documents: Mapping[str, Source], clause: Clause) -> Scores:
    [(field, value)] = clause.items()
    return _terms(documents, {field: [value]})


def _terms(documents: Mapping[str, Source], clause: Clause) -> Scores:
    [(field, wanted)] = clause.items()
    return {id: 1.0 for id, one in documents.items() if {*wanted} & {*_values(one, field)}}


def _range(documents: Mapping[str, Source], clause: Clause) -> Scores:
    [(field, bounds)] = clause.items()
    return {
        id: 1.0
        for id, one in documents.items()
        if any(
            all(_BOUNDS[bound](value, limit) for bound, limit in bounds.items())
            for value in _values(one, field)
        )
    }


def _bool(documents: Mapping[str, Source], clause: Clause) -> Scores:
    found: Scores = dict.fromkeys(documents, 0.0)
    for one in _several(clause.get("filter", [])):
        found = {id: found[id] for id in find(documents, one) if id in found}
    for one in _several(clause.get("must", [])):
        found = {id: found[id] + s for id, s in find(documents, one).items() if id in found}
    for one in _several(clause.get("must_not", [])):
        found = {id: found[id] for id in found.keys() - find(documents, one)}
    if "should" in clause:
        some = {id for one in clause["should"] for id in find(documents, one)}
        found = {id: score for id, score in found.items() if id in some}
    return found


def _match(documents: Mapping[str, Source], clause: Clause) -> Scores:
    """BM25 over all the documents, as it is without a filter."""
    wanted = {*words(clause["words"]["query"])}
    texts = {id: words(f"{one['context']} {one['text']}") for id, one in documents.items()}
    length = sum(map(len, texts.values())) / max(len(texts), 1)
    scores: Scores = {}
    for word in wanted:
        holding = [id for id, text in texts.items() if word in text]
        rarity = math.log(1 + (len(texts) - len(holding) + 0.5) / (len(holding) + 0.5))
        for id in holding:
            times = texts[id].count(word)
            share = times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(texts[id]) / length))
            scores[id] = scores.get(id, 0.0) + rarity * share
    return scores


def _nearest(documents: Mapping[str, Source], clause: Clause) -> Scores:
    asked = clause["vector"]
    passing = find(documents, asked["filter"])
    scores = {id: (1 + _cosine(asked["vector"], documents[id]["vector"])) / 2 for id in passing}
    return dict(sorted(scores.items(), key=lambda one: -one[1])[: asked["k"]])


def words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.findall(r"\w+", "".join(one for one in plain if not unicodedata.combining(one)))


def _values(document: Source, field: str) -> list[Any]:
    value = document[field]
    return value if isinstance(value, list) else [value]


def _several(clauses: Any) -> list[Clause]:
    return clauses if isinstance(clauses, list) else [clauses]


def _cosine(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / (math.hypot(*one) * math.hypot(*other))


_QUERIES: dict[str, Callable[[Mapping[str, Source], Clause], Scores]] = {
    "match_none": _no,
    "term": _term,
    "terms": _terms,
    "range": _range,
    "bool": _bool,
    "match": _match,
    "knn": _nearest,
}
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda value, limit: value < limit,
    "lte": lambda value, limit: value <= limit,
    "gt": lambda value, limit: value > limit,
    "gte": lambda value, limit: value >= limit,
}
