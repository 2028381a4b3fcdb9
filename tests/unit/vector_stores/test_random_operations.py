"""Vector stores at random: whatever is done in whatever order, counts and lists agree, and nothing
is left in the end.
"""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.file_search_deployment import FileSearchDeployment

FILES = st.integers(0, 4)
STORES = st.integers(0, 1)
STATUSES = ("in_progress", "completed", "failed", "cancelled")


class Games(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.deployment = FileSearchDeployment(Path(self.folder.name))
        names = ["a.txt", "b.txt", "c.bin", "d.txt", "e.txt"]
        self.files = [self.deployment.file("Ada is a parrot.", name) for name in names]
        self.stores = [self.deployment.vector_store() for _ in range(2)]
        self.batches: list[tuple[str, str]] = []

    def ask(self, method: str, url: str, body: Any = None) -> Any:
        answer = self.deployment.api.request(method, url, body)
        assert answer.status in (200, 400, 404), answer.body
        return answer.json

    @rule(store=STORES, file=FILES, year=st.sampled_from([None, 1, 2]))
    def attach(self, store: int, file: int, year: int | None) -> None:
        body = {"file_id": self.files[file], "attributes": None if year is None else {"y": year}}
        self.ask("POST", self.deployment.url(self.stores[store], "files"), body)

    @rule(store=STORES, files=st.lists(FILES, min_size=1, max_size=5))
    def batch(self, store: int, files: list[int]) -> None:
        body = {"file_ids": [self.files[file] for file in files]}
        url = self.deployment.url(self.stores[store], "file_batches")
        if "id" in (made := self.ask("POST", url, body)):
            self.batches.append((self.stores[store], made["id"]))

    @rule(store=STORES, file=FILES)
    def detach(self, store: int, file: int) -> None:
        self.ask("DELETE", self.deployment.url(self.stores[store], "files", self.files[file]))

    @rule(file=FILES)
    def delete_file(self, file: int) -> None:
        self.ask("DELETE", f"/files/{self.files[file]}")
        self.files[file] = self.deployment.file("Ada is a parrot.", f"{file}.txt")

    @rule(store=STORES)
    def delete_store(self, store: int) -> None:
        self.ask("DELETE", self.deployment.url(self.stores[store]))
        self.batches = [one for one in self.batches if one[0] != self.stores[store]]
        self.stores[store] = self.deployment.vector_store()

    @rule(store=STORES, file=FILES, year=st.integers(1, 3))
    def label(self, store: int, file: int, year: int) -> None:
        url = self.deployment.url(self.stores[store], "files", self.files[file])
        self.ask("POST", url, {"attributes": {"y": year}})

    @rule(which=st.integers(0, 9))
    def cancel(self, which: int) -> None:
        if self.batches:
            store_id, batch_id = self.batches[which % len(self.batches)]
            self.ask("POST", self.deployment.url(store_id, "file_batches", batch_id, "cancel"))

    @rule(which=st.integers(0, 99), lost=st.booleans())
    def deliver(self, which: int, lost: bool) -> None:
        """Deliver one message, in any order."""
        if sent := self.deployment.index_queue.sent:
            message = sent.pop(which % len(sent))
            if not lost:
                self.deployment.indexing.process(message)

    @rule(seconds=st.sampled_from([60, 300, 3600]))
    def sweep(self, seconds: int) -> None:
        self.deployment.sweep(seconds)

    @invariant()
    def counts_and_lists_agree(self) -> None:
        for store_id in self.stores:
            self.check(self.deployment.url(store_id), self.deployment.url(store_id, "files"))
        for store_id, batch_id in self.batches:
            url = self.deployment.url(store_id, "file_batches", batch_id)
            self.check(url, f"{url}/files")

    def check(self, owner: str, files: str) -> None:
        listed = self.ask("GET", files)["data"]
        by_status = Counter(file["status"] for file in listed)
        counted = self.ask("GET", owner)["file_counts"]
        assert counted == {**{name: by_status[name] for name in STATUSES}, "total": len(listed)}
        for status in STATUSES:
            narrowed = self.ask("GET", f"{files}?filter={status}")["data"]
            assert narrowed == [file for file in listed if file["status"] == status]

    @invariant()
    def only_completed_files_are_found(self) -> None:
        for store_id in self.stores:
            files = self.ask("GET", self.deployment.url(store_id, "files?filter=completed"))["data"]
            found = self.ask("POST", self.deployment.url(store_id, "search"), {"query": "parrot"})
            shown = {hit["file_id"]: hit["attributes"] for hit in found["data"]}
            assert shown == {file["id"]: file["attributes"] for file in files}

    def teardown(self) -> None:
        if hasattr(self, "deployment"):
            with self.folder:
                self.end()

    def end(self) -> None:
        """Delete everything, and check that nothing is left."""
        for file_id in self.files:
            self.ask("DELETE", f"/files/{file_id}")
        for store_id in self.stores:
            self.ask("DELETE", self.deployment.url(store_id))
        for _ in range(3):
            self.deployment.sweep()
        assert self.deployment.rows() == []
        assert self.deployment.indexed() == 0
        assert self.deployment.blobs.contents == {}


TestGames = Games.TestCase
TestGames.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
