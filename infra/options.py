"""The choices of a deployment: CDK context, whose defaults stand in cdk.json."""

from typing import Literal

from aws_cdk.aws_logs import RetentionDays
from constructs import Construct
from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """One value per context key; `cdk deploy -c tracing=true` sets one, as text.

    `throttle_rate` is requests a second, `throttle_burst` requests at once; without them the
    account's own limits hold. `file_server` takes large files on the same URL, at a price.

    `code_interpreter`: sessions in a network with a way out, for their image (`public`), in one
    without, at a fixed price (`isolated`), or none. Each has `sandbox_cpu` units of 1/1024 CPU,
    `sandbox_memory` MiB and room for `sandbox_disk` GiB of files.

    `file_search`: an index that costs nothing but its storage while idle (`serverless`), one at a
    fixed price (`domain`), or none. `index_workers` files are indexed side by side.
    """

    model_config = ConfigDict(frozen=True)

    retain_data: bool
    deletion_protection: bool
    log_retention: RetentionDays
    access_log: bool
    tracing: bool
    throttle_rate: float | None
    throttle_burst: int | None
    bytecode: bool
    file_server: bool
    code_interpreter: Literal["public", "isolated", "off"]
    sandbox_packages: Literal["core", "full"]
    sandbox_cpu: int = Field(ge=256, le=16384)
    sandbox_memory: int = Field(ge=1024, le=122880)
    sandbox_disk: int = Field(ge=1, le=184)
    file_search: Literal["serverless", "domain", "off"]
    index_workers: int = Field(ge=2, le=1000)

    @classmethod
    def of(cls, scope: Construct) -> "Options":
        """Raises pydantic's ValidationError for a value of the wrong kind."""
        return cls.model_validate(
            {key: scope.node.try_get_context(key) for key in cls.model_fields}
        )
