"""The options of a deployment: CDK context, with the defaults of cdk.json."""

from typing import Annotated, Any, Literal

from aws_cdk.aws_logs import RetentionDays
from constructs import Construct
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _words(value: Any) -> Any:
    return tuple(value.split(",")) if isinstance(value, str) else value


KEY_ARN = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$"


class Options(BaseModel):
    """One value per context key; `cdk deploy -c tracing=true` sets one, as text.

    `name` begins the names of everything, so that deployments of different names live in one
    account and region. `zones` are the availability zones of networks, separated by commas; without
    them the region's first two are taken.

    `check_settings` has a function check the settings at each deployment that changes them.
    `architecture` is the processor of functions and images.

    `deletion_protection` is of the table and of both stacks. Deleted and overwritten data can be
    restored for `recovery_days`; 0 keeps none of it.

    `encryption_key` is the ARN of a KMS key for all that is kept; without it, keys of AWS are used.

    `throttle_rate` is in requests per second, `throttle_burst` in requests at once, for the whole
    deployment: strangers' requests start functions, too, to be refused. `file_server` accepts large
    files at the same URL, for a fixed price.

    `code_interpreter`: sandboxes in a network with internet access, which only pulls their image
    (`public`), in a network without, for a fixed price (`isolated`), or none (`off`). Each sandbox
    has `sandbox_cpu` units of 1/1024 vCPU, `sandbox_memory` MiB, and `sandbox_disk` GiB for files.

    `file_search`: an index that costs only its storage while idle (`serverless`), one at a fixed
    price (`domain`), or none (`off`). At most `index_workers` files are indexed at once.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,29}$")
    zones: Annotated[tuple[str, ...], BeforeValidator(_words), Field(min_length=2)] | None
    retain_data: bool
    deletion_protection: bool
    recovery_days: int = Field(ge=0, le=35)
    encryption_key: str | None = Field(pattern=KEY_ARN)
    log_retention: RetentionDays
    access_log: bool
    tracing: bool
    throttle_rate: float = Field(gt=0)
    throttle_burst: int = Field(gt=0)
    bytecode: bool
    check_settings: bool
    architecture: Literal["arm64", "x86_64"]
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
        """Read the options from the context of `scope`.

        Raises pydantic's ValidationError for a value of the wrong type.
        """
        return cls.model_validate(
            {key: scope.node.try_get_context(key) for key in cls.model_fields}
        )
