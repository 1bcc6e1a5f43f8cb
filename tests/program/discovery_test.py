# SPDX-License-Identifier: Apache-2.0
"""What a controller asks first: version, info, details; and what is no endpoint."""

import pathlib
import re
import subprocess

import pytest

from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.web_server import WebServer


def package_version(name):
    query = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name],
                           capture_output=True, text=True, check=True)
    return query.stdout.partition(":")[2] or query.stdout


@pytest.mark.parametrize("path", ["/", "//", "///"])
def test_the_version_is_exactly_1_0_however_many_slashes_ask_for_it(amphora, path):
    answer = amphora.api.get(path)
    assert answer.status == 200
    assert answer.json == {"api_version": "1.0"}


def test_the_first_answer_of_a_starting_agent_is_the_version_and_no_404(make_amphora):
    amphora = make_amphora().start(wait=False)

    def first_answer():
        try:
            return amphora.api.get("//", timeout=5)
        except OSError:
            return None
    answer = eventually(first_answer, "the agent answers")
    assert (answer.status, answer.json) == (200, {"api_version": "1.0"})


def test_info_names_the_versions_that_a_controller_picks_features_by(amphora):
    answer = amphora.api.get("/1.0/info")
    assert answer.status == 200
    info = answer.json
    assert set(info) == {"hostname", "haproxy_version", "api_version", "keepalived_version",
                         "ipvsadm_version"}
    assert info["api_version"] == "1.0"
    assert info["hostname"] == pathlib.Path("/proc/sys/kernel/hostname").read_text().strip()
    assert info["haproxy_version"] == package_version("haproxy")
    major, minor = info["haproxy_version"].split(".")[:2]
    assert (int(major), int(minor)) >= (2, 0)


def test_empty_segments_do_not_matter_on_any_path(amphora):
    assert amphora.api.get("//1.0//info/").json == amphora.api.get("/1.0/info").json


def test_details_are_those_of_this_machine(amphora):
    answer = amphora.api.get("/1.0/details")
    assert answer.status == 200
    details = answer.json
    assert details["active"] is True
    assert details["topology"] == "SINGLE"
    assert details["topology_status"] == "OK"
    assert details["packages"] == {}
    assert details["haproxy_count"] == 0
    assert details["lvs_listener_process_count"] == 0
    assert details["listeners"] == []
    assert isinstance(details["active_tuned_profiles"], str)

    memory = details["memory"]
    assert set(memory) == {"total", "free", "buffers", "cached", "swap_used", "shared", "slab"}
    assert all(isinstance(number, int) for number in memory.values())
    total = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    assert 0 < memory["free"] <= memory["total"] <= total

    cpu = details["cpu"]
    assert set(cpu) == {"total", "user", "system", "soft_irq"}
    assert isinstance(cpu["total"], int)
    assert all(isinstance(cpu[key], str) and cpu[key].isdigit()
               for key in ("user", "system", "soft_irq"))
    assert cpu["total"] >= sum(int(cpu[key]) for key in ("user", "system", "soft_irq")) > 0
    assert details["cpu_count"] == pathlib.Path("/proc/cpuinfo").read_text().count("processor\t")

    assert set(details["disk"]) == {"used", "available"}
    assert all(isinstance(number, int) for number in details["disk"].values())
    assert [float(text) >= 0 for text in details["load"]] == [True] * 3


def test_details_count_load_balancers_that_run_and_list_their_listeners(amphora, resources):
    server = resources.enter_context(WebServer("one"))
    balancers = [LoadBalancer(amphora, [server]).serve() for _ in range(2)]
    details = amphora.api.get("/1.0/details").json
    assert details["haproxy_count"] == 2
    assert details["listeners"] == sorted(balancer.listener_id for balancer in balancers)
    assert balancers[0].act("stop").status == 202
    assert amphora.api.get("/1.0/details").json["haproxy_count"] == 1


def test_details_in_active_standby_are_asked_for_as_in_single(make_amphora):
    amphora = make_amphora()
    amphora.config.set("controller_worker", "loadbalancer_topology", "ACTIVE_STANDBY")
    assert amphora.start().api.get("/1.0/details").status == 200


@pytest.mark.parametrize("path", [
    "/0.5/info", "/1.0", "/1.0/nothing", "/1.0/info/more", "/2.0/info", "/index.html",
    "/1.0/loadbalancer", "/1.0/loadbalancer/a/b/c/d"])
def test_an_unknown_path_is_a_json_404_of_the_framework_kind(amphora, path):
    answer = amphora.api.get(path)
    assert answer.status == 404
    assert set(answer.json) == {"error", "http_code"}


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", "/", "GET"),
    ("PUT", "/1.0/info", "GET"),
    ("DELETE", "/1.0/details", "GET"),
    ("POST", "/1.0/listeners", "GET"),
    ("GET", "/1.0/config", "PUT"),
    ("GET", "/1.0/certificate", "PUT"),
    ("POST", "/1.0/loadbalancer/a/b/haproxy", "PUT"),
    ("DELETE", "/1.0/loadbalancer/b/haproxy", "GET"),
    ("POST", "/1.0/loadbalancer/b/certificates/x.pem", "PUT"),
    ("GET", "/1.0/loadbalancer/b/reload", "PUT"),
    ("PATCH", "/1.0/loadbalancer/a/b/model", "PUT"),
    ("GET", "/1.0/plug/vip/198.51.100.10", "POST"),
    ("PUT", "/1.0/plug/network", "POST"),
    ("POST", "/1.0/interface/198.51.100.10", "GET"),
    ("GET", "/1.0/interface/198.51.100.10/rules", "PUT"),
    ("GET", "/1.0/vrrp/upload", "PUT"),
    ("POST", "/1.0/vrrp/start", "PUT"),
    ("PUT", "/1.0/listeners/l/udp_listener", "GET"),
    ("GET", "/1.0/listeners/a/l/udp_listener", "PUT"),
    ("BREW", "/1.0/info", "GET")])
def test_a_wrong_method_is_a_405_that_says_which_is_right(amphora, method, path, allowed):
    answer = amphora.api.request(method, path)
    assert answer.status == 405
    assert set(answer.json) == {"error", "http_code"}
    assert allowed in [name.strip() for name in answer.headers["Allow"].split(",")]


def test_keep_alive_serves_many_requests_on_one_connection(amphora):
    with amphora.api.session() as session:
        for _ in range(50):
            assert session.request("GET", "/1.0/info").status == 200
            assert session.request("GET", "/1.0/nothing").status == 404
        port = session.connection.sock.getsockname()[1]
        session.request("GET", "//")
        assert session.connection.sock.getsockname()[1] == port


def test_the_log_has_one_line_for_each_request(amphora):
    assert amphora.api.get("/1.0/info?with=query").status == 200
    assert amphora.api.put("/1.0/info").status == 405
    lines = [line for line in amphora.log().splitlines() if " /1.0/info " in line]
    assert len(lines) == 2
    assert re.search(r"GET /1\.0/info 200 \d+ ms$", lines[0])
    assert re.search(r"PUT /1\.0/info 405 \d+ ms\b", lines[1])


def test_an_agent_bound_to_every_address_answers_on_ipv6_and_ipv4(make_amphora):
    amphora = make_amphora(bind_host="::").start()
    assert amphora.api.get("/").status == 200
    amphora.connect_host = "127.0.0.1"
    assert amphora.client().get("/").status == 200
