"""Access of browser pages to the bucket by presigned URLs: parts of uploads, large downloads."""

from typing import Any

from aws_cdk import Aws, CfnCondition, CfnParameter, Fn
from aws_cdk import aws_s3 as s3
from constructs import Construct

PARAMETER = "CorsOrigins"  # of the service's stack, too, so that one value can be given to both
ORIGIN = r"(\*|https?://[^/,\s]+)?"
DAY = 86_400


class BucketCors(Construct):
    """The rules for the origins that a parameter of the stack lists; without any, no rule.

    A page uploads to a URL of S3 itself. It downloads through a redirect of the API's, after which
    a browser calls its origin `null`: only a rule for every origin admits that. Whoever has such a
    URL may use it anyway, with any client but a browser.
    https://fetch.spec.whatwg.org/#concept-request-tainted-origin
    """

    def __init__(self, scope: Construct, id: str, bucket: s3.CfnBucket) -> None:
        super().__init__(scope, id)
        origins = CfnParameter(
            scope,
            PARAMETER,
            type="CommaDelimitedList",
            default="",
            allowed_pattern=ORIGIN,
            description="Browser origins that may upload to the bucket; give both stacks the same.",
        )
        none = Fn.condition_equals(Fn.join(",", origins.value_as_list), "")
        given = CfnCondition(self, "Given", expression=Fn.condition_not(none))
        rules = [_rule("PUT", origins.value_as_list), _rule("GET", ["*"])]
        bucket.cors_configuration = Fn.condition_if(
            given.logical_id, {"CorsRules": rules}, Aws.NO_VALUE
        )


def _rule(method: str, origins: list[str]) -> dict[str, Any]:
    return {
        "AllowedMethods": [method],
        "AllowedOrigins": origins,
        "AllowedHeaders": ["*"],
        "ExposedHeaders": ["ETag"],
        "MaxAge": DAY,
    }
