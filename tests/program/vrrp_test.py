# SPDX-License-Identifier: Apache-2.0
"""PUT vrrp/upload, start, stop, reload, with a real keepalived in a namespace of the test's own."""

import hashlib
import os
import signal
import stat
import subprocess
import time

import pytest

from harness import haproxy, processes, vrrp
from harness.amphora import wait_for_end
from harness.eventually import eventually, stays_so
from harness.health_manager import HealthManager
from harness.load_balancer import LoadBalancer
from harness.network_namespace import NetworkNamespace, inode_of
from harness.ports import free_port
from harness.web_server import WebServer

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
VIP, SOURCE, PEER = "198.51.100.13", "198.51.100.15", "198.51.100.16"


@pytest.fixture
def namespace(resources):
    namespace = resources.enter_context(NetworkNamespace())
    namespace.add_interface("eth1", f"{SOURCE}/24")
    return namespace


@pytest.fixture
def amphora(make_amphora, namespace):
    amphora = make_amphora(network_namespace=namespace.name).start()
    amphora.wait_until_ready()  # until then it starts what is installed, however recently
    return amphora


@pytest.fixture
def pair(amphora, namespace):
    return HalfPair(amphora, namespace)


class HalfPair:
    """One amphora of a pair whose other half is dead: it takes the VIP when it may."""

    def __init__(self, amphora, namespace):
        self.amphora = amphora
        self.namespace = namespace
        self.config = vrrp.configuration(amphora, VIP, SOURCE, PEER)
        self.folder = amphora.base_path / "vrrp"
        self.installed = self.folder / "octavia-keepalived.conf"
        self.script = self.folder / "check_script.sh"

    def upload(self, text=None):
        return self.amphora.api.put("/1.0/vrrp/upload", self.config if text is None else text)

    def act(self, action):
        return self.amphora.api.put(f"/1.0/vrrp/{action}")

    def keepalived(self):
        """The pid of the main process, 0 when none runs."""
        pids = [pid for pid in self.amphora.processes("keepalived")
                if processes.leads_session(pid)]
        assert len(pids) <= 1, f"several keepalived: {pids}"
        return pids[0] if pids else 0

    def has_vip(self):
        shown = subprocess.run(["ip", "-n", self.namespace.name, "address", "show", "dev", "eth1"],
                               capture_output=True, text=True, check=True).stdout
        return f" {VIP}/32 " in shown

    def check(self):
        """Whether the check script is content, as keepalived would run it."""
        return subprocess.run([self.script], timeout=30, check=False).returncode == 0


def serve_something(amphora):
    """A load balancer that answers on its stats socket."""
    balancer = LoadBalancer(amphora)
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    return balancer


# Upload

def test_an_upload_is_installed_with_its_md5_and_starts_nothing(pair):
    answer = pair.upload()
    assert answer.status == 200
    assert answer.json == {"message": "OK"}
    assert answer.etag == hashlib.md5(pair.config.encode()).hexdigest()
    assert pair.installed.read_text() == pair.config
    assert pair.keepalived() == 0


def without(line):
    return lambda config: config.replace(line, "", 1)


