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
MAN      = $(PREFIX)/share/man
SYSCONF ?= /etc
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

# The wolfSSL that `make deps` built, or the system's.  A tree may use that of
# another: make WOLFSSL_DIR=/path/to/build/wolfssl
WOLFSSL_DIR ?= $(CURDIR)/build/wolfssl
WOLFSSL_OURS = $(wildcard $(WOLFSSL_DIR)/lib/libwolfssl.a)
WOLFSSL_LIB  = $(or $(WOLFSSL_OURS),-lwolfssl)
WOLFSSL_INC  = $(if $(WOLFSSL_OURS),-isystem $(WOLFSSL_DIR)/include)

# What the caller sets (CFLAGS, CPPFLAGS, LDFLAGS) comes last, and wins.
CPP  = -I. -D_GNU_SOURCE $(WOLFSSL_INC) $(CPPFLAGS)
C    = -std=gnu11 -g $(WARN) $(HARDEN) $(FLAGS_$(MODE)) $(CFLAGS)
LINK = $(CC) $(C) -pie -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB)
LIBS = $(WOLFSSL_LIB) -lm -lcrypt -luring -lunbound -lyaml -pthread

SRC  := $(sort $(wildcard core/*.c core/*/*.c proto/*.c tls/*.c dkim/*.c spool/*.c))
# Some kernels exist for one architecture.
SRC  := $(filter-out $(if $(filter x86_64,$(shell uname -m)), \
          dkim/rsa_engine_none.c, \
          dkim/rsa_engine_x86_64.c $(wildcard dkim/rsa_kernel_*.c) \
          dkim/relax_avx2.c dkim/relax_avx512.c),$(SRC))
LIB   = $(BUILD)/libsmarthost.a
PROG  = $(BUILD)/smarthost
TEST  = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/*/test_*.c)))

.PHONY: all
all: build/smarthost  ## build the server

# The name that README uses: the mode that was built last.
build/smarthost: $(PROG) FORCE
	@ln -sfn $(MODE)/smarthost $@

$(PROG): $(BUILD)/core/main.o $(LIB)
	$(LINK) $(LIBS)

$(LIB): $(patsubst %.c,$(BUILD)/%.o,$(filter-out core/main.c,$(SRC)))
	rm -f $@ && $(AR) rcsD $@ $^

