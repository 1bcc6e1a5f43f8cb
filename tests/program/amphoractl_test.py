# SPDX-License-Identifier: Apache-2.0
"""amphoractl: the program in somebody's CI, and what a real HAProxy makes of its text."""

import contextlib
import json
import socketserver
import subprocess

import pytest

from harness.amphora import BUILD
from harness.background_server import BackgroundServer
from harness.eventually import eventually
from harness.haproxy_text import Configuration
from harness.ports import free_port

POOL = {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
SMALLEST = {"vip_address": "10.0.0.10", "listeners": [{
    "protocol": "TCP", "protocol_port": 80, "default_pool": {
        "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "members": [
            {"address": "10.0.1.4", "protocol_port": 8080},
            {"address": "10.0.1.5", "protocol_port": 8080}],
        "healthmonitor": {"type": "TCP", "delay": "1m", "timeout": "30s", "max_retries": 3}}}]}


@pytest.fixture
def amphoractl(tmp_path):
    def run(*arguments):
        return subprocess.run([BUILD / "amphoractl", *arguments], capture_output=True, text=True,
                              timeout=60, check=False, cwd=tmp_path)
    return run


@pytest.fixture
def render(amphoractl, tmp_path):
    def run(model, *options):
        text = model if isinstance(model, str) else json.dumps(model)
        (tmp_path / "model.json").write_text(text)
        return amphoractl("render", *options, "model.json")
    return run


def test_a_model_becomes_a_text_that_haproxy_takes(render, tmp_path):
    result = render(SMALLEST)
    assert (result.returncode, result.stderr) == (0, "")
    path = tmp_path / "haproxy.cfg"
    path.write_text(result.stdout)
    subprocess.run(["haproxy", "-c", "-q", "-f", path], check=True, timeout=60)
    assert len(Configuration(result.stdout).named("backend")) == 1


def test_faults_are_printed_like_a_compilers(render):
    result = render({"vip_address": "10.0.0.10", "listeners": [
        {"protocol": "TCP", "protocol_port": 0, "wieght": 1}]})
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "model.json:1:81: error: /listeners/0/protocol_port: must be at least 1",
        "model.json:1:94: error: /listeners/0/wieght: is no key of this object"]


def test_a_warning_does_not_keep_the_text_back(render):
    model = json.loads(json.dumps(SMALLEST))
    model["listeners"][0]["default_pool"]["healthmonitor"]["delay"] = 1
    result = render(model)
    assert result.returncode == 0
    assert result.stderr.startswith("model.json:1:")
    assert ": warning: /listeners/0/default_pool/healthmonitor/timeout: " in result.stderr
    assert "timeout check 30s" in result.stdout


def test_a_model_cannot_send_commands_to_the_terminal(render):
    result = render('{"vip_address": "10.0.0.10", "\\u001b[2J": 1}')
    assert "\x1b" not in result.stderr
    assert "model.json:1:43: error: /?[2J: is no key of this object" in result.stderr


def test_options_name_the_load_balancer_and_its_places(render, tmp_path):
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "haproxy.cfg.mustache").write_text("{{stats_socket}} {{server_state_file}}\n")
    result = render(SMALLEST, "--id", "mine", "--base-path", "/b", "--template-dir", templates)
    assert result.stdout.splitlines()[1:] == ["/b/mine.sock /b/mine/servers-state"]
    assert render(SMALLEST, "--id", "../x").returncode == 1


@pytest.mark.parametrize("arguments", [
    [], ["render"], ["render", "a", "b"], ["render", "--unknown", "a"], ["nonsense"], ["check"],
    ["check", "--lvs", "l", "a"], ["check", "--output", "d", "a"], ["--help", "x"],
    ["render", "--lvs", "l", "--vrrp", "a", "a"], ["render", "--lvs", "l", "--output", "d", "a"],
    ["render", "--output", "d", "--id", "i", "a", "b"], ["check", "--id", "i", "a", "b"]])
