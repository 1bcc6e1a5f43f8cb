# SPDX-License-Identifier: Apache-2.0
#
#   make            build every program into build/
#   make deps       install what building and testing need (Debian, as root)
#   make demo       run the main job on real processes and traffic (as root)
#   make test       unit, program, interop and render tests; ends with a count line (as root)
#   make test-render what is rendered of random models beside what Octavia renders (as root);
#                   SUITE=trixie: Octavia, HAProxy and keepalived of Debian trixie, in a chroot
#   make test-guest what needs another kernel (IPVS), in a virtual machine with Debian's (as root)
#   make test-image boot the image and drive it: plugging, traffic, UDP, reboots, power cuts, failover (as root)
#   make bench      measure; VS=reference measures the Python agent beside it
#   make deb        a Debian package in build/deb, for the suite that this is (test-deb: try it; both as root)
#   make test-element diskimage-builder makes trees of this suite with the element for Octavia's images (as root)
#   make image      build/image/amphora-ARCH.qcow2, which boots as an amphora (as root); IMAGE_SUITE=bookworm
#   make image-sizes what is in it by size; VS=reference: beside the same Debian with the Python agent
#   make test-image-reproducible build it twice, in unlike surroundings: the same bytes? FRESH=1: of new downloads
#   make install    DESTDIR= prefix=/usr sysconfdir=/etc
#   make check-layers check-format format clean
#
# V=1 shows the commands; SAN=1 builds and tests with ASan and UBSan in a folder of its own.

prefix ?= /usr
sysconfdir ?= /etc
DESTDIR ?=
PYTHON ?= /usr/bin/python3

ifeq ($(SAN),1)
build := build/san
san_flags := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
build := build
endif
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '%-6s %s\n' $(1) $(2))

CC ?= gcc
CFLAGS ?= -O2 -g
warnings := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Werror
hardening := -fstack-protector-strong -fPIE -fcf-protection
ifneq ($(SAN),1)
hardening += -D_FORTIFY_SOURCE=2
endif
cflags := -std=gnu11 -D_GNU_SOURCE -Iagent -isystem /usr/include/libnl3 -include agent/base/poison.h -MMD -MP -pthread \
	$(warnings) $(hardening) $(san_flags) $(CFLAGS)
ldflags := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(san_flags) $(LDFLAGS)

version := $(shell cat agent/VERSION)
cflags += -DAMPHORA_AGENT_VERSION='"$(version)"'

