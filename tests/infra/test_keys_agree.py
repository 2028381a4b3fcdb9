"""The table that the stack creates has the keys and the index of the pynamodb model."""

from assistants.adapters.dynamodb.items import Item
from tests.infra.template import Template

ATTRIBUTES = Item.get_attributes()


def types(data: Template) -> dict[str, str]:
    definitions = data.only("DynamoDB::Table")["AttributeDefinitions"]
    return {key["AttributeName"]: key["AttributeType"] for key in definitions}


def test_the_models_keys_are_the_tables(data: Template) -> None:
    keys = {
        "HASH" if attribute.is_hash_key else "RANGE": name
        for name, attribute in ATTRIBUTES.items()
        if attribute.is_hash_key or attribute.is_range_key
    }
    schema = data.only("DynamoDB::Table")["KeySchema"]
    assert {key["KeyType"]: key["AttributeName"] for key in schema} == keys


def test_each_key_of_table_and_index_is_an_attribute_of_its_type(data: Template) -> None:
    assert {name: ATTRIBUTES[name].attr_type for name in types(data)} == types(data)


def test_rows_without_a_deadline_stay_out_of_the_index(data: Template) -> None:
    (due,) = data.only("DynamoDB::Table")["GlobalSecondaryIndexes"]
    assert all(ATTRIBUTES[key["AttributeName"]].null for key in due["KeySchema"])


def test_rows_expire_by_an_attribute_of_the_model(data: Template) -> None:
    attribute = data.only("DynamoDB::Table")["TimeToLiveSpecification"]["AttributeName"]
    assert ATTRIBUTES[attribute].attr_type == "N"