def test_wrong_use_is_status_2(amphoractl, arguments):
    result = amphoractl(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "usage: amphoractl" in result.stderr


def test_help_and_version_are_asked_for(amphoractl):
    assert amphoractl("--help").stdout.startswith("usage: amphoractl")
    assert amphoractl("--version").stdout.startswith("amphoractl ")


def test_a_missing_file_is_said(amphoractl):
    result = amphoractl("render", "none.json")
    assert result.returncode == 1
    assert "none.json" in result.stderr


PAIR = {
    "id": "lb", "vip_address": "10.0.0.10", "subnet_cidr": "10.0.0.0/24", "topology":
    "ACTIVE_STANDBY", "vrrp": {"auth_pass": "geheim"}, "amphorae": [
        {"id": "first", "vrrp_ip": "10.0.0.11"}, {"id": "second", "vrrp_ip": "10.0.0.12"}],
    "listeners": [
        {"id": "dns", "protocol": "UDP", "protocol_port": 53, "default_pool": {
            "protocol": "UDP", "lb_algorithm": "ROUND_ROBIN",
            "members": [{"address": "10.0.1.4", "protocol_port": 53}]}},
        {"id": "web", "protocol": "TCP", "protocol_port": 80}]}


def test_check_says_nothing_of_a_model_that_is_fine(amphoractl, tmp_path):
    (tmp_path / "model.json").write_text(json.dumps(SMALLEST))
    result = amphoractl("check", "model.json")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_check_points_at_the_line_and_column(amphoractl, tmp_path):
    (tmp_path / "model.json").write_text("""{
  "vip_address": "10.0.0.10",
  "listeners": [
    {"protocol": "TCP", "protocol_port": 80, "default_pool":
      {"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "healthmonitor":
        {"type": "TCP", "delay": 1, "timeout": 5}}},
    {"protocol": "ÄÖÜ", "protocol_port": 99999}
  ]
}
""")
    result = amphoractl("check", "model.json")
    assert result.returncode == 1
    pool = "/listeners/0/default_pool"
    assert result.stderr.splitlines() == [
        f"model.json:6:9: error: {pool}/healthmonitor/max_retries: is required",
        f"model.json:6:48: warning: {pool}/healthmonitor/timeout: is longer than delay: a check "
        "may still be under way when the next is due",
        "model.json:7:18: error: /listeners/1/protocol: must be one of HTTP, HTTPS, TCP, "
        "TERMINATED_HTTPS, PROMETHEUS, UDP, SCTP",
        "model.json:7:42: error: /listeners/1/protocol_port: must be at most 65535"]


def test_a_mistake_in_the_json_has_its_line(amphoractl, tmp_path):
    (tmp_path / "model.json").write_text('{\n "vip_address": "10.0.0.10",\n}\n')
    result = amphoractl("check", "model.json")
    assert result.returncode == 1
    assert result.stderr.startswith("model.json:3:1: error: the model is not JSON: ")


def test_every_file_is_checked(amphoractl, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text(json.dumps(SMALLEST))
    (tmp_path / "c.json").write_text("[]")
    result = amphoractl("check", "a.json", "b.json", "none.json", "c.json")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "a.json:1:1: error: /vip_address: is required",
        "amphoractl: opening none.json: No such file or directory",
        "c.json:1:1: error: the model must be an object"]
    assert amphoractl("check", "b.json", "b.json").returncode == 0


@pytest.mark.parametrize("file", ["-", "/dev/stdin"])
def test_a_model_may_come_through_a_pipe(tmp_path, file):
    def run(text):
        return subprocess.run([BUILD / "amphoractl", "render", file], input=text, text=True,
                              capture_output=True, timeout=60, check=False, cwd=tmp_path)
    assert "frontend" in run(json.dumps(SMALLEST) + " " * 200000).stdout
    name = "<stdin>" if file == "-" else file
    assert run("{}").stderr == f"{name}:1:1: error: /vip_address: is required\n"


def test_what_is_no_file_is_said(amphoractl, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "large.json").write_bytes(b" " * (16 * 1024 * 1024 + 1))
    assert amphoractl("check", "folder").stderr == "amphoractl: reading folder: Is a directory\n"
    assert "larger than" in amphoractl("check", "large.json").stderr


def test_keepalived_texts_are_rendered_by_id(render):
    lvs = render(PAIR, "--lvs", "dns", "--base-path", "/b", "--network-namespace", "")
    assert (lvs.returncode, lvs.stderr) == (0, "")
    assert "virtual_server" in lvs.stdout and "net_namespace" not in lvs.stdout
    assert "net_namespace amphora-haproxy" in render(PAIR, "--lvs", "dns").stdout
    vrrp = render(PAIR, "--vrrp", "second", "--base-path", "/b")
    assert (vrrp.returncode, vrrp.stderr) == (0, "")
    assert "unicast_src_ip 10.0.0.12" in vrrp.stdout
    assert "/b/vrrp/check_script.sh" in vrrp.stdout
    assert render(PAIR, "--lvs", "web").stderr == (
        "amphoractl: load balancer lb has no UDP or SCTP listener with the id 'web' for --lvs\n")
    assert render(PAIR, "--vrrp", "third").returncode == 1


def test_output_holds_all_that_a_load_balancer_leads_to(amphoractl, render, tmp_path):
    (tmp_path / "other.json").write_text(json.dumps(dict(SMALLEST, id="other")))
    (tmp_path / "idle.json").write_text(json.dumps({"id": "idle", "vip_address": "10.0.0.1"}))
    (tmp_path / "model.json").write_text(json.dumps(PAIR))
    result = amphoractl("render", "--output", "out", "model.json", "other.json", "idle.json")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "out/lb/haproxy.cfg", "out/lb/keepalived-lvs-dns.conf",
        "out/lb/keepalived-vrrp-first.conf", "out/lb/keepalived-vrrp-second.conf",
        "out/other/haproxy.cfg"]
    texts = {path.name: path for path in (tmp_path / "out/lb").iterdir()}
    assert texts["haproxy.cfg"].read_text() == render(PAIR).stdout
    assert texts["keepalived-lvs-dns.conf"].read_text() == render(PAIR, "--lvs", "dns").stdout
    vrrp = texts["keepalived-vrrp-first.conf"]
    assert vrrp.read_text() == render(PAIR, "--vrrp", "first").stdout
    assert vrrp.stat().st_mode & 0o777 == 0o600


