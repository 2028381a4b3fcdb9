"""A region that lacks what the options need is refused before anything is deployed there."""

import json
import tomllib
from pathlib import Path
from typing import Any

import cfnlint
import pytest
from aws_cdk.assertions import Template as Assertions

from infra.app import synthesize
from infra.options import Options
from infra.regions import (
    TABLE,
    UnsupportedRegionError,
    check_region,
    missing_regions,
    region_limits,
)
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack
from tests.infra.template import Template, app_with

SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas/providers"
ISOLATED = ("us-iso", "eu-iso", "eusc")  # partitions that few accounts can use


def options_with(**context: Any) -> Options:
    return Options.of(app_with(**context))


def public_regions() -> dict[str, dict[str, str]]:
    """The types of resources by region, as the installed cfn-lint knows them."""
    return {
        path.stem: json.loads(path.read_text())
        for path in SCHEMAS.glob("*-*.json")
        if not path.stem.startswith(ISOLATED)
    }


def test_the_table_agrees_with_the_registry_that_cfn_lint_has() -> None:
    regions = public_regions()
    assert len(regions) > 30
    found = {
        kind: sorted(region for region, types in regions.items() if kind not in types)
        for kind in missing_regions()
    }
    assert found == {kind: sorted(regions) for kind, regions in missing_regions().items()}
    installed = json.loads((SCHEMAS.parents[0] / "version.json").read_text())["schema_date"]
    assert tomllib.loads(TABLE.read_text())["schema_date"] == installed[:10]


def test_the_table_has_every_type_of_a_template_that_some_region_lacks() -> None:
    app = app_with(file_server=True)
    options = Options.of(app)
    data = DataStack(app, "AssistantsData", options)
    service = ServiceStack(app, "AssistantsService", options, data=data)
    resources = Assertions.from_stack(service).to_json()["Resources"].values()
    regions = public_regions()
    lacking = {
        frozenset(region for region, types in regions.items() if resource["Type"] not in types)
        for resource in resources
        if not resource["Type"].startswith(("AWS::CDK::", "Custom::"))
    }
    listed = [set(one) for one in missing_regions().values()]
    assert all(any(regions <= known for known in listed) for regions in lacking)


def test_the_stack_that_is_deployed_first_refuses_a_region(data: Template) -> None:
    (assertion,) = data.body["Rules"]["OpenSearchServerlessIsOffered"]["Assertions"]
    regions, region = assertion["Assert"]["Fn::Not"][0]["Fn::Contains"]
    assert region == {"Ref": "AWS::Region"}
    assert {"ap-southeast-3", "il-central-1"} <= set(regions)
    assert "-c file_search=domain" in assertion["AssertDescription"]
    assert "-c file_search=off" in assertion["AssertDescription"]


@pytest.mark.parametrize("choice", ["domain", "off"])
def test_the_way_out_has_no_limit(choice: str) -> None:
    assert list(region_limits(options_with(file_search=choice))) == []


def test_a_known_region_is_refused_when_the_template_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDK_DEFAULT_REGION", "ap-southeast-3")
    with pytest.raises(UnsupportedRegionError, match=r"^ap-southeast-3: .* -c file_search=domain"):
        synthesize(tmp_path / "out", bundle=False)


@pytest.mark.parametrize("region", ["eu-west-1", "xx-new-1", None])
def test_other_regions_are_taken_and_so_is_one_that_the_table_does_not_know(
    region: str | None,
) -> None:
    check_region(options_with(), region)


def test_the_file_server_has_a_limit_of_its_own() -> None:
    options = options_with(file_server=True, file_search="off")
    with pytest.raises(UnsupportedRegionError, match="-c file_server=false"):
        check_region(options, "us-gov-west-1")
