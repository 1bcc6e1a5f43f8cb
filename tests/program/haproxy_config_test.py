# SPDX-License-Identifier: Apache-2.0
"""PUT and GET of a haproxy.cfg: checked, stored, kept, and side by side."""

import base64
import concurrent.futures
import contextlib
import hashlib
import http.client
import re
import subprocess
import time

import pytest

from harness import haproxy, processes
from harness.eventually import eventually, stays_so
from harness.load_balancer import LoadBalancer
from harness.ports import free_port
from harness.web_server import WebServer, who_answers


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


@pytest.fixture
def server(resources):
    return resources.enter_context(WebServer("one"))


@pytest.fixture
def balancer(amphora, server):
    return LoadBalancer(amphora, [server])


class Checks:
    """A haproxy_cmd that writes down when a `-c` begins and ends, and that takes as long for it as
    the test wants."""

    def __init__(self, amphora):
        self._record = amphora.directory / "checks"
        self._record.touch()
        self._held = amphora.directory / "held"
        script = amphora.write_script("haproxy", f"""
for argument; do
    if [ "$argument" = -c ]; then
        echo begin >> {self._record}
        while [ -e {self._held} ]; do sleep 0.05; done
        /usr/sbin/haproxy "$@"
        status=$?
        echo end >> {self._record}
        exit $status
    fi
done
exec /usr/sbin/haproxy "$@"
""")
        amphora.config.set("haproxy_amphora", "haproxy_cmd", script)

    @contextlib.contextmanager
    def held(self):
        """Those that begin meanwhile do not end. The agent waits for 30 s."""
        self._held.touch()
        try:
            yield
        finally:
            self._held.unlink()

    def record(self):
        """"begin" and "end", as they came."""
        return self._record.read_text().split()

    def running(self):
        record = self.record()
        return record.count("begin") - record.count("end")

    def wait_until_running(self, count=1):
        eventually(lambda: self.running() == count, f"{count} checks run")


@pytest.fixture
def slow(make_amphora):
    """An amphora whose checks can be held up."""
    amphora = make_amphora()
    checks = Checks(amphora)
    return amphora.start(), checks


def test_an_upload_is_202_with_the_md5_of_what_was_uploaded(balancer):
    answer = balancer.upload()
    assert answer.status == 202
    assert answer.json == {"message": "OK"}
    assert answer.etag == md5(balancer.configuration())


def test_an_upload_is_stored_byte_for_byte_for_its_owner_only(amphora, balancer):
    assert balancer.upload().status == 202
    path = amphora.config_path(balancer.id)
    assert path.read_text() == balancer.configuration()
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_upload_starts_nothing(amphora, balancer):
    assert balancer.upload().status == 202
    assert amphora.haproxy_pids() == []


def test_a_stored_config_is_read_back_as_plain_text_with_its_md5(amphora, balancer):
    assert balancer.upload().status == 202
    answer = amphora.api.get(f"{balancer.path}/haproxy")
    assert answer.status == 200
    assert answer.headers.get_content_type() == "text/plain"
    assert answer.text == balancer.configuration()
    assert answer.etag == md5(balancer.configuration())


def test_an_unknown_load_balancer_is_the_404_that_a_controller_knows(amphora, lb_id):
    answer = amphora.api.get(f"/1.0/loadbalancer/{lb_id}/haproxy")
    assert answer.status == 404
    assert answer.json == {"message": "Loadbalancer Not Found",
                           "details": f"No loadbalancer with UUID: {lb_id}"}


