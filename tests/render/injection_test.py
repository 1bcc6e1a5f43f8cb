# SPDX-License-Identifier: Apache-2.0
"""No string of a model breaks out of its place: whatever it holds, the model is refused with a fault
that points at it, or each daemon reads the same words as before, with this one in its place.

The daemons themselves read one of ONE_IN of these texts, of each string and with each hostile text;
which ones, AMPHORA_RENDER_SEED tells (default: 1)."""

import base64
import concurrent.futures
import copy
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess

import pytest

from harness import keepalived_text
from harness.amphora import BUILD
from harness.haproxy_text import Configuration

from render import daemons, rules, suite
from render.certificates import Certificates

HOSTILE = [
    "", " ", "a b", " if TRUE", "\n", "a\nb", "a\r\nserver x 192.0.2.1:80", "\r", "\t", "\v", "\0",
    "a\0b", "\x1b[2J", "\x7f", "\x85", "\u2028", "\"", "a\"b", "\"a\"", "'", "it's", "\\",
    "a\\", "\\n", "\\x41", "#", "a#b", " #", "%", "%[src]", "%{+Q}r", "%0a", "%%", "$HOME", "${HOME}",
    "$", "{", "}", "a{b}c", "{ path / }", "(", ")", "a(b)", ",", ";", "|", "&amp;", "<", "-", "-f",
    "--", "-i a", "!", "!x", "@", "@x y", "~SEQ(a, 1, 2) b", "include /etc/passwd", "~", "`id`", "*",
    "../../etc/passwd", "/../x", "a" * 65536, "ä", "日本", "if", "unless", "or", "TRUE", "0", "-1"]
ONE_IN = 4
FIRST = random.Random(os.environ.get("AMPHORA_RENDER_SEED") or "1").randrange(ONE_IN)
NO_TEXT = (b"a\xff\xfeb", b"\\ud800", b"a\nb", b"a\0b")

# Every key that holds a string, each with a value that stands nowhere else.
MEMBER = {"id": "member-{}", "name": "member name {}", "address": "10.0.{}.4", "protocol_port": 80,
          "monitor_address": "10.1.{}.4"}
