"""File search on AWS: an index that bills nothing while idle, and that only our functions reach."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template as Assertions

from infra.options import Options
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack
from tests.infra.cfn_findings import findings
from tests.infra.template import Template, app_with

FILL = {"aoss:DescribeIndex", "aoss:ReadDocument", "aoss:CreateIndex", "aoss:WriteDocument"}
SEARCH = {"aoss:DescribeIndex", "aoss:ReadDocument"}


@cache
def stack_with(kind: str, interpreter: str = "public") -> Template:
    app = app_with(file_search=kind, code_interpreter=interpreter)
    options = Options.of(app)
    data = DataStack(app, "AssistantsData", options)
    service = ServiceStack(app, "AssistantsService", options, data=data)
    body = Assertions.from_stack(service).to_json()
    return Template(json.dumps(body), body)


def policy(service: Template, kind: str, name: str) -> Any:
    (found,) = (
        one["Policy"]
        for one in service.of_type(f"OpenSearchServerless::{kind}").values()
        if one["Type"] == name
    )
    return found


def resolved(text: Any) -> list[dict[str, Any]]:
    """Parse a policy whose text refers to roles, with each reference as the role's id."""
    _separator, parts = text["Fn::Join"]
    whole = "".join(
        part if isinstance(part, str) else part["Fn::GetAtt"][0].rpartition("Role")[0]
        for part in parts
    )
    return list(json.loads(whole))


def test_the_index_has_no_capacity_while_nobody_asks(service: Template) -> None:
    group = service.only("OpenSearchServerless::CollectionGroup")
    capacity = group["CapacityLimits"]
    assert group["Generation"] == "NEXTGEN"
    assert capacity["MinIndexingCapacityInOcu"] == capacity["MinSearchCapacityInOcu"] == 0
    assert capacity["MaxIndexingCapacityInOcu"] <= 8 >= capacity["MaxSearchCapacityInOcu"]


def test_the_collection_holds_vectors_in_this_group_and_depends_on_its_policies(
    service: Template,
) -> None:
    collection = service.only("OpenSearchServerless::Collection")
    group = service.only("OpenSearchServerless::CollectionGroup")
    assert (collection["Type"], collection["CollectionGroupName"]) == (
        "VECTORSEARCH",
        group["Name"],
    )
    declared = service.resources["SearchCollection"]
    assert set(declared["DependsOn"]) == {"SearchEncryption", "SearchGroup", "SearchNetwork"}


def test_the_collection_is_encrypted_and_reached_without_a_network_of_ours(
    service: Template,
) -> None:
    name = service.only("OpenSearchServerless::Collection")["Name"]
    rules = [{"ResourceType": "collection", "Resource": [f"collection/{name}"]}]
    encryption = json.loads(policy(service, "SecurityPolicy", "encryption"))
    assert encryption == {"Rules": rules, "AWSOwnedKey": True}
    (network,) = json.loads(policy(service, "SecurityPolicy", "network"))
    assert network == {"Rules": rules, "AllowFromPublic": True}


def test_only_functions_that_change_the_index_may_and_only_searchers_read_it(
    service: Template,
) -> None:
    granted = {
        frozenset(statement["Principal"]): set(statement["Rules"][0]["Permission"])
        for statement in resolved(policy(service, "AccessPolicy", "data"))
    }
    assert granted == {
        frozenset({"IndexFile", "Stream"}): FILL,
        frozenset({"CallModel", "SearchFiles"}): SEARCH,
    }


def test_no_policy_reaches_beyond_our_own_indexes(service: Template) -> None:
    name = service.only("OpenSearchServerless::Collection")["Name"]
    for statement in resolved(policy(service, "AccessPolicy", "data")):
        (rule,) = statement["Rules"]
        assert (rule["ResourceType"], rule["Resource"]) == ("index", [f"index/{name}/chunks-*"])


