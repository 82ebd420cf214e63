# SPDX-License-Identifier: ISC
#
# The doors to the build; meson and ninja do the work.
#
#	make			builds build/sws
#	make install		below $(DESTDIR)$(PREFIX)
#	make bench		measures it beside others (bench/README.md)
#	make fuzz SECONDS=60	feeds junk to each parser for so long
#	make test-long		what takes minutes: memory, 10,000 changes
#	make format		lays out the sources
#	make lint		what can be found without running anything

PREFIX = /usr/local
SECONDS = 60

PROGRAMS = build/sws
MANUALS = man/sws.1
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

build-fuzz/build.ninja:
	@tools/packages check build test
	CC=clang meson setup build-fuzz -Dfuzz=true -Ddebug=true

fuzz: build-fuzz/build.ninja
	meson test -C build-fuzz --test-args=-max_total_time=$(SECONDS)

test-long: all
	@tools/packages check test
	SWS=build/sws /usr/bin/python3 -B -m pytest -q -s \
	    -p no:cacheprovider tests/long
	SWS=build/sws SWS_MOVES=10000 /usr/bin/python3 -B -m pytest -q \
	    -p no:cacheprovider tests/system/test_consistency.py -k moved

format:
	@tools/format.py $(C_FILES)

lint: build/build.ninja
	@tools/packages check test lint
	tools/rooms.py
	mandoc -T lint -W warning $(MANUALS)
	shellcheck run test .ci/run tools/packages bench/setup
	tools/format.py --check $(C_FILES)
	clang-tidy --quiet -p build $$(find src -name '*.c')

clean:
	rm -rf build build-*

.PHONY: all install bench fuzz test-long format lint clean
