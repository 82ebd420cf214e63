# SPDX-License-Identifier: ISC
#
# The doors to the build; meson and ninja do the work.
#
#	make			builds build/sws and build/sock
#	make install		below $(DESTDIR)$(PREFIX)
#	make bench		measures it beside others (bench/README.md)
#	make c10k		what idle connections cost, engine by engine
#	make test-long		what ./test leaves out: every test with every engine,
#				ten minutes of watching the memory, 10,000 changes
#	make fuzz SECONDS=60	feeds junk to each parser for so long
#	make format		lays out the sources
#	make lint		what can be found without running anything

PREFIX = /usr/local
SECONDS = 60

PROGRAMS = build/sws build/sock
MANUALS = man/sws.1 man/sock.1
PYTEST = /usr/bin/python3 -B -m pytest -q -p no:cacheprovider
C_FILES = $$(find src tests bench -name '*.[ch]')

all: build/build.ninja
	@ninja -C build

build/build.ninja:
	@tools/packages check build
	@log=$$(meson setup build 2>&1) || { echo "$$log" >&2; exit 1; }

install:
	@test -x build/sws || { echo "build it first: make" >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec \
	    $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	ln -sf ../bin/sws $(DESTDIR)$(PREFIX)/libexec/httpd
	install -m 644 $(MANUALS) $(DESTDIR)$(PREFIX)/share/man/man1

bench: all
	bench/bench

c10k: all
	bench/c10k

test-long: all
	SWS_WHOLE=1 SWS_ENGINES=all $(PYTEST) tests/wire
	for engine in $$(build/sws --engine=help | sed 's/ .*//'); do \
	    build/sws --engine=$$engine --version >/dev/null 2>&1 || \
	        continue; \
	    echo "engine $$engine"; \
	    SWS_ENGINE=$$engine $(PYTEST) tests/system || exit 1; \
	done
	$(PYTEST) -s tests/long
	SWS_MOVES=10000 $(PYTEST) tests/system/test_consistency.py -k moved

build-fuzz/build.ninja:
	@tools/packages check build test
	CC=clang meson setup build-fuzz -Dfuzz=true -Ddebug=true

fuzz: build-fuzz/build.ninja
	meson test -C build-fuzz --test-args=-max_total_time=$(SECONDS)

format:
	@tools/format.py $(C_FILES)

lint: build/build.ninja
	@tools/packages check test lint
	tools/rooms.py
	mandoc -T lint -W warning $(MANUALS)
	shellcheck run test .ci/run tools/packages bench/setup
	tools/format.py --check $(C_FILES)
	# Those that are built here: kqueue and NEON are for others.
	clang-tidy --quiet -p build $$(sed -n \
	    's#.*"file": "\.\./\(src/.*\)",\{0,1\}$$#\1#p' \
	    build/compile_commands.json | sort -u)

clean:
	rm -rf build build-*

.PHONY: all install bench c10k test-long fuzz format lint clean
