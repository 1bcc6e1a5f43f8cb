# SPDX-License-Identifier: Apache-2.0
"""A cloud around one amphora: a network of its own with the addresses that the models of
tests/models/ name, so that they are applied as they stand, and real members on the worker nodes."""

import copy
import json
import uuid

from harness.amphora import ROOT
from harness.network_namespace import NetworkNamespace

MODELS = ROOT / "tests" / "models"
VIP = "10.6.0.10"
NODES = {"worker-1": "10.6.0.21", "worker-2": "10.6.0.22", "worker-3": "10.6.0.23",
         "worker-4": "10.6.0.24"}
CLIENT, STRANGER = "10.6.0.100", "10.6.0.101"


def load_model(name):
    return json.loads((MODELS / f"{name}.json").read_text())


def model_names():
    return sorted(path.stem for path in MODELS.glob("*.json"))


class Model:
    """A model from tests/models/, and the changes that a test makes to it."""

    def __init__(self, name):
        self.json = load_model(name)

    def copy(self):
        return copy.deepcopy(self)

    @property
    def listeners(self):
        return self.json["loadbalancer"]["listeners"]

    def listener(self, port):
        return next(listener for listener in self.listeners if listener["protocol_port"] == port)

    def pools(self):
        return [listener["default_pool"] for listener in self.listeners]

    def node_port(self, port):
        return self.listener(port)["default_pool"]["members"][0]["protocol_port"]

    def has_nodes(self, names):
        """As the cloud-controller-manager follows its nodes: each is a member of every pool, and
        everything else stays."""
        for pool in self.pools():
            like = pool["members"][0]
            pool["members"] = [{**like, "name": name, "address": NODES[name]} for name in names]
        return self

    def monitors(self, **changes):
        for pool in self.pools():
            pool["healthmonitor"].update(changes)
        return self

    def is_checked_often(self):
        """For who waits for checks: every second, and one is enough."""
        return self.monitors(delay=1, timeout=1, max_retries=1, max_retries_down=1)


class Cloud:
    """A context manager. Whoever is inside, its amphora too, sees this network alone."""

    def __init__(self):
        self._namespace = NetworkNamespace()
        self._inside = None

    def __enter__(self):
        self._namespace.create()
        for address in (VIP, CLIENT, STRANGER, *NODES.values()):
            self._namespace.ip("address", "add", f"{address}/24", "dev", "lo")
        self._inside = self._namespace.entered()
        self._inside.__enter__()
        return self

    def __exit__(self, *exception):
        self._inside.__exit__(*exception)
        self._namespace.delete()


class CloudBalancer:
    """One load balancer on an amphora, said as a model."""

    def __init__(self, amphora):
        self.amphora = amphora
        self.id = str(uuid.uuid4())

    def put(self, model, query=""):
        """To the id that the model has, if it has one."""
        self.id = model.json["loadbalancer"].get("id", self.id)
        return self.amphora.api.put(
            f"/1.0/loadbalancer/{self.amphora.id}/{self.id}/model{query}", model.json)

    def apply(self, model):
        """How it was applied: "start", "runtime" …"""
        answer = self.put(model)
        assert answer.status == 200, answer
        return answer.json["applied"]

    def dry_run(self, model):
        answer = self.put(model, "?dry_run=true")
        assert answer.status == 200, answer
        return answer.json

    def workers(self):
        return self.amphora.haproxy_workers(self.id)
