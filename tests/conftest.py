# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the whole-program and interop tests."""

import contextlib
import os
import pathlib
import sys
import tempfile
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
# Everything here talks to this machine only, past whatever proxy its user may have.
for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[variable]

pytest.register_assert_rewrite("harness")
from harness.amphora import Amphora  # noqa: E402
from harness.network_bed import NetworkBed  # noqa: E402
from harness.systemd import Systemd  # noqa: E402


@pytest.fixture
def make_amphora():
    """Makes amphorae that are not started yet; at the end they must end well, and leave nothing."""
    made = []

    def make(**options):
        made.append(Amphora(**options))
        return made[-1]

    yield make
    with contextlib.ExitStack() as stack:
        for amphora in made:
            stack.callback(amphora.destroy)
        for amphora in made:
            print(f"log of amphora {amphora.id}:\n{amphora.log()}")
            amphora.end_well()


@pytest.fixture
def systemd_folders():
    """A stack of folders that are removed after the amphorae have ended."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def make_systemd_amphora(systemd_folders, make_amphora):
    """The same with `service_manager = systemd`; each has a bus and a systemd of its own."""
    with contextlib.ExitStack() as stack:
        def make(wrapper=(), **options):
            folder = tempfile.TemporaryDirectory(prefix="systemd-test-")
            systemd = stack.enter_context(Systemd(systemd_folders.enter_context(folder)))
            amphora = make_amphora(wrapper=(*wrapper, *systemd.wrapper), **options)
            amphora.drop_in.set("agent", "service_manager", "systemd")
            amphora.drop_in.set("agent", "unit_dir", systemd.unit_dir)
            amphora.systemd = systemd
            return amphora

        # systemd ends first: it would start anew what the amphora's end kills.
        yield make


@pytest.fixture
def amphora(make_amphora):
    """A started amphora without load balancers."""
    return make_amphora().start()


@pytest.fixture
def lb_id():
    return str(uuid.uuid4())


@pytest.fixture
def resources():
    """A stack of context managers that end after the test, in reverse order."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def bed(resources):
    """A network to throw away. The test itself runs in what plays the amphora's root namespace."""
    bed = resources.enter_context(NetworkBed())
    resources.enter_context(bed.host.entered())
    return bed


@pytest.fixture
def bed_amphora(bed, make_amphora):
    """An amphora in the bed, not started yet."""
    return make_amphora(network_namespace=bed.inside.name, wrapper=bed.shield.wrapper)
