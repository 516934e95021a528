# smarthost.  `make help` lists the targets.
#
#   make run                  install what is missing, build, start the relay
#   make check                install what is missing, build, run every test
#   make                      the server                      build/release
#   make test                 the unit tests, ASan + UBSan    build/asan
#   make test T=proto/dot     one test file
#
# One object tree for each MODE, so that two sets of flags never mix.

MODE    ?= release
BUILD    = build/$(MODE)
PREFIX  ?= /usr/local
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

FLAGS_release  = -O2 -D_FORTIFY_SOURCE=2
FLAGS_asan     = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
                 -fno-sanitize-recover=all
FLAGS_coverage = -O0 --coverage
FLAGS_fuzz     = -O1 -fsanitize=fuzzer-no-link,address,undefined \
                 -fno-sanitize-recover=all

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
       -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
       -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum \
       -Wimplicit-fallthrough -Wnull-dereference $(WERROR)
HARDEN = -fstack-protector-strong -fPIE -ffile-prefix-map=$(CURDIR)=.

# What the caller sets (CFLAGS, CPPFLAGS, LDFLAGS) comes last, and wins.
CPP  = -I. -D_GNU_SOURCE $(CPPFLAGS)
C    = -std=gnu11 -g $(WARN) $(HARDEN) $(FLAGS_$(MODE)) $(CFLAGS)
LINK = $(CC) $(C) -pie -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB)
LIBS = -luring -lunbound -lyaml -pthread

SRC  := $(sort $(wildcard core/*.c core/*/*.c proto/*.c tls/*.c dkim/*.c spool/*.c))
LIB   = $(BUILD)/libsmarthost.a
PROG  = $(BUILD)/smarthost
TEST  = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/*/test_*.c)))

.PHONY: all
all: build/smarthost  ## build the server

# The name that README uses, whatever the mode.
build/smarthost: $(PROG)
	@ln -sfn $(MODE)/smarthost $@

$(PROG): $(BUILD)/core/main.o $(LIB)
	$(LINK) $(LIBS)

$(LIB): $(patsubst %.c,$(BUILD)/%.o,$(filter-out core/main.c,$(SRC)))
	rm -f $@ && $(AR) rcsD $@ $^

$(TEST): $(BUILD)/%: $(BUILD)/%.o $(LIB)
	$(LINK) $(LIBS) -lcriterion

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIB)
	$(LINK) $(LIBS) -fsanitize=fuzzer

$(BUILD)/core/main.o: private CPP += -DVERSION='"$(VERSION)"'
$(BUILD)/core/main.o: $(BUILD)/version

# Criterion's assertion macros do not survive -Wconversion.
$(BUILD)/tests/%.o: private C += -Wno-conversion -Wno-sign-conversion \
    -Wno-pedantic -Wno-missing-prototypes

$(BUILD)/%.o: %.c Makefile $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPP) $(C) -MMD -MP -c -o $@ $<

# These two files change only when what they hold does.
$(BUILD)/flags: HOLD = $(CC) $(CPP) $(C) $(LDFLAGS)
$(BUILD)/version: HOLD = $(VERSION)
$(BUILD)/flags $(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(HOLD)' | cmp -s - $@ || echo '$(HOLD)' > $@
FORCE:
.PRECIOUS: $(BUILD)/%.o

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: test
test:  ## run the unit tests under ASan + UBSan (T=proto/dot: one file)
	+$(MAKE) MODE=$(if $(filter release,$(MODE)),asan,$(MODE)) run-tests
.PHONY: run-tests
run-tests: $(if $(T),$(BUILD)/tests/$(dir $(T))test_$(notdir $(T)),$(TEST))
	@set -e; for t in $^; do echo "== $$t"; $$t --timeout 60; done

.PHONY: fuzz
fuzz:  ## fuzz one target (F=dot FOR=60)
	+$(MAKE) MODE=fuzz CC=clang build/fuzz/tests/fuzz/fuzz_$(F)
	@mkdir -p build/corpus/$(F)
	build/fuzz/tests/fuzz/fuzz_$(F) -max_total_time=$(or $(FOR),60) \
	  build/corpus/$(F) $(wildcard tests/fuzz/corpus/$(F))

.PHONY: install
install: $(PROG)  ## into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(PROG) $(DESTDIR)$(PREFIX)/sbin/smarthost

.PHONY: clean
clean:  ## remove build/
	rm -rf build

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*##/ {printf "  %-14s %s\n", $$1, $$2}' Makefile