# blast and sink are made of parts; a *_bench is one file.
BENCH      = $(BUILD)/bench/blast $(BUILD)/bench/sink
BENCH_PART = $(filter-out bench/blast.c bench/sink.c bench/%_bench.c, \
             $(sort $(wildcard bench/*.c)))
$(BENCH): $(BUILD)/%: $(BUILD)/%.o $(patsubst %.c,$(BUILD)/%.o,$(BENCH_PART)) $(LIB)
	$(LINK) $(LIBS)
$(BUILD)/bench/%_bench: $(BUILD)/bench/%_bench.o $(LIB)
	$(LINK) $(LIBS)

$(TEST): $(BUILD)/%: $(BUILD)/%.o $(LIB)
	$(LINK) $(LIBS) -lcriterion

$(filter $(BUILD)/tests/bench/%,$(TEST)): $(patsubst %,$(BUILD)/bench/%.o,\
    histogram arrivals letter machine)

# A simulation runs the real thing on a loop, a disk and a clock of its own: the
# linker takes these objects first, and never opens the archive's.
FAKES = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/support/fake_*.c)))
$(filter $(BUILD)/tests/sim/%,$(TEST)): $(FAKES)

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIB)
	$(LINK) $(LIBS) -fsanitize=fuzzer

$(BUILD)/core/main.o: private CPP += -DVERSION='"$(VERSION)"'
$(BUILD)/core/main.o: $(BUILD)/version

# The only files for more than the architecture's baseline: nothing in them runs
# before the CPU was asked.
$(BUILD)/dkim/relax_avx2.o: private C += -mavx2 -mbmi
$(BUILD)/dkim/relax_avx512.o: private C += -mavx512f -mavx512bw -mavx512vbmi2 \
    -mpopcnt
# Canaries would be branches in loops that have none.
$(BUILD)/dkim/rsa_kernel_%.o: private C += -mavx512f -mavx512dq -mavx512bw \
    -mavx512vl -mavx512ifma -fno-stack-protector

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

.PHONY: deps deps-run
deps:  ## install the Debian packages that building and testing need
	@sh tests/deps.sh build test
	@WOLFSSL_DIR=$(WOLFSSL_DIR) sh tests/wolfssl.sh
deps-run:
	@sh tests/deps.sh build try
	@WOLFSSL_DIR=$(WOLFSSL_DIR) sh tests/wolfssl.sh

# So that a mail can be tried in a minute: on loopback, with its spool here.
RUN_SET = --set "config.listen.submission=['127.0.0.1:8587']" \
          --set "config.listen.proxy=['127.0.0.1:8586']" \
          --set "config.spool=$(CURDIR)/build/spool"
.PHONY: run
run: deps-run  ## install what is missing, build, start the relay
	@+$(MAKE) --no-print-directory -j$$(nproc) build/smarthost
	@printf '%s\n' '' \
	  'SMTP on 127.0.0.1:8587 (behind a PROXY protocol: 127.0.0.1:8586).' \
	  'A first mail, from another terminal:' '' \
	  '  printf "Subject: hello\n\nIt works.\n" | curl --crlf \' \
	  '    smtp://127.0.0.1:8587 --mail-from me@example.org \' \
	  '    --mail-rcpt you@example.net --upload-file -' '' \
	  'All mail to one server instead of the recipients'"'"' own:' '' \
	  '  make run RUN="--set config.relay.host=[127.0.0.1]:2525"' ''
	@exec build/smarthost run $(RUN_SET) $(RUN)

.PHONY: check
check: deps  ## install what is missing, build, run every test
	@sh tests/run.sh unit lint e2e

.PHONY: e2e
e2e: $(PROG) $(BENCH)  ## the end-to-end tests (T=test_dns, or T=test_dns.Mx)
	SMARTHOST=$(PROG) python3 tests/e2e/run.py $(MODE) $(T)

.PHONY: soak
soak: $(PROG)  ## the tests that take minutes: a million mails, crash after crash
	SMARTHOST=$(PROG) python3 tests/e2e/run.py $(MODE) --soak

.PHONY: test
test:  ## run the unit tests under ASan + UBSan (T=proto/dot: one file)
	+$(MAKE) MODE=$(if $(filter release,$(MODE)),asan,$(MODE)) run-tests
.PHONY: build-tests
build-tests: $(TEST)
.PHONY: run-tests
run-tests: $(if $(T),$(BUILD)/tests/$(dir $(T))test_$(notdir $(T)),$(TEST))
	@set -e; for t in $^; do echo "== $$t"; $$t --timeout 60; done

.PHONY: fuzz
fuzz:  ## fuzz one target (F=dot FOR=60)
	+$(MAKE) MODE=fuzz CC=clang build/fuzz/tests/fuzz/fuzz_$(F)
	@mkdir -p build/corpus/$(F)
	build/fuzz/tests/fuzz/fuzz_$(F) -max_total_time=$(or $(FOR),60) \
	  build/corpus/$(F) $(wildcard tests/fuzz/corpus/$(F))

.PHONY: fuzz-all
fuzz-all:  ## fuzz every target, one after the other (FOR=10)
	@FUZZ_SECONDS=$(or $(FOR),10) sh tests/run.sh fuzz

.PHONY: lint
lint:  ## layers, sizes, statics; cppcheck where there is one
	@sh tests/run.sh lint
.PHONY: cppcheck
cppcheck:
	@# Left out: what the compiler says better (a switch over an enum has no
	@# default here), and what does not see the `if` around a call.
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr \
	  --suppress=missingReturn --suppress=ctunullpointer \
	  --error-exitcode=1 -I. $(SRC)

.PHONY: bench-rsa
bench-rsa: $(BUILD)/bench/rsa_bench  ## RSA signatures a second: ours, wolfSSL's, OpenSSL's
	$<
.PHONY: bench-dkim
bench-dkim: $(BUILD)/bench/dkim_bench  ## what a body hash costs, beside SHA-256 alone
	$<
.PHONY: bench-tls
bench-tls: $(BUILD)/bench/tls_bench  ## TLS handshakes a second: ours, bare wolfSSL's
	$<
.PHONY: timing-rsa
timing-rsa: $(BUILD)/tests/dkim/timing_rsa  ## does RSA's time depend on its secrets?
	$<
$(BUILD)/tests/dkim/timing_rsa: $(BUILD)/tests/dkim/timing_rsa.o $(LIB)
	$(LINK) $(LIBS) -lm

.PHONY: bench-tools
bench-tools: $(BENCH)
.PHONY: bench
bench:  ## the race (SCENARIOS='2k 10k' PEERS=postfix ROUNDS=3)
	@sh tests/deps.sh build bench
	@+$(MAKE) --no-print-directory -j$$(nproc) build/smarthost bench-tools
	@bench/run

.PHONY: package
package:  ## the life of the Debian package, in a new Debian (SUITE=bookworm)
	@sh tests/package.sh $(or $(SUITE),bookworm)

.PHONY: image-test
image-test:  ## the container image, built and used without Docker (root)
	@sh tests/image.sh
.PHONY: chart-test
chart-test: $(PROG)  ## the Helm chart, rendered, validated, its scripts run
	@SMARTHOST=$(PROG) sh tests/chart.sh

.PHONY: fresh
fresh:  ## what a newcomer does on a Debian with nothing on it (SUITE=trixie)
	@sh tests/fresh.sh $(or $(SUITE),trixie)

.PHONY: install
install: $(PROG) build/man/smarthost.8 build/man/smarthost.yaml.5  ## into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(PROG) $(DESTDIR)$(PREFIX)/sbin/smarthost
	install -D -m 644 build/man/smarthost.8 $(DESTDIR)$(MAN)/man8/smarthost.8
	install -D -m 644 build/man/smarthost.yaml.5 $(DESTDIR)$(MAN)/man5/smarthost.yaml.5
	install -D -m 644 docs/completion.bash \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/smarthost
	install -D -m 644 examples/smarthost.yaml \
	  $(DESTDIR)$(SYSCONF)/smarthost/yaml.d/smarthost.yaml.example

# Of the pages the options and keys are the program's own.
build/man/%: docs/%.in docs/man.awk $(PROG)
	@mkdir -p $(@D)
	$(PROG) --help | awk -f docs/man.awk -v version=$(VERSION) - $< > $@.new
	@mv $@.new $@

.PHONY: deb
deb:  ## a Debian package in build/deb
	@sh tests/deps.sh build deb
	@sh debian/build.sh

.PHONY: clean
clean:  ## remove build/
	rm -rf build

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*##/ {printf "  %-14s %s\n", $$1, $$2}' Makefile
