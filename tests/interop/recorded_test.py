# SPDX-License-Identifier: Apache-2.0
"""Requests that a release 16 controller sent, repeated as they were; our answers have the shape and
the types of those that the reference agent gave it (tests/interop/recorded/)."""

import json
import pathlib

import pytest

from harness.load_balancer import LoadBalancer
from harness.web_server import WebServer

RECORDED = pathlib.Path(__file__).parent / "recorded"
# Objects whose keys are names of interfaces.
NAMED_BY_THE_MACHINE = {"networks"}


def shape(value):
    """A JSON value with its scalars replaced by the names of their types."""
    if isinstance(value, dict):
        return {key: {} if key in NAMED_BY_THE_MACHINE else shape(inner)
                for key, inner in value.items()}
    if isinstance(value, list):
        shapes = [shape(inner) for inner in value]
        return shapes[:1] if all(one == shapes[0] for one in shapes) else shapes
    return type(value).__name__


@pytest.mark.parametrize("name", ["get-root", "get-info", "get-details"])
def test_the_answer_has_the_shape_and_types_that_were_recorded(amphora, resources, name):
    LoadBalancer(amphora, [resources.enter_context(WebServer("one"))]).serve()
    exchange = json.loads((RECORDED / f"{name}.json").read_text())
    method, path = exchange["request"].split()
    answer = amphora.api.request(method, path, headers=exchange["headers"])
    assert answer.status == exchange["status"]
    assert shape(answer.json) == shape(exchange["answer"])
