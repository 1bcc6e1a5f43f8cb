# SPDX-License-Identifier: Apache-2.0
"""Documentation is executed: the commands and the configuration of README.md and docs/."""

import os
import pathlib
import re
import subprocess

import pytest

from harness import certificates
from harness.amphora import BUILD, ROOT
from harness.load_balancer import LoadBalancer
from harness.plugging import VIP as PLUGGED_VIP, plugged_vip
from harness.ports import free_port
from harness.web_server import WebServer

# Where nothing is plugged, a VIP is an address of this machine.
VIP = "127.0.0.77"


def blocks(document, language):
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def block_with(document, language, word):
    found = [block for block in blocks(document, language) if word in block]
    assert len(found) == 1, f"{document}: {len(found)} blocks with {word}"
    return found[0]


def run(script, folder):
    result = subprocess.run(["sh", "-eu"], input=script, cwd=folder, capture_output=True,
                            text=True, timeout=300, check=False)
    assert result.returncode == 0, f"{script}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture
def folder(tmp_path):
    """What the reader is told to have at hand."""
    (tmp_path / "build").symlink_to(BUILD)
    for name in ("ca.pem", "server_ca.pem"):
        (tmp_path / name).write_bytes(certificates.amphora_authority().pem)
    certificates.controller_identity().write_to(tmp_path / "client.pem")
    return tmp_path


def test_the_readmes_curl_lines_work_from_the_first_to_the_last(amphora, folder):
    script = block_with("README.md", "sh", "cat > lb.json")
    script = script.replace("AMPHORA:9443", f"{amphora.id}:{amphora.port}")
    script = script.replace("/AMPHORA/", f"/{amphora.id}/").replace("10.0.0.10", VIP)
    port = free_port(VIP)
    script = script.replace('"protocol_port": 80,', f'"protocol_port": {port},')
    output = run(script, folder)
    assert '"applied":"start"' in output
    assert f"bind {VIP}:{port}" in output
    assert '"operating_status"' in output
    assert '"active_connections"' in output
    assert '"last_sent"' in output
    assert amphora.haproxy_pids() == []


def test_the_readmes_drop_in_is_a_configuration(amphora, folder):
    drop_in = folder / "drop-in"
    drop_in.mkdir()
    (drop_in / "agent.conf").write_text(block_with("README.md", "ini", "[agent]"))
    result = subprocess.run(
        [BUILD / "amphora-agent", "--config-file", amphora.config_file, "--config-dir", drop_in,
         "--check"], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert "amphora-haproxy" in result.stdout and "/run/octavia" in result.stdout


def test_the_lines_for_debugging_work(amphora, folder, resources):
    balancer = LoadBalancer(amphora, [resources.enter_context(WebServer("one"))])
    balancer.serve()
    script = block_with("docs/debugging.md", "sh", "CURL=")
    script = script.replace("AMPHORA_ID:9443:ADDRESS",
                            f"{amphora.id}:{amphora.port}:127.0.0.1")
    script = script.replace("AMPHORA_ID:9443", f"{amphora.id}:{amphora.port}")
    script = script.replace("/LB/", f"/{balancer.id}/")
    output = run(script, folder)
    assert '{"api_version":"1.0"}' in output
    assert f"Listener {balancer.id} reloaded" in output


def curl_of_the_readme():
    """What its lines call $curl."""
    line, = re.findall(r"^curl=.*$", block_with("README.md", "sh", "cat > lb.json"), re.MULTILINE)
    return line + "\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_the_readmes_lines_plug_a_vip_and_a_member_network(bed, bed_amphora, folder):
    for network, mac in (("vip", "fa:16:3e:00:00:01"), ("member", "fa:16:3e:00:00:02")):
        bed.add_nic(network, mac)
    amphora = bed_amphora.start()
    script = curl_of_the_readme() + block_with("README.md", "sh", "/1.0/plug/vip/")
    output = run(script.replace("AMPHORA:9443", f"{amphora.id}:{amphora.port}"), folder)
    assert "VIPs plugged on interface eth1: 10.0.0.10" in output
    assert "Plugged on interface eth2" in output
    assert '"interface":"eth1"' in output
    assert bed.inside.addresses("eth1") == {"10.0.0.10/32", "10.0.0.11/24"}


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_the_lines_for_debugging_the_network_work(bed, bed_amphora, folder):
    amphora = bed_amphora.start()
    mac = plugged_vip(bed, amphora, is_sriov=True)
    sources = f"--config-file {amphora.config_file} --config-dir {amphora.config_dir}"
    script = block_with("docs/debugging.md", "sh", "amphora-interface up")
    script = script.replace("amphora-haproxy", bed.inside.name)
    script = script.replace("amphora-interface up", f"build/amphora-interface {sources} up")
    script = script.replace("BASE/", f"{amphora.base_path}/")
    script = script.replace("INTERFACES/", f"{amphora.base_path}/interfaces/")
    output = run(script, folder)
    assert f"{PLUGGED_VIP}/32" in output
    assert f"{mac} eth1" in output
    assert '"if_type"' in output
    assert "table inet amphora_table" in output
    assert f"from {PLUGGED_VIP}" in output


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_the_line_for_debugging_the_network_from_afar_works(bed, bed_amphora, folder):
    amphora = bed_amphora.start()
    plugged_vip(bed, amphora)
    settings, line = (block_with("docs/debugging.md", "sh", word)
                      for word in ("CURL=", "/1.0/interface/VIP"))
    script = "".join(line + "\n" for line in settings.splitlines()
                     if line.startswith(("CURL=", "AMPHORA="))) + line.replace("VIP", PLUGGED_VIP)
    script = script.replace("AMPHORA_ID:9443:ADDRESS", f"{amphora.id}:{amphora.port}:127.0.0.1")
    script = script.replace("AMPHORA_ID:9443", f"{amphora.id}:{amphora.port}")
    assert '"interface":"eth1"' in run(script, folder)


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "docs/debugging.md"])
def test_no_link_leads_nowhere(document):
    here = (ROOT / document).parent
    for target in re.findall(r"\]\(([^)#]+)", (ROOT / document).read_text(encoding="utf-8")):
        if "://" not in target:
            assert (here / pathlib.Path(target)).exists(), target
