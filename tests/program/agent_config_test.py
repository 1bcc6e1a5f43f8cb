# SPDX-License-Identifier: Apache-2.0
"""PUT /1.0/config: taken up at once, or refused with the old file standing."""

import socket
import subprocess
import time

import pytest

from harness import certificates
from harness.amphora import BUILD
from harness.eventually import eventually
from harness.health_manager import HealthManager

PATH = "/1.0/config"
KEY = "the-first-key"


@pytest.fixture
def first(resources):
    return resources.enter_context(HealthManager(KEY))


@pytest.fixture
def amphora(make_amphora, first):
    amphora = make_amphora()
    amphora.config.set("health_manager", "heartbeat_key", KEY)
    amphora.config.set("health_manager", "controller_ip_port_list", first.target)
    amphora.start()
    first.next_beat()
    return amphora


def put(amphora, config):
    return amphora.api.put(PATH, config.text())


def test_a_new_file_is_202_and_replaces_the_old_one(amphora):
    config = amphora.config.copy().set("DEFAULT", "debug", "False")
    answer = put(amphora, config)
    assert answer.status == 202
    assert answer.json == {"message": "OK"}
    assert answer.etag is None
    assert amphora.config_file.read_text() == config.text()
    assert amphora.is_running()


def test_a_new_heartbeat_key_signs_the_next_heartbeats(amphora, first):
    config = amphora.config.copy().set("health_manager", "heartbeat_key", "another-key")
    assert put(amphora, config).status == 202
    first.key = "another-key"
    first.next_beat(what="a heartbeat signed with the new key")
    seen = len(first.refused)
    for _ in range(2):
        first.next_beat()
    assert len(first.refused) == seen, "the old key is still in use"


def test_new_targets_get_the_heartbeats_and_old_ones_no_more(amphora, first, resources):
    second = resources.enter_context(HealthManager(KEY))
    config = amphora.config.copy().set(
        "health_manager", "controller_ip_port_list", second.target)
    assert put(amphora, config).status == 202
    second.next_beat()
    seen = len(first.beats)
    for _ in range(2):
        second.next_beat()
    assert len(first.beats) == seen


def test_a_new_interval_is_kept(amphora, first):
    config = amphora.config.copy().set("health_manager", "heartbeat_interval", 2)
    assert put(amphora, config).status == 202
    first.next_beat()  # the phase is random: this one tells nothing yet
    seen, intervals = len(first.beats), 3  # each may be late on a busy machine
    eventually(lambda: len(first.beats) > seen + intervals, "heartbeats go on")
    one, last = first.beats[seen], first.beats[seen + intervals]
    assert (last.arrived_s - one.arrived_s) / intervals == pytest.approx(2, abs=0.7)


def test_a_sequence_of_rotations_leaves_one_sender(amphora, first):
    for number in range(4):
        config = amphora.config.copy().set("health_manager", "heartbeat_key", f"key-{number}")
        assert put(amphora, config).status == 202
    first.key = "key-3"
    first.next_beat()
    eventually(lambda: len(amphora.processes("amphora-heartbeat")) == 1, "one sender is left")


def test_the_drop_in_survives(amphora):
    assert put(amphora, amphora.config).status == 202
    drop_in = amphora.config_dir / "10-test.conf"
    assert drop_in.read_text() == amphora.drop_in.text()
    amphora.restart()


def test_a_new_authority_decides_who_gets_in_from_the_next_connection_on(amphora):
    new = certificates.Authority("a new controller CA")
    path = amphora.certificate_dir / "new_ca.pem"
    path.write_bytes(new.pem)
    newcomer = amphora.client(new.issue("octavia"))
    with pytest.raises(OSError):
        newcomer.get("/")
    config = amphora.config.copy().set("amphora_agent", "agent_server_ca", path)
    assert put(amphora, config).status == 202
    assert newcomer.get("/").status == 200
    with pytest.raises(OSError):
        amphora.api.get("/")


def test_a_new_bind_port_waits_for_a_restart_and_the_log_says_so(amphora):
    config = amphora.config.copy().set("haproxy_amphora", "bind_port", amphora.port + 1)
    assert put(amphora, config).status == 202
    assert amphora.api.get("/").status == 200
    assert any("bind_port" in line and "restart" in line for line in amphora.log().splitlines())


UNPARSABLE = {
    "a line that is no key": ("[DEFAULT]\nthis is nothing\n", "2"),
    "a key before any section": ("debug = True\n", None),
    "a section that does not end": ("[DEFAULT\ndebug = True\n", "1"),
    "a port that is no number": ("[haproxy_amphora]\nbind_port = many\n", "bind_port"),
    "a port out of range": ("[haproxy_amphora]\nbind_port = 70000\n", "bind_port"),
    "an interval of 0": ("[health_manager]\nheartbeat_interval = 0\n", "heartbeat_interval"),
    "a topology that is none": (
        "[controller_worker]\nloadbalancer_topology = TRIPLE\n", "loadbalancer_topology"),
    "a TLS version that is none": (
        "[amphora_agent]\nagent_tls_protocol = SSLv9\n", "agent_tls_protocol"),
}


@pytest.mark.parametrize("what", UNPARSABLE)
def test_an_unparsable_file_is_500_and_the_old_one_stands(amphora, first, what):
    text, named = UNPARSABLE[what]
    before = amphora.config_file.read_text()
    answer = amphora.api.put(PATH, text)
    assert answer.status == 500
    assert answer.json["message"] == "Unable to update amphora-agent configuration."
    assert isinstance(answer.json["details"], str) and answer.json["details"]
    if named:
        assert named in answer.json["details"]
    assert amphora.config_file.read_text() == before
    first.next_beat(what="heartbeats go on with the old configuration")
    assert amphora.api.get("/").status == 200