def test_a_rejected_config_leaves_the_old_one_running_and_on_disk(amphora, balancer):
    balancer.serve()
    pids = amphora.haproxy_pids(balancer.id)
    good = balancer.configuration()
    bad = good.replace("balance roundrobin", "by-magic roundrobin")
    answer = balancer.upload(bad)
    assert answer.status == 400
    assert answer.json["message"] == "Invalid request"
    assert "by-magic" in answer.json["details"]
    assert amphora.config_path(balancer.id).read_text() == good
    failed = amphora.base_path / balancer.id / "haproxy.cfg.new-failed"
    assert failed.read_text() == bad
    assert failed.stat().st_mode & 0o777 == 0o600
    assert amphora.haproxy_pids(balancer.id) == pids
    assert balancer.who_answers() == "one"
    assert amphora.api.get(f"{balancer.path}/haproxy").etag == md5(good)


def test_a_first_config_that_is_rejected_makes_no_load_balancer(amphora, balancer):
    answer = balancer.upload("global\n    nonsense\n")
    assert answer.status == 400
    assert amphora.api.get(f"{balancer.path}/haproxy").status == 404
    assert balancer.act("reload").status == 404
    assert amphora.api.get("/1.0/listeners").json == []


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\0" * 100, b"frontend \xff\xfe\n"])
def test_what_is_no_configuration_at_all_is_400(amphora, balancer, body):
    answer = amphora.api.put(balancer.upload_path, body)
    assert answer.status == 400
    assert answer.json["message"] == "Invalid request"
    assert amphora.api.get(f"{balancer.path}/haproxy").status == 404


def test_the_check_knows_this_amphoras_peer_name(amphora, balancer):
    name = base64.b64encode(hashlib.sha1(amphora.id.encode()).digest()).decode()
    name = name.replace("+", "_").replace("/", "-").rstrip("=")
    if name.startswith("-"):
        name = "x" + name[1:]
    peers = (f"peers {balancer.id.replace('-', '')}_peers\n"
             f"    peer {name} 127.0.0.1:{free_port()}\n")
    stick = "stick-table type ip size 10k peers {}_peers".format(balancer.id.replace("-", ""))
    balancer.pool_lines = (stick, "stick on src")
    text = balancer.configuration(peers)
    answer = balancer.upload(text)
    assert answer.status == 202
    assert "Removing incomplete section" not in amphora.log()
    assert balancer.act("reload").status == 202
    assert name in haproxy.ask(balancer.socket, "show peers")


