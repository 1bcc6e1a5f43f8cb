# SPDX-License-Identifier: Apache-2.0
"""The scripts that make the image, where they must not go on: what is kept between two runs of make image
is whole, and a manifest names everything. That the image is right is tests/image/."""

import json
import os
import subprocess

import pytest

from harness.amphora import ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="images are made by root")

# Opens its output at once, as the real one does, to fail early.
MMDEBSTRAP = """\
#!/bin/sh
for word; do
	case $word in
	--include=*) echo "$word" >>"${0%/*}/includes" ;;
	*.tar.zst) : >"$word" ;;
	esac
done
echo 'E: Could not resolve deb.debian.org' >&2
exit 1
"""


@pytest.fixture
def make_image(tmp_path):
    """Runs image.sh, with no mirror to be reached; what it makes is to be in tmp_path / "image"."""
    mmdebstrap = tmp_path / "mmdebstrap"
    mmdebstrap.write_text(MMDEBSTRAP)
    mmdebstrap.chmod(0o755)

    def run(**environment):
        return subprocess.run(
            [ROOT / "image/image.sh", tmp_path / "image"], capture_output=True, text=True, timeout=300,
            check=False, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", **environment})
    return run


def test_a_debian_that_could_not_be_made_is_not_kept(make_image, tmp_path):
    done = make_image(SOURCE_DATE_EPOCH="1700000000")
    assert done.returncode == 1
    assert done.stderr.count("Could not resolve deb.debian.org") == 2
    assert len((tmp_path / "includes").read_text().splitlines()) == 2
    assert not list((tmp_path / "image").glob("*.tar.zst"))


def test_without_the_time_of_a_commit_nothing_is_begun(make_image, tmp_path):
    done = make_image(SOURCE_DATE_EPOCH="", GIT_DIR="/nonexistent")
    assert done.returncode != 0
    assert "not a git repository" in done.stderr
    assert not (tmp_path / "includes").exists()


def test_packages_may_be_listed_on_several_lines(make_image, tmp_path):
    make_image(SOURCE_DATE_EPOCH="1700000000", IMAGE_PACKAGES="tcpdump\n  less")
    base, = (line for line in (tmp_path / "includes").read_text().splitlines() if "haproxy" in line)
    assert base.rstrip(",").endswith(",tcpdump,less")


def manifest(root):
    return subprocess.run([ROOT / "image/manifest.sh", root, "bookworm"], capture_output=True, text=True,
                          timeout=300, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})


def test_a_manifest_names_every_package():
    components = json.loads(manifest("/").stdout)["components"]
    installed = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n"],
                               capture_output=True, text=True, check=True).stdout.splitlines()
    assert sorted(f"{each['name']} {each['version']}" for each in components) == sorted(installed)
    library = next(each for each in components if each["name"] == "libstdc++6")
    assert library["purl"].startswith("pkg:deb/debian/libstdc%2B%2B6@")


def test_of_a_tree_that_cannot_be_asked_there_is_no_manifest(tmp_path):
    assert manifest(tmp_path).returncode != 0
