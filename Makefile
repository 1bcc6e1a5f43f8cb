# SPDX-License-Identifier: Apache-2.0
#
#   make            build every program into build/
#   make deps       install what building and testing need (Debian, as root)
#   make demo       run the main job on real processes and traffic (as root)
#   make test       unit, program and interop tests; ends with a count line (as root)
#   make bench      measure; VS=reference measures the Python agent beside it
#   make install    DESTDIR= prefix=/usr
#   make check-layers check-format format clean
#
# V=1 shows the commands; SAN=1 builds and tests with ASan and UBSan in a folder of its own.

prefix ?= /usr
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
cflags := -std=gnu11 -D_GNU_SOURCE -Iagent -include agent/base/poison.h -MMD -MP -pthread \
	$(warnings) $(hardening) $(san_flags) $(CFLAGS)
ldflags := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(san_flags) $(LDFLAGS)

version := $(shell cat agent/VERSION)
cflags += -DAMPHORA_AGENT_VERSION='"$(version)"'

# One library of modules (agent/FOLDER/*.c), linked into each program; each main is in agent/bin.
# --as-needed keeps a library out of the programs that do not call it.
folders := base sys conf model render haproxy heartbeat api
module_sources := $(sort $(foreach folder,$(folders),$(wildcard agent/$(folder)/*.c)))
module_objects := $(module_sources:agent/%.c=$(build)/obj/%.o)
modules := $(build)/libamphora.a
programs := $(patsubst agent/bin/%.c,%,$(sort $(wildcard agent/bin/*.c)))
libraries := -lmicrohttpd -lgnutls -lnettle -ljansson -lz

.PHONY: all deps demo test bench install clean format check-format check-layers unit
all: $(programs:%=$(build)/%)

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

check-layers:
	$(Q)$(PYTHON) tests/check_layers.py ARCHITECTURE.md agent

c_files = $(wildcard agent/*/*.c agent/*/*.h tests/*/*.c tests/*/*.h)
format:
	$(Q)clang-format -i $(c_files)
check-format:
	$(Q)clang-format --dry-run -Werror $(c_files)

clean:
	$(Q)rm -rf build

-include $(module_objects:.o=.d) $(programs:%=$(build)/obj/bin/%.d) $(unit_tests:=.d)
