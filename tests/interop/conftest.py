# SPDX-License-Identifier: Apache-2.0
"""Fixtures with Octavia's own code in them."""

import tempfile

import pytest


@pytest.fixture
def controller_of(resources):
    """Gives an amphora a controller, and starts it on the configuration that the controller wrote."""
    def controller_of(amphora, **settings):
        from harness.controller import Controller  # takes seconds, which not every file has to wait
        directory = resources.enter_context(tempfile.TemporaryDirectory(prefix="controller-test-"))
        controller = Controller(amphora, directory)
        resources.callback(controller.close)
        amphora.config = ControllersText(controller.agent_config(**settings))
        amphora.start()
        amphora.wait_until_ready()  # until then it starts what it finds, just uploaded or not
        return controller

    return controller_of


@pytest.fixture
def controller(controller_of, make_amphora):
    """A controller and its amphora."""
    return controller_of(make_amphora())


class ControllersText:
    """The configuration as a controller's template gave it, byte for byte."""

    def __init__(self, text):
        self._text = text

    def text(self):
        return self._text
