"""Findings of cdk-nag that stay, each with the reason why."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    """Findings of the rules that `rule` matches, at the constructs that `path` matches."""

    rule: str
    path: str
    reason: str

    def covers(self, rule: str, path: str) -> bool:
        return bool(re.fullmatch(self.rule, rule) and re.fullmatch(self.path, path))


SERVICE = "AssistantsService/"
METHODS = f"{SERVICE}RestApi/Default/.*/ANY/Resource"
STAGE = f"{SERVICE}RestApi/DeploymentStage.v1/Resource"
ROLES = f"{SERVICE}.*Role/DefaultPolicy/Resource"
DOMAIN = f"{SERVICE}FileSearch/Index/SearchDomain"
SERVER = f"{SERVICE}FileServer/"

ACCEPTED = (
    Accepted("APIG1", STAGE, "Only without the access log, by -c access_log=false."),
    Accepted("APIG2", ".*", "The application validates requests, in the words of the original."),
    Accepted("APIG3", STAGE, "A web ACL bills by the month; one can be attached to the stage."),
    Accepted("APIG4|COG4", METHODS, "The application checks API keys, as the original does."),
    Accepted("APIG6", STAGE, "The access log has each request; execution logs hold bodies."),
    Accepted("CFR1", f"{SERVER}.*", "The service has no countries to exclude."),
    Accepted("CFR2", f"{SERVER}.*", "As APIG3."),
    Accepted("CFR3", f"{SERVER}.*", "Logs bill by volume and would take a bucket that none reads."),
    Accepted("CFR4", f"{SERVER}.*", "CloudFront's own certificate allows no newer policy."),
    Accepted("DDB3", "AssistantsData/Table/Resource", "Only by -c recovery_days=0."),
    Accepted("EC23", f"{SERVER}.*", "An internal load balancer, open to its own VPC's range."),
    Accepted("ECS2", ".*", "The variables hold no secret: tests/infra/test_settings.py."),
    Accepted("ECS4", ".*", "Container Insights bills each metric."),
    Accepted("ELB2", f"{SERVER}.*", "As CFR3."),
    Accepted(
        r"IAM4\[.*AmazonAPIGatewayPushToCloudWatchLogs\]",
        f"{SERVICE}RestApi/CloudWatchRole/Resource",
        "The account-wide role of API Gateway, as AWS asks for it.",
    ),
    Accepted(
        r"IAM5\[Resource::AssistantsData:.*/(files|parsed|texts|uploads|values)/\*\]",
        ROLES,
        "The prefix of the objects that the function is about.",
    ),
    Accepted(
        r"IAM5\[Resource::.*:task/<Sandboxes>/\*\]",
        ROLES,
        "Tasks of our own cluster have ids that nobody knows before.",
    ),
    Accepted(
        r"IAM5\[Resource::\*\]",
        f"{SERVICE}(SandboxProxy|ParseFile)Role/DefaultPolicy/Resource",
        "A function in a VPC: these actions take no resource, and its own code is denied them.",
    ),
    Accepted(
        r"IAM5\[Resource::\*\]",
        f"{SERVICE}.*/ExecutionRole/DefaultPolicy/Resource",
        "ecr:GetAuthorizationToken takes no resource.",
    ),
    Accepted(
        r"IAM5\[Resource::\*\]",
        f"{SERVICE}RunMachineRole/DefaultPolicy/Resource",
        "Log delivery and X-Ray take no resource.",
    ),
    Accepted(
        r"IAM5\[Resource::\*\]",
        ROLES,
        "X-Ray takes no resource; only with -c tracing=true.",
    ),
    Accepted(
        r"IAM5\[Resource::<SearchDomain.Arn>/chunks-\*(/_count)?\]",
        ROLES,
        "One index for each embedding model, by this prefix.",
    ),
    Accepted("L1", ".*", "Layers are built for Python 3.13, which Lambda supports."),
    Accepted("OS1", DOMAIN, "Functions in its VPC would need a way out to Bedrock."),
    Accepted("OS3|OS5", DOMAIN, "Signed requests of named roles only; addresses say nothing."),
    Accepted("OS4|OS7", DOMAIN, "One small node is what the option promises, at its price."),
    Accepted(r"OS9\[.*\]", DOMAIN, "Slow logs bill by volume."),
    Accepted(
        "S1",
        "AssistantsData/Bucket/Resource",
        "As CFR3; the account may record S3's data events instead.",
    ),
    Accepted(
        "SF1", f"{SERVICE}RunMachine/Resource", "Errors are logged; ALL would bill each state."
    ),
    Accepted("SF2", f"{SERVICE}RunMachine/Resource", "-c tracing=true traces it."),
    Accepted(
        "VPC7", ".*", "Flow logs bill by volume; no route leads out but to S3 and for images."
    ),
)