def test_two_uploads_to_one_load_balancer_are_serialised(slow, resources, server):
    amphora, checks = slow
    balancer = LoadBalancer(amphora, [server])
    texts = [balancer.configuration() + f"# number {number}\n" for number in range(2)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with checks.held():
            uploads = [pool.submit(balancer.upload, text) for text in texts]
            checks.wait_until_running()
            stays_so(lambda: checks.running() == 1, "one check at a time", 0.5)
        assert [upload.result().status for upload in uploads] == [202, 202]
    assert checks.record() == ["begin", "end", "begin", "end"]
    assert amphora.config_path(balancer.id).read_text() in texts


def test_uploads_to_two_load_balancers_run_side_by_side(slow, server):
    amphora, checks = slow
    balancers = [LoadBalancer(amphora, [server]) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with checks.held():
            uploads = [pool.submit(balancer.upload) for balancer in balancers]
            checks.wait_until_running(2)
        assert [upload.result().status for upload in uploads] == [202, 202]


def test_a_request_repeated_while_its_first_run_is_under_way_ends_well(slow, server):
    amphora, checks = slow
    balancer = LoadBalancer(amphora, [server])
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with checks.held():
            with amphora.api.session() as session, pytest.raises(TimeoutError):
                session.connection.connect()
                session.connection.sock.settimeout(0.3)
                session.request("PUT", balancer.upload_path, balancer.configuration())
            checks.wait_until_running()
            again = pool.submit(balancer.upload)
            stays_so(lambda: not again.done(), "it waits", 0.5)
        answer = again.result()
    assert answer.status == 202
    assert answer.etag == md5(balancer.configuration())
    assert amphora.config_path(balancer.id).read_text() == balancer.configuration()
    with pytest.raises(TimeoutError):
        balancer.act("reload", timeout=0.001)
    assert balancer.act("reload").status == 202
    balancer.wait_until_it_serves()
    assert balancer.master


def test_a_delete_during_a_slow_upload_waits_and_both_end_well(slow, server):
    amphora, checks = slow
    balancer = LoadBalancer(amphora, [server])
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with checks.held():
            upload = pool.submit(balancer.upload)
            checks.wait_until_running()
            delete = pool.submit(balancer.delete)
            stays_so(lambda: not delete.done(), "the delete waits", 0.5)
        assert upload.result().status == 202
        assert delete.result().status == 200
    assert amphora.api.get(f"{balancer.path}/haproxy").status == 404
    assert not (amphora.base_path / balancer.id).exists()


def test_every_get_is_answered_while_a_slow_upload_is_under_way(slow, server):
    amphora, checks = slow
    balancer = LoadBalancer(amphora, [server])
    assert balancer.upload().status == 202
    stored = balancer.configuration()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with checks.held():
            upload = pool.submit(balancer.upload, stored + "# newer\n")
            checks.wait_until_running()
            for path in ("//", "/1.0/info", "/1.0/details", "/1.0/listeners",
                         f"{balancer.path}/haproxy", f"{balancer.path}/certificates/none.pem"):
                answer = amphora.api.get(path)
                assert answer.status == (404 if path.endswith(".pem") else 200)
            assert checks.running() == 1 and not upload.done()
        assert upload.result().status == 202


def test_actions_on_another_load_balancer_do_not_wait_for_a_slow_upload(slow, server):
    amphora, checks = slow
    quick = LoadBalancer(amphora, [server]).serve()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with checks.held():
            upload = pool.submit(LoadBalancer(amphora, [server]).upload)
            checks.wait_until_running()
            assert quick.act("reload").status == 202
            assert checks.running() == 1 and not upload.done()
        assert upload.result().status == 202


# What old controllers send

def rewritten(amphora, balancer):
    return amphora.config_path(balancer.id).read_text()


def test_a_group_line_of_an_old_controller_is_dropped(amphora, balancer):
    balancer.in_global = ("group nogroup",)
    text = balancer.configuration()
    answer = balancer.upload()
    assert answer.status == 202
    assert answer.etag == md5(text)
    assert rewritten(amphora, balancer) == text.replace("    group nogroup\n", "")
    assert "group" in amphora.log()
    assert balancer.act("reload").status == 202
    balancer.wait_until_it_serves()


def test_http_use_htx_of_an_old_controller_is_dropped(amphora, balancer):
    internal = ("frontend prometheus-exporter-internal-endpoint\n"
                "    bind 127.0.0.1:{}\n    mode http\n    no log\n"
                "    option http-use-htx\n    timeout client 5s\n").format(free_port())
    text = balancer.configuration(internal)
    answer = balancer.upload(text)
    assert answer.status == 202, answer
    assert answer.etag == md5(text)
    assert rewritten(amphora, balancer) == text.replace("    option http-use-htx\n", "")
    assert "http-use-htx" in amphora.log()


def test_a_host_header_inside_httpchk_becomes_http_check_send(amphora, server):
    balancer = LoadBalancer(amphora, [server], mode="http", pool_lines=(
        r"option httpchk GET /healthz HTTP/1.1\r\nHost:\ www.example.com",
        "http-check expect rstatus 200"))
    text = balancer.configuration()
    answer = balancer.upload()
    assert answer.status == 202, answer
    assert answer.etag == md5(text)
    lines = [line.strip() for line in rewritten(amphora, balancer).splitlines()]
    assert "option httpchk GET /healthz HTTP/1.1" in lines
    assert "http-check send hdr Host www.example.com" in lines
    balancer.act("reload")
    eventually(lambda: "www.example.com" in server.check_hosts, "the check says its host")
    eventually(lambda: balancer.member_status(server) == "UP", "the member is UP")


def test_the_largest_upload_can_be_read_also_when_it_has_grown(amphora, server):
    balancer = LoadBalancer(amphora, [server], mode="http", pool_lines=(
        r"option httpchk GET /healthz HTTP/1.1\r\nHost:\ www.example.com",
        "http-check expect rstatus 200"))
    text, size = balancer.configuration(), 16 << 20
    line = "# a comment of sixty-four characters, which HAProxy has to skip\n"
    text += line * ((size - len(text)) // len(line))
    text += "\n" * (size - len(text))
    assert balancer.upload(text).status == 202
    assert len(rewritten(amphora, balancer)) > size
    answer = amphora.api.get(f"/1.0/loadbalancer/{balancer.id}/haproxy")
    assert answer.status == 200 and len(answer.body) > size
    assert [listener["uuid"] for listener in amphora.api.get("/1.0/listeners").json] == [
        balancer.listener_id]
    assert balancer.act("reload").status == 202
    assert who_answers(balancer.port) == "one"


def test_the_bare_version_of_httpchk_is_left_as_it_is(amphora, server):
    balancer = LoadBalancer(amphora, [server], mode="http", pool_lines=(
        "option httpchk GET /healthz HTTP/1.0", "http-check expect rstatus 200"))
    assert balancer.upload().status == 202
    assert rewritten(amphora, balancer) == balancer.configuration()


def test_the_haproxy_of_a_controllers_config_gets_its_group_from_the_agents_second_file(balancer):
    balancer.serve()
    worker, = balancer.workers
    nobody = int(subprocess.run(["id", "-u", "nobody"], capture_output=True).stdout)
    assert set(processes.user_of(worker)) == {nobody}
    assert 0 not in processes.groups_of(worker)


def test_a_config_whose_connection_limit_is_beyond_the_limit_of_open_files_starts(amphora, server):
    balancer = LoadBalancer(amphora, [server])
    text = balancer.configuration().replace("maxconn 2000", "maxconn 1000000")
    assert balancer.upload(text).status == 202
    answer = balancer.act("reload")
    assert answer.status == 202, answer
    balancer.wait_until_it_serves()


def test_a_large_tls_cache_does_not_make_the_check_allocate_it(make_amphora, server):
    amphora = make_amphora()
    # The cache would take several GB.
    amphora.config.set("haproxy_amphora", "haproxy_cmd", amphora.write_script(
        "haproxy", 'ulimit -v 2000000\nexec /usr/sbin/haproxy "$@"\n'))
    amphora.start()
    certificate = amphora.server_identity.write_to(amphora.directory / "site.pem")
    balancer = LoadBalancer(amphora, [server], bind_options=f"ssl crt {certificate}",
                            in_global=("tune.ssl.cachesize 40000000",))
    began = time.monotonic()
    answer = balancer.upload()
    assert answer.status == 202, answer
    assert time.monotonic() - began < 3
    assert rewritten(amphora, balancer) == balancer.configuration()


def test_a_dead_agents_half_done_upload_leaves_the_old_config(slow, server):
    amphora, checks = slow
    balancer = LoadBalancer(amphora, [server]).serve()
    good = balancer.configuration()
    with checks.held(), concurrent.futures.ThreadPoolExecutor() as pool:
        upload = pool.submit(balancer.upload, good + "# newer\n")
        checks.wait_until_running()
        amphora.kill()
        with pytest.raises((OSError, http.client.HTTPException)):
            upload.result()
    assert amphora.config_path(balancer.id).read_text() == good
    assert who_answers(balancer.port) == "one"
    amphora.start()
    answer = amphora.api.get(f"{balancer.path}/haproxy")
    assert (answer.status, answer.text) == (200, good)
    assert balancer.upload().status == 202
    leftovers = [path.name for path in (amphora.base_path / balancer.id).iterdir()
                 if re.match(r"\..*|.*\.new$", path.name)]
    assert leftovers == []
