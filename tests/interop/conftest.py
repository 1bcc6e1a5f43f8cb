# SPDX-License-Identifier: Apache-2.0
"""Fixtures with Octavia's own code in them."""

import tempfile

import pytest


@pytest.fixture
def controller(make_amphora, resources):
    """A controller and its amphora, which runs on the configuration that the controller wrote."""
    from harness.controller import Controller  # takes seconds, which not every file has to wait
    amphora = make_amphora()
    directory = resources.enter_context(tempfile.TemporaryDirectory(prefix="controller-test-"))
    controller = Controller(amphora, directory)
    resources.callback(controller.close)
    amphora.config = ControllersText(controller.agent_config())
    amphora.start()
    return controller


class ControllersText:
    """The configuration as a controller's template gave it, byte for byte."""

    def __init__(self, text):
        self._text = text

    def text(self):
        return self._text
