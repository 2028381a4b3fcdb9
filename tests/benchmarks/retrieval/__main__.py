"""`make bench-retrieval`: parsing, search and ranking, as tables and in `.cache/retrieval.json`."""

import argparse
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assistants.adapters.embeddings.minilm import MiniLM
from assistants.adapters.search.opensearch import OpenSearchIndex
from assistants.adapters.search.opensearch_client import connect
from assistants.adapters.search.sqlite import SqliteIndex
from assistants.ports.search import SearchIndex
from tests.benchmarks.retrieval import ingestion, latency, parsing
from tests.contract.opensearch.node import running
from tests.support.ranking import corpus, quality

RESULTS = Path(".cache/retrieval.json")


def main() -> None:
    options = _options()
    guides = corpus.load()
    text = "\n".join(guides.guides.values())
    measured = {
        "parsing": parsing.measure(text[: options.characters], MiniLM(), options.pdf),
        "search": list(_searches(options, text.split())),
        "ingestion": [ingestion.measure(options.pdf, options.pages)] if options.pdf else [],
        "ranking": quality.evaluate(corpus.load(options.guides, options.questions), MiniLM()),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(measured, indent=2))
    _print(measured)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.retrieval", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], help="in chunks"
    )
    parser.add_argument("--opensearch", action="store_true", help="measure a real node, too")
    parser.add_argument("--pdf", type=Path, help="a PDF to be read, and ingested end to end")
    parser.add_argument("--pages", type=int, default=500, help="of that PDF to be ingested")
    parser.add_argument("--characters", type=int, default=1_000_000, help="of text to be parsed")
    parser.add_argument("--guides", type=int, help="to be asked about, if not all")
    parser.add_argument("--questions", type=int, help="to be asked, if not all")
    return parser.parse_args()


def _searches(options: argparse.Namespace, words: list[str]) -> Iterator[dict[str, Any]]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        client = connect(stack.enter_context(running())) if options.opensearch else None
        for size in options.sizes:
            collection = latency.Collection(size, words)
            same: dict[str, Any] = {"model": f"bench-{size}", "dimensions": latency.DIMENSIONS}
            indexes: dict[str, SearchIndex] = {
                "sqlite": SqliteIndex(Path(folder, str(size)), **same)
            }
            if client is not None:
                indexes["opensearch"] = OpenSearchIndex(client, dialect="node", **same)
            for name, index in indexes.items():
                yield {"index": name} | latency.measure(index, collection)


def _print(measured: dict[str, Any]) -> None:
    for table in ("parsing", "ingestion", "search"):
        _table(measured[table])
    ranking = measured["ranking"]
    print("{guides} guides, {chunks} chunks, {questions} questions".format(**ranking))
    _table(_ranked(ranking["methods"]))
    for words, part in ranking["by words in common"].items():
        print("{questions} questions".format(**part), f"with {words} of their words in the answer")
        _table(_ranked(part["methods"]))


def _ranked(methods: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, row in methods.items():
        yield {"ranked by": name} | {
            measure: "{mean:.3f} [{low:.3f}, {high:.3f}]".format(**interval)
            for measure, interval in row.items()
        }


def _table(rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([str(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
    print()


if __name__ == "__main__":
    main()
