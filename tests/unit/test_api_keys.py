"""API keys: who they let in, what is kept of them, and the command that issues them."""

import re

import pytest

import assistants
from assistants import cli
from assistants.cli.deployment import Deployment
from assistants.domain.errors import AuthenticationError, NotFoundError
from assistants.domain.ids import ProjectId
from assistants.services.api_keys import CACHE_SECONDS, ApiKeys
from tests.support.fakes import FakeClock, FakeTable


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys(table: FakeTable, clock: FakeClock) -> ApiKeys:
    return ApiKeys(table, clock, "keys")


def refused(keys: ApiKeys, key: str) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        keys.identify(f"Bearer {key}")
    return caught.value


def test_a_key_opens_the_project_it_was_issued_for(keys: ApiKeys) -> None:
    for project in ("default", "team-blue", "a", "0" * 63):
        key, secret = keys.create(ProjectId(project), "laptop")
        assert (key.project, key.name) == (project, "laptop")
        assert re.fullmatch(r"sk-[A-Za-z0-9_-]{48}", secret)
        assert keys.identify(f"Bearer {secret}") == project
        assert keys.identify(f"bearer  {secret} ") == project


@pytest.mark.parametrize("project", ["", "A", "a#b", "-a", "a/b", "x" * 64, "open-abc", "ü", "a\n"])
def test_a_project_that_could_be_taken_for_another_key_is_refused(
    keys: ApiKeys, table: FakeTable, project: ProjectId
) -> None:
    with pytest.raises(ValueError, match="cannot be a project"):
        keys.create(ProjectId(project), "")
    assert table.rows == {}


def test_the_key_itself_is_kept_nowhere(keys: ApiKeys, table: FakeTable) -> None:
    _, secret = keys.create(ProjectId("default"), "laptop")
    assert secret not in repr(table.rows)
    assert secret.removeprefix("sk-") not in repr(table.rows)


def test_a_wrong_key_is_refused_without_being_repeated(keys: ApiKeys) -> None:
    error = refused(keys, "sk-abcdefghijklmnop")
    assert error.message == "Incorrect API key provided: sk-********mnop."
    assert (error.status, error.code) == (401, "invalid_api_key")
    assert refused(keys, "short").message == "Incorrect API key provided: short."


def test_keys_are_listed_from_the_oldest_to_the_newest(keys: ApiKeys) -> None:
    made = [keys.create(ProjectId("default"), str(number))[0] for number in range(120)]
    other, _ = keys.create(ProjectId("other"), "")
    assert keys.list(ProjectId("default")) == made
    assert keys.list(ProjectId("other")) == [other]
    assert keys.list(ProjectId("none")) == []


def test_a_known_key_is_looked_up_once_a_minute(keys: ApiKeys, table: FakeTable) -> None:
    _, secret = keys.create(ProjectId("default"), "")
    keys.identify(f"Bearer {secret}")
    table.rows.clear()
    assert keys.identify(f"Bearer {secret}") == "default"


def test_a_revoked_key_is_refused_within_a_minute(keys: ApiKeys, clock: FakeClock) -> None:
    key, secret = keys.create(ProjectId("default"), "")
    _, other = keys.create(ProjectId("default"), "")
    keys.identify(f"Bearer {secret}")
    assert keys.revoke(ProjectId("default"), key.id) == key
    clock.now += CACHE_SECONDS + 1
    refused(keys, secret)
    assert keys.identify(f"Bearer {other}") == "default"
    assert key not in keys.list(ProjectId("default"))


def test_a_wrong_key_is_looked_up_each_time(keys: ApiKeys, table: FakeTable) -> None:
    key, secret = keys.create(ProjectId("default"), "")
    rows = dict(table.rows)
    table.rows.clear()
    refused(keys, secret)
    table.rows.update(rows)
    assert keys.identify(f"Bearer {secret}") == key.project


def test_a_key_is_revoked_only_in_its_own_project(keys: ApiKeys) -> None:
    key, secret = keys.create(ProjectId("default"), "")
    with pytest.raises(NotFoundError, match=f"No API key found with id '{key.id}'."):
        keys.revoke(ProjectId("other"), key.id)
    assert keys.identify(f"Bearer {secret}") == "default"


def test_where_keys_are_open_each_is_a_tenant_of_its_own(
    table: FakeTable, clock: FakeClock
) -> None:
    keys = ApiKeys(table, clock, "open")
    projects = {keys.identify(f"Bearer {key}") for key in ("a", "b", "sk-a")}
    assert len(projects) == 3
    assert all(re.fullmatch(r"open-[0-9a-f]{32}", project) for project in projects)
    assert keys.identify("Bearer a") == keys.identify("bearer a")
    with pytest.raises(AuthenticationError):
        keys.identify(None)


@pytest.fixture
def command(keys: ApiKeys, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The command over the fake table; the tables that it was pointed at."""
    tables: list[str | None] = []

    def api_keys(deployment: Deployment) -> ApiKeys:
        tables.append(deployment.table_name)
        return keys

    monkeypatch.setattr(cli.keys, "_api_keys", api_keys)
    monkeypatch.setenv("ASSISTANTS_TABLE", "from-environment")
    return tables


def test_the_command_issues_lists_and_revokes(
    command: list[str | None], keys: ApiKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["keys", "create", "--project", "blue", "--name", "laptop"]) == 0
    said, secret = capsys.readouterr().out.splitlines()
    assert keys.identify(f"Bearer {secret}") == "blue"
    key_id = said.split()[0]
    assert cli.main(["keys", "list", "--project", "blue"]) == 0
    listed = capsys.readouterr().out
    assert listed.split()[:2] == [key_id, "blue"]
    assert "laptop" in listed
    assert secret not in listed
    assert cli.main(["keys", "revoke", key_id, "--project", "blue"]) == 0
    assert capsys.readouterr().out == f"{key_id} is revoked.\n"
    assert keys.list(ProjectId("blue")) == []
    assert command == ["from-environment"] * 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["keys", "create", "--project", "Blue Team"], "'Blue Team' cannot be a project"),
        (["keys", "revoke", "key_none"], "No API key found with id 'key_none'."),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(
    command: list[str | None],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    problem: str,
) -> None:
    assert cli.main(["--table", "mine", *arguments]) == 1
    assert command == ["mine"]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"assistants: {problem}")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["keys"], ["keys", "revoke"], ["keys", "burn"]])
def test_the_command_shows_its_usage_when_it_is_not_understood(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: assistants")


def test_the_command_names_the_version_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"assistants {assistants.__version__}\n"