RULES = [
    {"type": "HOST_NAME", "compare_type": "EQUAL_TO", "value": "host-value"},
    {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/path-value"},
    {"type": "PATH", "compare_type": "REGEX", "value": "regex-value"},
    {"type": "FILE_TYPE", "compare_type": "EQUAL_TO", "value": "type-value"},
    {"type": "HEADER", "compare_type": "CONTAINS", "key": "header-key", "value": "header-value"},
    {"type": "COOKIE", "compare_type": "ENDS_WITH", "key": "cookie-key", "value": "cookie-value"},
    {"type": "SSL_DN_FIELD", "compare_type": "EQUAL_TO", "key": "emailAddress", "value": "dn-value"},
    {"type": "SSL_VERIFY_RESULT", "compare_type": "EQUAL_TO", "value": "4711"},
    {"type": "SSL_CONN_HAS_CERT", "compare_type": "EQUAL_TO", "value": "True"}]


def member(number):
    return {key: value.format(number) if isinstance(value, str) else value
            for key, value in MEMBER.items()}


def pool(number, protocol="HTTP", **fields):
    return {"id": f"pool-{number}", "name": f"pool name {number}", "protocol": protocol,
            "lb_algorithm": "ROUND_ROBIN", "members": [member(number)], **fields}


def benign_model(file_name_of):
    tls_pool = pool(
        1, tls_enabled=True, tls_ciphers="ECDHE-RSA-AES256-GCM-SHA384", tls_versions=["TLSv1.2"],
        alpn_protocols=["h2"], client_certificate=file_name_of("certificate-3"),
        ca_certificate=file_name_of("ca-2"), crl=file_name_of("crl-of-ca-2"),
        session_persistence={"type": "APP_COOKIE", "cookie_name": "pool-cookie"},
        healthmonitor={"id": "monitor-1", "name": "monitor name 1", "type": "HTTPS", "delay": "7s",
                       "timeout": "3s", "max_retries": 3, "http_method": "GET",
                       "url_path": "/monitor-path", "expected_codes": "200-201",
                       "http_version": "1.1", "domain_name": "domain-name.example"})
    lvs_pool = pool(
        2, "UDP", session_persistence={"type": "SOURCE_IP", "persistence_timeout": "91s",
                                       "persistence_granularity": "255.255.255.0"},
        healthmonitor={"id": "monitor-2", "type": "HTTP", "delay": 5, "timeout": 3,
                       "max_retries": 3, "url_path": "/lvs-monitor-path", "http_version": "1.1",
                       "domain_name": "lvs-name.example"})
    policies = [
        {"id": "policy-1", "name": "policy name", "action": "REDIRECT_TO_URL", "position": 1,
         "redirect_url": "http://redirect-url.example/",
         "rules": [{"id": f"rule-{number}", **rule} for number, rule in enumerate(RULES)]},
        {"id": "policy-2", "action": "REDIRECT_PREFIX", "position": 2,
         "redirect_prefix": "http://redirect-prefix.example/x", "rules": [
             {"id": "rule-a", "type": "PATH", "compare_type": "EQUAL_TO", "value": "other-value"}]},
        {"id": "policy-3", "action": "REDIRECT_TO_POOL", "position": 3, "redirect_pool": pool(3),
         "rules": [{"id": "rule-b", "type": "PATH", "compare_type": "EQUAL_TO",
                    "value": "third-value"}]}]
    https = {"id": "listener-1", "name": "listener name 1", "protocol": "TERMINATED_HTTPS",
             "protocol_port": 443, "default_pool": tls_pool, "l7policies": policies,
             "timeout_client_data": "77s", "allowed_cidrs": ["10.7.0.0/16"],
             "insert_headers": {"X-Forwarded-For": "true"},
             "certificate": file_name_of("certificate-1"),
             "sni_certificates": [file_name_of("certificate-2")],
             "client_authentication": "OPTIONAL", "client_ca_certificate": file_name_of("ca-1"),
             "client_crl": file_name_of("crl-of-ca-1"), "tls_ciphers": "HIGH:!aNULL",
             "tls_versions": ["TLSv1.3"], "alpn_protocols": ["http/1.1"]}
    return {
        "id": "theloadbalancer", "name": "load balancer name", "project_id": "the-project",
        "vip_address": "10.9.0.10", "subnet_cidr": "10.9.0.0/24", "gateway": "10.9.0.254",
        "host_routes": [{"destination": "10.8.0.0/24", "nexthop": "10.9.0.253"}],
        "additional_vips": [{"ip_address": "10.6.0.10", "subnet_cidr": "10.6.0.0/24"}],
        "topology": "ACTIVE_STANDBY",
        "amphorae": [{"id": f"amphora-{n}", "vrrp_ip": f"10.9.0.2{n}", "vrrp_priority": 100 - n,
                      "vrrp_interface": f"eth{n}"} for n in (1, 2)],
        "vrrp": {"group_name": "vrrp-group", "virtual_router_id": 7, "auth_type": "PASS",
                 "auth_pass": "secret-7", "advert_int": 1},
        "pools": [pool(4)],
        "listeners": [https, {"id": "listener-2", "protocol": "UDP", "protocol_port": 53,
                              "default_pool": lvs_pool}]}


def strings(value, path=()):
    """(path, string) of every string in the model."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from strings(part, (*path, key))


def replaced(model, path, new):
    model = copy.deepcopy(model)
    holder = model
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return model


def render(folder, base_path, models):
    """({name: text} or None, what is said) of each model, by one call of amphoractl. A model without
    an id gets one, which stands in the texts as the benign one's."""
    folder.mkdir(parents=True)
    ids = []
    for number, model in enumerate(models):
        ids.append(model.get("id") or f"model{number:05}")
        (folder / f"{number}.json").write_text(json.dumps({**model, "id": ids[-1]}))
    run = subprocess.run(
        [BUILD / "amphoractl", "render", "--base-path", base_path, "--output", "out",
         *(f"{number}.json" for number in range(len(models)))],
        cwd=folder, capture_output=True, timeout=300, check=False)
    says = run.stderr.decode(errors="surrogateescape")
    assert run.returncode in (0, 1) and "amphoractl:" not in says, says
    made = {path.name: path for path in folder.glob("out/*")}
    answers = []
    for number, name in enumerate(ids):
        texts = {path.name: path.read_text().replace(f"model{number:05}", "theloadbalancer")
                 for path in made[name].iterdir()} if name in made else None
        answers.append((texts, "".join(line for line in says.splitlines(keepends=True)
                                       if line.startswith(f"{number}.json:"))))
    shutil.rmtree(folder)
    return answers


def meaning(name, text):
    """Its words, in its order, with the two ways of quoting undone that are not the daemon's own."""
    if name != "haproxy.cfg":
        return [block.words for block in rules.blocks(keepalived_text.parse(text))]
    configuration = Configuration(text)
    rules.values_stand_behind_two_dashes(None, configuration)
    rules.arguments_are_quoted(None, configuration)
    return [(section, found) for section, directives in configuration.sections.items()
            for found in directives]


def with_value(said, old, new):
    """What is said, with one value for the other in every word."""
    if isinstance(said, str):
        return said.replace(old, new)
    if isinstance(said, dict):
        return {with_value(name, old, new): with_value(part, old, new)
                for name, part in said.items()}
    return type(said)(with_value(part, old, new) for part in said)


def shown(path, value):
    """How a string of the model stands in the texts."""
    return value.replace("%", "%%") if path == ("project_id",) else value


def peer(value):
    """HAProxy's name for an amphora."""
    name = base64.b64encode(hashlib.sha1(value.encode()).digest(), b"_-").decode().rstrip("=")
    return "x" + name[1:] if name[0] == "-" else name


def pointer(path):
    return "".join(f"/{key}" for key in path)


def is_for_a_terminal(says):
    return any(ord(char) < 0x20 and char != "\n" or ord(char) == 0x7f for char in says)


def complaint_of(says, path):
    """What is wrong with the words of a refusal."""
    if is_for_a_terminal(says):
        return f"commands for a terminal: {says!r}"
    lines = [line for line in says.splitlines() if ": error: " in line]
    places = {line.split(": error: ")[1].split(":")[0] for line in lines}
    if not places & {pointer(path), pointer(path[:-1])}:
        return f"no fault at {pointer(path)}: {says!r}"
    return None


def failure_of(benign, path, old, new, answer, answer_without):
    texts, says = answer
    what = f"{pointer(path)} = {new[:60]!r}"
    if texts is None and new == "" and answer_without is None:
        return None  # as if nothing was said, which something else needs
    if texts is None:
        complaint = complaint_of(says, path)
        return complaint and f"{what}: {complaint}"
    try:
        said = {name: meaning(name, text) for name, text in texts.items()}
    except ValueError as error:
        return f"{what}: {error}"
    wanted = with_value(benign, old, shown(path, new))
    if path[-1] == "id" and path[0] == "amphorae":
        wanted = with_value(wanted, peer(old), peer(new))
    # An empty text means that nothing was said.
    if said != wanted and not (new == "" and said == answer_without):
        return f"{what}: means something else"
    return None


def outcome_of(number, path, old, model, folder, base_path):
    """(failures, texts for the daemons) of one string of the model, the number-th."""
    models = [replaced(model, path, new) for new in [old, None, *HOSTILE]]
    if path != ("id",):
        for made in models:
            del made["id"]
    (texts, says), (without, _), *answers = render(folder, base_path, models)
    assert texts, says
    benign = {name: meaning(name, text) for name, text in texts.items()}
    without = without and {name: meaning(name, text) for name, text in without.items()}
    found = [failure_of(benign, path, old, new, answer, without)
             for new, answer in zip(HOSTILE, answers)]
    taken = {f"{pointer(path)} = {new[:60]!r}": texts
             for at, (new, (texts, _)) in enumerate(zip(HOSTILE, answers))
             if texts and (number + at) % ONE_IN == FIRST}
    return [failure for failure in found if failure], taken


@pytest.fixture(scope="module")
def certificates():
    return Certificates()


@pytest.fixture(scope="module")
def outcome(certificates):
    """(failures, texts for the daemons, the folder they are rendered for)."""
    model = benign_model(certificates.file_name)
    with suite.temporary_folder() as name:
        folder = pathlib.Path(name)
        failures, taken = [], {}
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count() or 1) as pool:
            parts = [pool.submit(outcome_of, number, path, old, model,
                                 folder / f"part-{number}", suite.inside(folder))
                     for number, (path, old) in enumerate(strings(model))]
            for part in parts:
                failures += part.result()[0]
                taken.update(part.result()[1])
        yield failures, taken, folder


