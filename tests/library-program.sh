# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# tests/bench/host/library.c, built against libassay-verify as other projects' programs are. Sourced, at the
# top of the tree.

# library_program DIRECTORY: the program is DIRECTORY/library; it finds its library by what this exports
library_program() {
	make --no-print-directory -s install-library DESTDIR="$1" PREFIX=/usr >/dev/null
	PKG_CONFIG_PATH=$1/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$1 LD_LIBRARY_PATH=$1/usr/lib
	export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH
	# shellcheck disable=SC2046 # flags, as words
	gcc -std=c11 -O2 -Wall -o "$1/library" tests/bench/host/library.c $(pkg-config --cflags --libs libassay-verify) -lcrypto
}
