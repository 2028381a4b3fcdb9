"""The journal as rows: one record each, numbered without gaps, kept for a day."""

from dataclasses import dataclass

from assistants.domain.ids import RunRef
from assistants.domain.journal import Record
from assistants.ports.clock import Clock
from assistants.ports.table import Create, Row, Table
from assistants.services.storage import keys

TTL_SECONDS = 24 * 3600
_PAGE = 500


@dataclass(frozen=True)
class Journal:
    table: Table
    clock: Clock

    def entry(self, ref: RunRef, sequence: int, record: Record) -> Create:
        """Return the write of record number `sequence`; it conflicts when that number is taken."""
        key = keys.journal(ref, sequence)
        ttl = int(self.clock.time()) + TTL_SECONDS
        return Create(Row(key, record.to_body(), ttl=ttl))

    def read(self, ref: RunRef, start: int, *, consistent: bool = True) -> list[Record]:
        """Return the records from number `start`; an eventually consistent read may end early."""
        records: list[Record] = []
        while True:
            first = start + len(records)
            rows = self.table.query(
                keys.in_run(ref),
                keys.JOURNAL,
                after=f"{keys.JOURNAL}{first - 1:08d}" if first else None,
                limit=_PAGE,
                consistent=consistent,
            )
            for number, row in enumerate(rows, first):
                if row.key != keys.journal(ref, number):
                    return records  # a gap: the missing record has not arrived yet
                records.append(Record.from_body(row.body))
            if len(rows) < _PAGE:
                return records

    def tail(self, ref: RunRef) -> int:
        """Return the number of the newest record; -1 when there is none (any more)."""
        rows = self.table.query(keys.in_run(ref), keys.JOURNAL, limit=1, descending=True)
        return int(rows[0].key.sort.removeprefix(keys.JOURNAL)) if rows else -1