def test_no_string_breaks_out_of_its_place(outcome):
    failures, _, _ = outcome
    assert not failures, f"{len(failures)}\n" + "\n".join(failures[:50])


def is_openssls(what, complaint):
    """Which ciphers there are, each OpenSSL knows for itself: an agent hears it from `haproxy -c`."""
    return "/tls_ciphers = " in what and "unable to set SSL cipher list" in complaint


def test_the_daemons_take_what_the_model_takes(outcome, certificates):
    _, taken, folder = outcome
    check = daemons.Check(folder, certificates)
    for name in ("theloadbalancer", *filter(str.isalnum, HOSTILE)):
        check.lay_out(name[:200])
    distinct = {(name, re.sub("^# Rendered by .*", "", text)): what  # the model's digest
                for what, texts in taken.items() for name, text in texts.items()}

    def complaint_about(number, name, text, what):
        says = daemons.haproxy if name == "haproxy.cfg" else daemons.keepalived
        complaint = says(folder / f"{number}-{name}", text)
        is_told = complaint and not is_openssls(what, complaint)
        return is_told and f"{what}: {name}: {complaint[:500]}"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        checks = [threads.submit(complaint_about, number, name, text, what)
                  for number, ((name, text), what) in enumerate(distinct.items())]
        complaints = [check.result() for check in checks if check.result()]
    assert not complaints, "\n".join(complaints)
    assert len(distinct) > 100