# One library of modules (agent/FOLDER/*.c), linked into each program; each main is in agent/bin.
# --as-needed keeps a library out of the programs that do not call it.
folders := base sys conf model render traffic haproxy keepalived lvs net deploy drive prometheus heartbeat api console
module_sources := $(sort $(foreach folder,$(folders),$(wildcard agent/$(folder)/*.c)))
module_objects := $(module_sources:agent/%.c=$(build)/obj/%.o)
modules := $(build)/libamphora.a
units := $(sort $(wildcard systemd/*.service systemd/*.service.d/*.conf))
programs := $(patsubst agent/bin/%.c,%,$(sort $(wildcard agent/bin/*.c)))
libraries := -lmicrohttpd -lgnutls -lnettle -ljansson -lz -lsystemd -lnl-genl-3 -lnl-3 -lnftables

.PHONY: all deps deps-build deps-demo demo test test-guest test-image test-image-reproducible test-render test-deb test-element bench \
	deb image image-sizes install clean format check-format check-layers unit test-programs
all: $(programs:%=$(build)/%)

packages_build := gcc libc6-dev libmicrohttpd-dev libgnutls28-dev nettle-dev libjansson-dev zlib1g-dev \
	libnl-3-dev libnl-genl-3-dev libnftables-dev libsystemd-dev
packages_demo := haproxy keepalived curl openssl iproute2 procps python3
packages_test := dbus-daemon dnsmasq-base dosfstools genisoimage git isc-dhcp-client libcmocka-dev mtools nftables \
	nghttp2-server python3-dbus python3-gi python3-octavia python3-pytest strace systemd
packages_guest := qemu-system-x86 busybox kmod ipvsadm
packages_test_image := qemu-system-x86 ovmf
packages_deb := build-essential debhelper git
packages_image := mmdebstrap qemu-utils grub-pc-bin grub-efi-amd64-bin grub-common mtools dosfstools e2fsprogs fdisk git zstd
packages_element := mmdebstrap python3-diskimage-builder sudo
packages_trixie := python3-octavia haproxy keepalived
deps-build:
	$(Q)tests/install_packages.sh $(packages_build)
deps-demo: deps-build
	$(Q)tests/install_packages.sh $(packages_demo)
deps: deps-demo
	$(Q)tests/install_packages.sh $(packages_test)

$(build)/obj/%.o: agent/%.c Makefile agent/VERSION
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(cflags) -c -o $@ $<

$(modules): $(module_objects)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(programs:%=$(build)/%): $(build)/%: $(build)/obj/bin/%.o $(modules)
	$(call say,LD,$@)
	$(Q)$(CC) $(ldflags) -o $@ $< $(modules) $(libraries)

# Unit tests: tests/unit/NAME_test.c, one cmocka program each, for the module of that NAME.
unit_tests := $(patsubst tests/unit/%.c,$(build)/unit/%,$(sort $(wildcard tests/unit/*_test.c)))

$(build)/unit/%: tests/unit/%.c $(modules) Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(cflags) -Itests/unit -DSHARED_TESTS='"tests"' $(ldflags) -o $@ $< \
		$(modules) -lcmocka $(libraries)

unit: $(unit_tests)
	$(Q)failed=0; for t in $(unit_tests); do $$t || failed=1; done; exit $$failed

# Fuzz targets: tests/fuzz/NAME_fuzz.c. Here each replays its corpus (tests/fuzz/corpus/NAME/) as an
# ordinary test; tests/fuzz/README.md tells how to run them under libFuzzer.
fuzz_tests := $(patsubst tests/fuzz/%.c,$(build)/fuzz/%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))

$(build)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(modules) Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(cflags) $(ldflags) -o $@ $< tests/fuzz/replay.c \
		$(modules) $(libraries)

# Programs that the Python tests run: tests/program/NAME.c.
program_helpers := $(patsubst tests/program/%.c,$(build)/tests/%,$(sort $(wildcard tests/program/*.c)))

$(build)/tests/%: tests/program/%.c $(modules) Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(cflags) $(ldflags) -o $@ $< $(modules) $(libraries)

$(build)/bench/tls_client: tests/bench/tls_client.c $(modules) Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(cflags) $(ldflags) -o $@ $< $(modules) -lgnutls

test-programs: all $(unit_tests) $(fuzz_tests) $(program_helpers)

# Everything, from nothing. SUITE=unit, program, interop or render runs a part; SAN=1 under sanitizers.
test: deps
	$(Q)$(MAKE) --no-print-directory -j2 test-programs check-layers
	$(Q)AMPHORA_BUILD=$(build) $(PYTHON) tests/run.py

test-guest: deps
	$(Q)tests/install_packages.sh $(packages_guest)
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)AMPHORA_BUILD=$(build) $(PYTHON) tests/guest/guest.py $(PYTHON) -B -m pytest -q tests/guest

# In what `make image` made, or AMPHORA_IMAGE.
test-image: deps image
	$(Q)tests/install_packages.sh $(packages_test_image)
	$(Q)SUITE=image AMPHORA_BUILD=$(build) $(PYTHON) tests/run.py

# AMPHORA_RENDER_COUNT random load balancers (2,000), made from AMPHORA_RENDER_SEED.
render_root := $(if $(filter trixie,$(SUITE)),build/trixie)
test-render: deps $(render_root)
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)SUITE=render AMPHORA_BUILD=$(build) AMPHORA_RENDER_ROOT=$(abspath $(render_root)) \
		$(PYTHON) tests/run.py

comma := ,
build/trixie:
	$(Q)tests/install_packages.sh mmdebstrap
	$(Q)mkdir -p build && rm -rf $@.new && mmdebstrap --quiet --mode=root --variant=minbase \
		--aptopt='APT::Install-Recommends "false"' --aptopt='APT::Sandbox::User "root"' \
		--include=$(subst $() ,$(comma),$(packages_trixie)) trixie $@.new && mv $@.new $@

demo: deps-demo
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)AMPHORA_BUILD=$(build) tests/demo/demo

bench: deps
	$(Q)$(MAKE) --no-print-directory -j2 all $(build)/bench/tls_client
	$(Q)AMPHORA_BUILD=$(build) $(PYTHON) tests/bench/bench.py $(if $(VS),--vs $(VS))

deb: deps-build
	$(Q)tests/install_packages.sh $(packages_deb)
	$(Q)image/deb.sh build/deb

test-deb: deb
	$(Q)tests/install_packages.sh lintian mmdebstrap
	$(Q)for package in build/deb/amphora-agent_*.deb; do image/deb_test.sh $$package || exit 1; done

test-element: deb
	$(Q)tests/install_packages.sh $(packages_element)
	$(Q)image/element_test.sh build/deb/amphora-agent_*.deb

image:
	$(Q)tests/install_packages.sh $(packages_image)
	$(Q)image/image.sh build/image

# The Debian below the agent, and the same with the other agent.
image_suite := $(or $(IMAGE_SUITE),trixie)
debian_tree := build/image/debian-$(image_suite).tar.zst
python_tree := build/image/python-$(image_suite).tar.zst
$(python_tree): other_agent := octavia-agent
$(debian_tree) $(python_tree): image/base.sh | image
	$(Q)image/base.sh $(image_suite) $(@:.tar.zst=.new.tar.zst) $(other_agent) && mv $(@:.tar.zst=.new.tar.zst) $@

compared_trees := $(debian_tree) $(if $(VS),$(python_tree))
image-sizes: image $(compared_trees)
	$(Q)$(PYTHON) -B tests/bench/image_sizes.py build/image/amphora-$(image_suite)-*.qcow2 $(compared_trees)

test-image-reproducible: image
	$(Q)image/reproducible_test.sh build/image

install: all
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/share/amphora-agent/templates
	install -m 0755 $(programs:%=$(build)/%) $(DESTDIR)$(prefix)/bin
	install -m 0644 templates/*.mustache $(DESTDIR)$(prefix)/share/amphora-agent/templates
	for unit in $(units:systemd/%=%); do \
		to=$(DESTDIR)$(prefix)/lib/systemd/system/$$unit && install -D -m 0644 systemd/$$unit $$to && \
		sed -i 's|/usr/bin/|$(prefix)/bin/|' $$to || exit 1; \
	done
	for folder in sysusers.d tmpfiles.d; do \
		install -D -m 0644 -t $(DESTDIR)$(prefix)/lib/$$folder systemd/$$folder/*.conf || exit 1; \
	done
	install -D -m 0644 -t $(DESTDIR)$(sysconfdir)/octavia/amphora-agent.conf.d systemd/amphora-agent.conf.d/*.conf

check-layers:
	$(Q)$(PYTHON) tests/check_layers.py ARCHITECTURE.md agent

c_files = $(wildcard agent/*/*.c agent/*/*.h tests/*/*.c tests/*/*.h)
format:
	$(Q)clang-format -i $(c_files)
check-format:
	$(Q)clang-format --dry-run -Werror $(c_files)

clean:
	$(Q)rm -rf build

-include $(module_objects:.o=.d) $(programs:%=$(build)/obj/bin/%.d) $(unit_tests:=.d) \
	$(fuzz_tests:=.d) $(program_helpers:=.d) $(build)/bench/tls_client.d
