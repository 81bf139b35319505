"""Does the HTTP API keep to its description, whatever it is asked?

Requests of every operation that is described, sound ones and broken ones: no answer is a fault, and none is another
than is described, whether whoever asks may do something or not. `make fuzz` runs this; FUZZ_EXAMPLES says how many
requests each operation gets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode, checks
from schemathesis.schemas import APIOperation

from reconciler.model import access
from reconciler.store import tokens
from tests.http_asking import Face, described, face
from tests.world import World, app_manifest

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
ANSWERS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
HERE = {"Host": "127.0.0.1"}
WRITTEN = access.Written("0123456789ab", "s" * 43)


def asking() -> list[tuple[str, GenerationMode]]:
    """Every operation with sound requests, and with broken ones where there is something that can be broken."""
    paths = described()["paths"]
    return [
        (f"{method.upper()} {path}", mode)
        for path, operations in sorted(paths.items())
        for method, operation in operations.items()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if mode == GenerationMode.POSITIVE or can_be_broken(operation)
    ]


def can_be_broken(operation: dict[str, Any]) -> bool:
    """Whether any request is none that is described: every text is right for a part of a path that may be any."""
    parameters = operation.get("parameters", ())
    any_text = [
        one for one in parameters if one["in"] == "path" and one["schema"].keys() <= {"type", "title", "description"}
    ]
    return len(any_text) < len(parameters) or "requestBody" in operation


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What can be asked about, and a token that allows everything."""
    made = World(tmp_path_factory.mktemp("fuzz"))
    made.start_repository(config={"greeting": "Hello"})
    made.settle()
    made.later(hours=1)
    made.commit("Second", {"shop.yaml": app_manifest(config={"greeting": "Hi"}), "shop/index.html": "two"})
    made.settle()
    with made.running() as running, running.database.write() as transaction:
        token = tokens.Token(
            id=WRITTEN.id, name="fuzz", scopes=access.SCOPES, created_at=made.now, created_by="ann@example.com"
        )
        tokens.make(transaction, token, access.digest(WRITTEN.secret))
    return made


@pytest.fixture(scope="module")
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


@pytest.fixture(scope="module")
def operations(asked: Face) -> dict[str, APIOperation]:
    schema = schemathesis.openapi.from_asgi("/openapi.json", asked.made, headers=HERE)
    found = [one.ok() for one in schema.get_all_operations()]
    return {one.label: one for one in found}


@pytest.mark.parametrize("who", ["anybody", "an operator"])
@pytest.mark.parametrize(("label", "mode"), asking())
def test_every_answer_is_as_described(
    operations: dict[str, APIOperation], label: str, who: str, mode: GenerationMode
) -> None:
    headers = HERE | ({"Authorization": f"Bearer {WRITTEN.text}"} if who == "an operator" else {})

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=operations[label].as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        case.call_and_validate(headers=headers, checks=ANSWERS)

    ask()
