"""Idempotency-Key: the same creation sent twice makes one object.

The key is bound to the order that the object will have, which its id ends in, before the object
exists. Whoever repeats the request, after a crash or a lost answer, creates under the same id and
finds what is already there. A request that makes nothing can be repeated, but not by another one.
"""

import hashlib
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError
from assistants.domain.ids import ProjectId, new_order
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Row, Save, Table
from assistants.services.storage import keys

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Idempotency:
    table: Table
    clock: Clock

    def claim(self, project: ProjectId, key: str, request: bytes) -> str:
        """The order of the object that this request makes.

        Raises `InvalidRequestError` when the key was used for another request less than a day ago.
        """
        digest = hashlib.sha256(request).hexdigest()
        now = int(self.clock.time())
        claim = Row(
            keys.idempotency(project, hashlib.sha256(key.encode()).hexdigest()),
            {"order": new_order(), "request": digest, "until": now + KEPT_SECONDS},
            ttl=now + KEPT_SECONDS,
        )
        try:
            self.table.commit(Create(claim))
        except ConflictError:
            return self._known(claim, digest)
        return str(claim.body["order"])

    def _known(self, claim: Row, digest: str) -> str:
        [known] = self.table.get(claim.key)
        if known is None or known.body["until"] < self.clock.time():
            self.table.commit(Save(claim))  # the table forgets late
            return str(claim.body["order"])
        if known.body["request"] != digest:
            raise InvalidRequestError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                "first used with.",
                code="idempotency_key_reused",
            )
        return str(known.body["order"])
