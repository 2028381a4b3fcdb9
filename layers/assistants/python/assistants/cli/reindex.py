"""`assistants reindex`: fill a search index that was lost, or replaced by another."""

import argparse
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assistants.adapters.aws import client
from assistants.adapters.system_clock import SystemClock
from assistants.cli.deployment import Deployment
from assistants.cli.progress_bar import ProgressBar
from assistants.domain.ids import ProjectId
from assistants.ports.search import no_index
from assistants.services.vector_stores.file_counts import ShardedCounters
from assistants.services.vector_stores.file_repository import StoreFileRepository
from assistants.services.vector_stores.index_deletions import IndexDeletions
from assistants.services.vector_stores.kept_texts import TEXTS
from assistants.services.vector_stores.reindexing import Progress, Reindexing

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

INTERRUPTED = 130  # as shells call a program that ended by Ctrl-C


def add_command(commands: "Commands") -> None:
    reindex = commands.add_parser(
        "reindex", help="index the files of vector stores again, e.g. after the index was lost"
    )
    reindex.add_argument(
        "--project",
        action="append",
        help="a tenant whose files to index; can be repeated (default: all that have any)",
    )
    reindex.add_argument(
        "--before",
        type=int,
        help="leave out files indexed since then, in Unix seconds (default: now)",
    )
    reindex.set_defaults(run=_reindex)


def _reindex(deployment: Deployment, chosen: argparse.Namespace) -> int:
    before = int(time.time()) if chosen.before is None else chosen.before
    projects = chosen.project or list(_projects(deployment.bucket))
    reindexing = _reindexing(deployment)
    progress, bar = Progress(), None
    try:
        refs = [ref for project in projects for ref in reindexing.find(project, before)]
        bar = ProgressBar(len(refs))
        for progress in reindexing.run(refs):
            bar.show(progress.done, progress.failed)
    except KeyboardInterrupt:
        again = "".join(f" --project {project}" for project in chosen.project or ())
        message = f"\nInterrupted. To continue: assistants reindex --before {before}{again}"
        print(message, file=sys.stderr)
        return INTERRUPTED
    finally:
        if bar is not None:
            bar.close()
    print(f"{progress.done} files are indexed, {progress.failed} failed.")
    return 1 if progress.failed else 0


def _reindexing(deployment: Deployment) -> Reindexing:
    table, clock = deployment.table, SystemClock()
    counters, deletions = (
        ShardedCounters(table),
        IndexDeletions(table, deployment.index_queue, clock),
    )
    repository = StoreFileRepository(table, counters, deletions, no_index, clock)
    return Reindexing(table, repository, clock)


def _projects(bucket: str) -> Iterator[ProjectId]:
    """Yield the projects that have searchable files, by the names of their texts: there is no list
    of projects, and reading the whole table would cost more.
    """
    pages = client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=TEXTS, Delimiter="/"):
        for folder in page.get("CommonPrefixes", ()):
            yield ProjectId(folder["Prefix"].removeprefix(TEXTS).rstrip("/"))
