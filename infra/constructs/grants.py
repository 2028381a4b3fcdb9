"""Rights of functions: each grant is one statement of a role, as narrow as IAM allows."""

from collections.abc import Callable

from aws_cdk import aws_iam as iam

from infra.constructs.resources import Resources

Grant = Callable[[Resources], iam.PolicyStatement]

INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def use_table(resources: Resources) -> iam.PolicyStatement:
    """Read and write rows, in transactions or not. No Scan, which would read across tenants."""
    operations = ("BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query")
    return _allow([f"dynamodb:{operation}" for operation in operations], resources.table.table_arn)


def clear_table(resources: Resources) -> iam.PolicyStatement:
    """Delete rows in batches, without conditions."""
    return _allow(["dynamodb:BatchWriteItem"], resources.table.table_arn)


def find_due(resources: Resources) -> iam.PolicyStatement:
    """Query the keys of the due rows of all tenants."""
    return _allow(["dynamodb:Query"], f"{resources.table.table_arn}/index/due")


def use_values(resources: Resources) -> iam.PolicyStatement:
    """Read and write values that are too large for their row of the table."""
    return _allow(["s3:GetObject", "s3:PutObject"], f"{resources.bucket.bucket_arn}/values/*")


def list_values(resources: Resources) -> iam.PolicyStatement:
    return _list(resources, "values/*")


def delete_values(resources: Resources) -> iam.PolicyStatement:
    return _allow(["s3:DeleteObject"], f"{resources.bucket.bucket_arn}/values/*")


def read_files(resources: Resources) -> iam.PolicyStatement:
    return _allow(["s3:GetObject"], f"{resources.bucket.bucket_arn}/files/*")


def list_files(resources: Resources) -> iam.PolicyStatement:
    """List files: only that tells one that does not exist from one that is denied."""
    return _list(resources, "files/*")


def write_files(resources: Resources) -> iam.PolicyStatement:
    """Write files, in one part or several, and abort incomplete uploads."""
    actions = ["s3:AbortMultipartUpload", "s3:PutObject"]
    return _allow(actions, f"{resources.bucket.bucket_arn}/files/*")


def delete_files(resources: Resources) -> iam.PolicyStatement:
    return _allow(["s3:DeleteObject"], f"{resources.bucket.bucket_arn}/files/*")


def write_parts(resources: Resources) -> iam.PolicyStatement:
    """Write parts of uploads, also by the URLs that a function signs for its clients."""
    return _allow(["s3:PutObject"], f"{resources.bucket.bucket_arn}/uploads/*")


def read_parts(resources: Resources) -> iam.PolicyStatement:
    return _allow(["s3:GetObject"], f"{resources.bucket.bucket_arn}/uploads/*")


def list_parts(resources: Resources) -> iam.PolicyStatement:
    return _list(resources, "uploads/*")


def delete_parts(resources: Resources) -> iam.PolicyStatement:
    return _allow(["s3:DeleteObject"], f"{resources.bucket.bucket_arn}/uploads/*")


def read_texts(resources: Resources) -> iam.PolicyStatement:
    """Read the texts extracted from files of vector stores."""
    return _allow(["s3:GetObject"], f"{resources.bucket.bucket_arn}/texts/*")


def list_texts(resources: Resources) -> iam.PolicyStatement:
    return _list(resources, "texts/*")


def write_texts(resources: Resources) -> iam.PolicyStatement:
    """Write these texts, in one part or several, and abort incomplete uploads."""
    actions = ["s3:AbortMultipartUpload", "s3:PutObject"]
    return _allow(actions, f"{resources.bucket.bucket_arn}/texts/*")


def delete_texts(resources: Resources) -> iam.PolicyStatement:
    return _allow(["s3:DeleteObject"], f"{resources.bucket.bucket_arn}/texts/*")


def exchange_parsed(resources: Resources) -> iam.PolicyStatement:
    """Sign the URL for the parser's result, read the result, and delete it."""
    actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    return _allow(actions, f"{resources.bucket.bucket_arn}/parsed/*")


def list_parsed(resources: Resources) -> iam.PolicyStatement:
    return _list(resources, "parsed/*")


def start_runs(resources: Resources) -> iam.PolicyStatement:
    return _allow(["states:StartExecution"], resources.run_machine)


def resume_runs(resources: Resources) -> iam.PolicyStatement:
    """Send a task token back to the run machine."""
    return _allow(["states:SendTaskSuccess"], resources.run_machine)


def request_purges(resources: Resources) -> iam.PolicyStatement:
    return _allow(["sqs:SendMessage"], resources.purge_queue.queue_arn)


def join_network(_: Resources) -> iam.PolicyStatement:
    """Let Lambda attach a function to a network; IAM takes no resource for these actions.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    return iam.PolicyStatement(actions=INTERFACES, resources=["*"])


def keep_network(_: Resources) -> iam.PolicyStatement:
    """Deny the same actions to the function's own code, whose calls alone have this key."""
    own_code = {"Null": {"lambda:SourceFunctionArn": "false"}}
    return iam.PolicyStatement(
        effect=iam.Effect.DENY, actions=INTERFACES, resources=["*"], conditions=own_code
    )


def _list(resources: Resources, prefix: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[resources.bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": prefix}},
    )


def _allow(actions: list[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=[resource])