def test_what_is_no_text_is_refused(tmp_path, certificates):
    model = benign_model(certificates.file_name)
    for path, _ in strings(model):
        document = json.dumps(replaced(model, path, "PLACE")).encode()
        for number, no_text in enumerate(NO_TEXT):
            (tmp_path / f"{number}.json").write_bytes(document.replace(b"PLACE", no_text))
        run = subprocess.run([BUILD / "amphoractl", "check", *(
            f"{number}.json" for number in range(len(NO_TEXT)))], cwd=tmp_path, capture_output=True,
            text=True, timeout=60, check=False)
        assert run.returncode == 1
        assert [line.split(":")[0] for line in run.stderr.splitlines() if ": error: " in line] == \
            [f"{number}.json" for number in range(len(NO_TEXT))], run.stderr


@pytest.mark.parametrize("key", ["\n", "a\r\nb", "\x1b[2J", "\0", "\"", "/", "~", "a" * 65536, ""],
                         ids=lambda key: repr(key[:9]))
def test_unknown_keys_are_refused_whatever_they_are(tmp_path, certificates, key):
    model = benign_model(certificates.file_name)
    holders = ((), ("listeners", 0), ("listeners", 0, "insert_headers"), ("pools", 0), ("vrrp",))
    answers = render(tmp_path / "render", "/b", [
        {**replaced(model, (*holder, key), "x"), "id": None} for holder in holders])
    for holder, (texts, says) in zip(holders, answers):
        assert texts is None, holder
        assert says.count(": error: ") == 1 and not is_for_a_terminal(says), says