def test_an_authority_that_cannot_be_read_is_500_and_the_old_one_stands(amphora):
    before = amphora.config_file.read_text()
    config = amphora.config.copy().set("amphora_agent", "agent_server_ca", "/nowhere/ca.pem")
    answer = put(amphora, config)
    assert answer.status == 500
    assert "/nowhere/ca.pem" in answer.json["details"]
    assert amphora.config_file.read_text() == before
    assert amphora.api.get("/").status == 200


def test_unknown_sections_and_keys_are_ignored(amphora):
    config = amphora.config.copy().set("from_the_future", "flux", "1.21").set(
        "amphora_agent", "unheard_of", "yes")
    assert put(amphora, config).status == 202


def test_the_new_file_rules_after_a_crash_of_the_agent(amphora, first):
    config = amphora.config.copy().set("health_manager", "heartbeat_key", "another-key")
    assert put(amphora, config).status == 202
    amphora.kill()
    amphora.config = config
    amphora.start()
    first.key = "another-key"
    first.next_beat()


def test_a_key_that_looks_escaped_is_taken_literally_with_a_warning(amphora, first):
    config = amphora.config.copy().set("health_manager", "heartbeat_key", "salt&amp;pepper")
    assert put(amphora, config).status == 202
    first.key = "salt&amp;pepper"
    first.next_beat()
    assert any("heartbeat_key" in line and "escape" in line for line in amphora.log().splitlines())


def test_no_key_of_the_configuration_is_ever_logged(amphora, first):
    config = amphora.config.copy().set("health_manager", "heartbeat_key", "very-secret-word")
    assert put(amphora, config).status == 202
    first.key = "very-secret-word"
    first.next_beat()
    assert "very-secret-word" not in amphora.log() and KEY not in amphora.log()


# The command line

def run(*arguments):
    began = time.monotonic()
    result = subprocess.run([BUILD / "amphora-agent", *arguments],
                            capture_output=True, text=True, timeout=20)
    assert time.monotonic() - began < 10
    return result


def test_version_and_help_are_told_on_standard_output():
    result = run("--version")
    assert result.returncode == 0 and result.stdout.strip()
    result = run("--help")
    assert result.returncode == 0
    for option in ("--config-file", "--config-dir", "--check", "--version"):
        assert option in result.stdout


@pytest.mark.parametrize("arguments", [("--unheard-of",), ("stray",), ("--config-file",)])
def test_wrong_use_is_exit_status_2(arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stderr


def test_a_missing_configuration_file_is_exit_status_2_and_named():
    result = run("--config-file", "/nowhere/agent.conf")
    assert result.returncode == 2
    assert "/nowhere/agent.conf" in result.stderr


def test_check_says_what_it_would_do_and_no_secret(make_amphora):
    amphora = make_amphora()
    amphora.config.set("health_manager", "heartbeat_key", "very-secret-word")
    amphora.write_config()
    result = run("--check", "--config-file", amphora.config_file,
                 "--config-dir", amphora.config_dir)
    assert result.returncode == 0, result.stderr
    assert str(amphora.port) in result.stdout
    assert str(amphora.base_path) in result.stdout
    assert "very-secret-word" not in result.stdout + result.stderr
    assert amphora.processes() == []


def test_check_names_file_line_key_and_what_is_allowed(make_amphora):
    amphora = make_amphora()
    amphora.config.set("controller_worker", "loadbalancer_topology", "TRIPLE")
    amphora.write_config()
    result = run("--check", "--config-file", amphora.config_file,
                 "--config-dir", amphora.config_dir)
    assert result.returncode == 2
    line = amphora.config_file.read_text().splitlines().index("loadbalancer_topology = TRIPLE") + 1
    for part in (f"{amphora.config_file}:{line}", "loadbalancer_topology", "TRIPLE", "SINGLE",
                 "ACTIVE_STANDBY"):
        assert part in result.stderr


def test_a_port_that_is_taken_is_exit_status_1_and_named(make_amphora):
    amphora = make_amphora()
    amphora.write_config()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", amphora.port))
        squatter.listen()
        result = run("--config-file", amphora.config_file, "--config-dir", amphora.config_dir)
    assert result.returncode == 1
    assert str(amphora.port) in result.stderr


def test_the_log_says_why_a_configuration_was_refused(amphora):
    amphora.config.set("haproxy_amphora", "bind_port", "many")
    answer = amphora.api.put(PATH, amphora.config.text())
    assert answer.status == 500
    line, = (line for line in amphora.log().splitlines() if f"PUT {PATH} 500" in line)
    assert "bind_port" in line


@pytest.mark.parametrize("section, key, value", [
    ("haproxy_amphora", "base_cert_dir", "/nowhere"),
    ("amphora_agent", "amphora_id", "somebody-else"),
    ("amphora_agent", "user_log_facility", 3),
    ("amphora_agent", "administrative_log_facility", 4)])
def test_the_log_says_each_time_what_waits_for_a_restart(amphora, section, key, value):
    config = amphora.config.copy().set(section, key, value)
    for times in (1, 2):
        assert put(amphora, config).status == 202
        warnings = [line for line in amphora.log().splitlines()
                    if f"{key} is stored, and waits for a restart" in line]
        assert len(warnings) == times


def test_the_check_refuses_what_a_start_would(make_amphora):
    amphora = make_amphora()
    amphora.drop_in.set("agent", "user", "nobody-of-that-name")
    amphora.write_config()
    checked = subprocess.run(
        [BUILD / "amphora-agent", "--config-file", amphora.config_file,
         "--config-dir", amphora.config_dir, "--check"], capture_output=True, text=True)
    assert checked.returncode == 2
    assert "[agent] user" in checked.stderr