def test_one_bad_file_does_not_keep_the_others_back(amphoractl, tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    (tmp_path / "good.json").write_text(json.dumps(dict(SMALLEST, id="good")))
    result = amphoractl("render", "--output", "out", "bad.json", "good.json")
    assert (result.returncode, result.stdout) == (1, "out/good/haproxy.cfg\n")


class CheckedServer(BackgroundServer):
    """A member that remembers the first lines of the requests it gets, byte for byte. Not those of
    checks that were given up before they were sent: those are asked again."""

    def __init__(self):
        self.lines, self.port = set(), free_port()
        super().__init__()

    def make_server(self):
        lines = self.lines

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    line = self.rfile.readline()
                    if line.endswith(b"\n"):
                        lines.add(line)
                    self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128  # all are checked at once

        return Server(("127.0.0.1", self.port), Handler)


HOSTILE_PATHS = [
    "/" + "".join(chr(code) for code in range(0x21, 0x7f) if chr(code) not in "#%"),
    "/%20%22", '/"', "/'", '/"\'"', "/\\", "/\\\\", "/\\n", "/\\x41", "/\\\"", "/$HOME",
    "/${HOME}", "/\"${HOME}\"", "/{{x}}{{{x}}}", "/}", "/ä/☃", "/a?b=1&c;d", "/%5Bsrc%5D"]


def test_every_path_reaches_the_member_as_it_was_written(render, tmp_path):
    with CheckedServer() as server:
        model = {"vip_address": "127.0.0.1", "project_id": '%[src] "\\$x\' ', "listeners": [{
            "protocol": "HTTP", "protocol_port": free_port(), "connection_limit": 10,
            "default_pool": dict(
                POOL, members=[{"address": "127.0.0.1", "protocol_port": server.port}],
                healthmonitor={"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1,
                               "url_path": path})} for path in HOSTILE_PATHS]}
        result = render(model, "--id", "lb", "--base-path", tmp_path)
        assert result.returncode == 0, result.stderr
        (tmp_path / "haproxy.cfg").write_text(result.stdout)
        haproxy = subprocess.Popen(["haproxy", "-db", "-f", tmp_path / "haproxy.cfg"])
        try:
            wanted = {f"GET {path} HTTP/1.0\r\n".encode() for path in HOSTILE_PATHS}
            eventually(lambda: len(server.lines) >= len(wanted), "every path was checked")
            assert server.lines == wanted
        finally:
            haproxy.terminate()
            haproxy.wait(30)


@pytest.mark.parametrize("member_count", [1, 500])
def test_a_text_that_cannot_be_written_is_a_failure(render, tmp_path, member_count):
    members = [{"address": "10.0.0.1", "protocol_port": port + 1} for port in range(member_count)]
    render({"vip_address": "10.0.0.10", "listeners": [{
        "protocol": "TCP", "protocol_port": 80,
        "default_pool": {"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "members": members}}]})
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run([BUILD / "amphoractl", "render", "model.json"], stdout=full,
                                stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 1
    assert "No space left on device" in result.stderr