@pytest.mark.parametrize("spoil, words", [
    (lambda config: "", "vrrp_instance"),
    (lambda config: "hello\nworld {\n", "vrrp_instance"),
    (lambda config: config[:len(config) // 2], "missing '}'"),
    (lambda config: config[:config.index("vrrp_instance")], "vrrp_instance"),
    (without("    interface eth1\n"), "Unknown interface!"),
    (without("    virtual_router_id 1\n"), "the virtual router id must be set"),
])
def test_what_keepalived_cannot_run_with_is_a_400_in_its_words(pair, spoil, words):
    assert pair.upload().status == 200
    answer = pair.upload(spoil(pair.config))
    assert answer.status == 400
    assert answer.json["message"] == "Invalid request"
    assert words in answer.json["details"]
    assert pair.installed.read_text() == pair.config
    assert sorted(path.name for path in pair.folder.iterdir()) == [
        "check_script.sh", "octavia-keepalived.conf"]


def test_a_refused_first_upload_leaves_nothing(pair):
    assert pair.upload("hello").status == 400
    assert not pair.installed.exists()


def test_an_old_controllers_state_line_is_no_fault(pair):
    pair.config = pair.config.replace("    interface", "    state MASTER\n    interface")
    assert pair.upload().status == 200


# Actions

def test_a_start_brings_keepalived_into_the_namespace_and_a_stop_ends_it(pair, namespace):
    serve_something(pair.amphora)
    assert pair.upload().status == 200
    answer = pair.act("start")
    assert answer.status == 202
    assert answer.json == {"message": "OK", "details": "keepalived started"}
    assert inode_of(pair.keepalived()) == namespace.inode()
    eventually(pair.has_vip, "keepalived takes the VIP")
    answer = pair.act("stop")
    assert answer.status == 202
    assert answer.json["message"] == "OK"
    assert pair.keepalived() == 0
    assert not pair.has_vip()


def test_a_start_of_what_runs_takes_up_the_new_config_without_giving_the_vip_up(pair):
    serve_something(pair.amphora)
    pair.upload()
    pair.act("start")
    pid = pair.keepalived()
    eventually(pair.has_vip, "keepalived takes the VIP")
    pair.config = pair.config.replace("priority 100\n", "priority 90\n", 1)
    assert pair.upload().status == 200
    answer = pair.act("START")
    assert answer.status == 202
    assert answer.json["details"] == "keepalived reloaded"
    assert pair.keepalived() == pid
    stays_so(pair.has_vip, "keepalived keeps the VIP", 1)


def test_a_reload_of_what_does_not_run_starts_it(pair):
    pair.upload()
    assert pair.act("reload").status == 202
    assert pair.keepalived()


def test_an_unknown_action_is_a_400(pair):
    answer = pair.act("explode")
    assert answer.status == 400
    assert answer.json == {"message": "Invalid Request", "details": "Unknown action: explode"}


def test_without_an_upload_a_start_is_a_500_and_a_stop_is_nothing(pair):
    answer = pair.act("start")
    assert answer.status == 500
    assert answer.json["message"] == "Failed to start octavia-keepalived service"
    assert "upload" in answer.json["details"]
    assert pair.act("stop").status == 202


def test_a_start_without_the_interface_is_a_500_in_keepaliveds_words(pair, namespace):
    assert pair.upload().status == 200
    namespace.ip("link", "delete", "eth1")
    answer = pair.act("start")
    assert answer.status == 500
    assert answer.json["message"] == "Failed to start octavia-keepalived service"
    assert "interface eth1" in answer.json["details"]


# Over restarts

def test_keepalived_outlives_the_agent_which_finds_it_again(pair):
    pair.upload()
    pair.act("start")
    pid = pair.keepalived()
    pair.amphora.kill()
    assert processes.is_alive(pid)
    pair.amphora.start()
    answer = pair.act("reload")
    assert answer.json["details"] == "keepalived reloaded"
    assert pair.keepalived() == pid


def test_after_a_reboot_it_runs_again_and_holds_the_vip(pair):
    serve_something(pair.amphora)
    pair.upload()
    pair.act("start")
    pair.amphora.kill()
    processes.end_all_mentioning(str(pair.amphora.directory))
    pair.amphora.start()
    eventually(pair.keepalived, "keepalived runs again")
    eventually(pair.has_vip, "keepalived takes the VIP")


def test_what_was_stopped_is_not_started_by_the_next_agent(pair):
    pair.upload()
    pair.act("start")
    pair.act("stop")
    pair.amphora.restart()
    pair.amphora.wait_until_ready()
    stays_so(lambda: not pair.keepalived(), "keepalived is not started", 1)
    assert pair.act("start").status == 202
    pair.amphora.kill()
    wait_for_end(pair.amphora.pid)
    pair.amphora.start()
    assert pair.keepalived()


@pytest.mark.parametrize("victim", ["main process", "VRRP process", "both"])
def test_a_killed_one_is_back_at_once_and_clears_the_vip_that_it_left(pair, victim):
    serve_something(pair.amphora)
    pair.upload()
    pair.act("start")
    eventually(pair.has_vip, "keepalived takes the VIP")
    before = pair.keepalived()
    children = [pid for pid in pair.amphora.processes("keepalived") if pid != before]
    killed_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    processes.kill_each({"main process": [before], "VRRP process": children,
                         "both": [before, *children]}[victim])
    # It is away for three seconds and more, as long as another one would be waited for.
    eventually(lambda: not pair.has_vip(), "the VIP is cleared", pause_s=0.005)
    after = eventually(pair.keepalived, "keepalived runs again")
    assert processes.started_s(after) - killed_s < 2
    assert (after == before) == (victim == "VRRP process")
    # Nobody else claims it.
    eventually(pair.has_vip, "keepalived takes the VIP again")


# Heartbeats

def test_heartbeats_cease_while_keepalived_ought_to_run_and_does_not(make_amphora, namespace,
                                                                   resources):
    manager = resources.enter_context(HealthManager("key"))
    amphora = make_amphora(network_namespace=namespace.name)
    amphora.config.set("health_manager", "heartbeat_key", "key")
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    pair = HalfPair(amphora.start(), namespace)
    manager.next_beat(lambda beat: True, "a heartbeat before there is any VRRP")
    pair.upload()
    pair.act("start")
    manager.next_beat(lambda beat: True, "a heartbeat while keepalived runs")
    pair.act("stop")
    eventually(lambda: "no heartbeat is sent" in amphora.log(), "the sender says why it is silent")
    pair.act("start")
    manager.next_beat(lambda beat: True, "a heartbeat while keepalived runs again")


# The check script

def test_the_check_fails_before_there_is_anything_to_serve(pair):
    pair.upload()
    assert stat.S_IMODE(pair.script.stat().st_mode) == 0o755
    assert not pair.check()


def test_keepalived_takes_no_vip_before_there_is_anything_to_serve(pair):
    pair.upload()
    pair.act("start")
    stays_so(lambda: not pair.has_vip(), "keepalived takes no VIP", 5)
    serve_something(pair.amphora)
    eventually(pair.has_vip, "keepalived takes the VIP", 60)


def test_the_check_follows_what_is_started_stopped_and_deleted(pair):
    pair.upload()
    one = serve_something(pair.amphora)
    assert pair.check()
    two = serve_something(pair.amphora)
    assert pair.check()
    for pid in pair.amphora.haproxy_pids(two.id):
        os.kill(pid, signal.SIGSTOP)
    assert not pair.check()
    for pid in pair.amphora.haproxy_pids(two.id):
        os.kill(pid, signal.SIGCONT)
    assert pair.check()
    assert two.act("stop").status == 202
    assert pair.check()
    assert one.delete().status == 200
    assert not pair.check()
    assert two.act("start").status == 202
    assert pair.check()


def test_the_check_is_right_again_after_a_start_of_the_agent(pair):
    pair.upload()
    serve_something(pair.amphora)
    pair.amphora.stop()
    pair.script.unlink()
    pair.amphora.start()
    eventually(pair.script.exists, "the script is back")
    assert pair.check()


def test_a_model_is_checked_too(pair, resources):
    server = resources.enter_context(WebServer("one"))
    path = f"/1.0/loadbalancer/{pair.amphora.id}/web/model"
    pair.upload()
    answer = pair.amphora.api.put(path, model([{
        "protocol": "TCP", "protocol_port": free_port(), "default_pool": {
            "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
            "members": [{"address": server.address, "protocol_port": server.port}]}}]))
    assert answer.status == 200, answer
    assert pair.check()
    assert haproxy.ask(pair.amphora.stats_socket("web"), "show info")
    answer = pair.amphora.api.put(path, model([]))
    assert answer.status == 200, answer
    assert not pair.check()


def model(listeners):
    return {"vip_address": "127.0.0.1", "listeners": listeners}
