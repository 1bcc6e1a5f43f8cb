# SPDX-License-Identifier: Apache-2.0
"""The agent reads its files as oslo.config does: what each makes of the same heartbeat_key shows
in the signature."""

import pytest
from oslo_config import cfg

from harness.health_manager import HealthManager

VALUES = {
    "a colon for the equals sign": ": key",
    "a hash inside": "= before#after",
    "double quotes around": '= "quoted"',
    "quotes inside": '= a"b"c',
    "one quote": '= "open',
    "blanks inside quotes": '= "  padded  "',
    "two dollars": "= cash$$only",
    "a continued line": "= first\n    second",
    "a comment behind the blank": "= key # no comment",
    "an umlaut": "= schl\u00fcssel",
    "the last of two": "= first\nheartbeat_key = second",
}


def as_oslo_reads(paths):
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.StrOpt("heartbeat_key")], group="health_manager")
    conf([], project="octavia", default_config_files=[str(path) for path in paths],
         default_config_dirs=[])
    return conf.health_manager.heartbeat_key


@pytest.mark.parametrize("what", VALUES)
def test_a_key_means_the_same_to_both(make_amphora, resources, what):
    amphora = make_amphora()
    manager = resources.enter_context(HealthManager("not known yet"))
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    text = amphora.config.text().replace(
        "heartbeat_key = insecure", f"heartbeat_key {VALUES[what]}")
    amphora.config = type("Text", (), {"text": lambda self: text})()
    amphora.write_config()
    manager.key = as_oslo_reads([amphora.config_file])
    amphora.start()
    assert manager.next_beat().message["id"] == amphora.id
    assert manager.refused == []


def test_the_last_file_of_a_sorted_directory_wins_for_both(make_amphora, resources):
    amphora = make_amphora()
    manager = resources.enter_context(HealthManager("not known yet"))
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    amphora.write_config()
    for name, key in (("20-late.conf", "late"), ("15-early.conf", "early"), ("99-not", "never")):
        (amphora.config_dir / name).write_text(f"[health_manager]\nheartbeat_key = {key}\n")
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.StrOpt("heartbeat_key")], group="health_manager")
    conf(["--config-dir", str(amphora.config_dir)], project="octavia",
         default_config_files=[str(amphora.config_file)])
    manager.key = conf.health_manager.heartbeat_key
    assert manager.key == "late"
    amphora.start()
    assert manager.next_beat().message["id"] == amphora.id