def test_the_parser_has_no_right_but_to_log_and_room_for_the_largest_file(
    service: Template,
) -> None:
    parser = service.of_type("Lambda::Function")["ParseFile"]
    assert parser["EphemeralStorage"]["Size"] >= 1024
    role = parser["Role"]["Fn::GetAtt"][0]
    log, join, keep = (found for owner, found in service.statements() if owner == role)
    assert set(log["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    # Lambda needs these to put the function into its network; its own code is denied them.
    assert (join["Effect"], keep["Effect"]) == ("Allow", "Deny")
    assert join["Action"] == keep["Action"]
    assert keep["Condition"] == {"Null": {"lambda:SourceFunctionArn": "false"}}


NETWORK = "FileSearchParserNetwork"  # how the ids of what is in the parser's network begin


@pytest.fixture(params=["with a code interpreter", "without"])
def either(request: pytest.FixtureRequest, service: Template) -> Template:
    """File search has its network, whatever else is switched on."""
    return service if request.param != "without" else stack_with("serverless", interpreter="off")


def in_network(service: Template, kind: str) -> list[Mapping[str, Any]]:
    found = service.of_type(f"EC2::{kind}").items()
    return [one for id, one in found if id.startswith(NETWORK)]


def test_the_parser_is_in_a_network_that_leads_to_s3_alone(either: Template) -> None:
    place = either.of_type("Lambda::Function")["ParseFile"]["VpcConfig"]
    assert str(place["SecurityGroupIds"]).count(NETWORK) == 1
    assert len(place["SubnetIds"]) == str(place["SubnetIds"]).count(NETWORK) == 2
    for kind in ("Route", "InternetGateway", "VPCGatewayAttachment", "NatGateway"):
        assert in_network(either, kind) == []
    (endpoint,) = in_network(either, "VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["ServiceName"]["Fn::Join"][1][-1] == ".s3"
    (group,) = in_network(either, "SecurityGroup")
    (rule,) = group["SecurityGroupEgress"]
    assert rule["FromPort"] == rule["ToPort"] == 443
    assert "SecurityGroupIngress" not in group


def test_s3_lets_pass_from_there_what_the_indexer_signed_for_files_and_texts(
    either: Template,
) -> None:
    (endpoint,) = in_network(either, "VPCEndpoint")
    statements = endpoint["PolicyDocument"]["Statement"]
    reached = {one["Action"]: one["Resource"]["Fn::Join"][1][-1] for one in statements}
    assert reached == {"s3:GetObject": "/files/*", "s3:PutObject": "/parsed/*"}
    indexer = either.of_type("Lambda::Function")["IndexFile"]["Role"]
    for statement in statements:
        assert "AssistantsData:ExportsOutputFnGetAttBucketArn" in str(statement["Resource"])
        assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": indexer}}


def test_embeddings_are_asked_of_the_default_model_unless_others_are_listed(
    service: Template,
) -> None:
    default = service.body["Parameters"]["EmbeddingModels"]["Default"]
    assert default == "arn:aws:bedrock:*::foundation-model/amazon.titan-embed-text-v2:0"
    assert (
        service.body["Parameters"]["EmbeddingModel"]["Default"].removeprefix("bedrock:") in default
    )


def test_a_domain_is_small_encrypted_and_answers_signed_requests_only() -> None:
    domain = stack_with("domain").only("OpenSearchService::Domain")
    assert domain["ClusterConfig"] == {"InstanceType": "t3.small.search", "InstanceCount": 1}
    assert domain["EncryptionAtRestOptions"] == {"Enabled": True}
    assert domain["NodeToNodeEncryptionOptions"] == {"Enabled": True}
    assert domain["DomainEndpointOptions"]["EnforceHTTPS"] is True
    assert "AccessPolicies" not in domain


def test_a_searcher_of_the_domain_may_post_searches_alone() -> None:
    service = stack_with("domain")
    role = service.of_type("Lambda::Function")["SearchFiles"]["Role"]["Fn::GetAtt"][0]
    (statement,) = (
        found
        for owner, found in service.statements()
        if owner == role and "es:" in str(found["Action"])
    )
    assert statement["Action"] == "es:ESHttpPost"
    paths = {resource["Fn::Join"][1][-1] for resource in statement["Resource"]}
    assert paths == {"/_msearch", "/chunks-*/_count"}


def test_without_file_search_nothing_of_it_exists() -> None:
    service = stack_with("off")
    kinds = {resource["Type"] for resource in service.resources.values()}
    assert not [kind for kind in kinds if "OpenSearch" in kind]
    assert {"IndexFile", "ParseFile"}.isdisjoint(service.of_type("Lambda::Function"))
    assert "IndexQueue" not in service.of_type("SQS::Queue")
    assert "EmbeddingModels" not in service.body["Parameters"]
    variables = service.of_type("Lambda::Function")["Api"]["Environment"]["Variables"]
    assert "ASSISTANTS_SEARCH_ENDPOINT" not in variables


@pytest.mark.parametrize("kind", ["domain", "off"])
def test_a_template_with_another_choice_has_no_findings(kind: str) -> None:
    assert findings(stack_with(kind).text) == []


def test_the_layer_of_retrieval_repeats_nothing_of_the_layer_below() -> None:
    layers = Path(__file__).parents[2] / "layers"
    pinned = [
        {line.partition("==")[0] for line in path.read_text().splitlines() if "==" in line}
        for path in (layers / f"{name}/requirements.txt" for name in ("dependencies", "retrieval"))
    ]
    assert pinned[0].isdisjoint(pinned[1])
    assert "opensearch-py" in pinned[1]
