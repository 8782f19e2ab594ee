# SPDX-License-Identifier: MIT
# Every entry point of assay; `make help` lists them.
#
# Everything built is below build/; everything downloaded, and every kernel, is
# in the cache outside the checkout (see qemu/README.md).

SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:

JOBS ?= $(shell nproc)
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS) --output-sync=target
endif

FLAVOURS := 64k 4k 16k

# ---------------------------------------------------------------- variants
# host: what is installed; asan: what the unit tests and oracles run; arm64: the
# guest's; fuzz: clang's libFuzzer.
VARIANTS := host asan arm64 fuzz

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
INCLUDES := -Iuserspace/include -Iuserspace/lib -Iuserspace/cmd -Ikmod

CC_host := gcc
CFLAGS_host := -O2 -g $(HARDENING)
LDFLAGS_host := -pie -Wl,-z,relro,-z,now
CC_asan := gcc
CFLAGS_asan := -O1 -g $(SANITIZE)
LDFLAGS_asan := $(SANITIZE)
CC_arm64 := aarch64-linux-gnu-gcc
CFLAGS_arm64 := -O2 -g $(HARDENING) --sysroot=$(abspath build/sysroot) \
	-isystem build/sysroot/usr/include -isystem build/sysroot/usr/include/aarch64-linux-gnu
LDFLAGS_arm64 := -pie -Wl,-z,relro,-z,now --sysroot=$(abspath build/sysroot) \
	-Wl,-rpath-link,build/sysroot/usr/lib/aarch64-linux-gnu \
	-Wl,-rpath-link,build/sysroot/lib/aarch64-linux-gnu \
	-Lbuild/sysroot/usr/lib/aarch64-linux-gnu
CC_fuzz := clang
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined

# What the verifier needs, and what only signers and devices need.
LIBS_CORE := -lcrypto -ljansson -lpthread
LIBS_TPM := -ltss2-esys -ltss2-mu -ltss2-tctildr -ltss2-rc -lkeyutils

LIB_TPM_SOURCES := $(wildcard userspace/lib/tpm/*.c)
LIB_SOURCES := $(filter-out $(LIB_TPM_SOURCES),$(wildcard userspace/lib/*/*.c))
PROGRAMS := assay assay-verify
VERIFY_COMMANDS := assay-verify cmd verify digest
ASSAY_COMMANDS := $(filter-out assay-verify,$(basename $(notdir $(wildcard userspace/cmd/*.c))))

define variant
build/$(1)/%.o: %.c | deps
	@mkdir -p $$(@D)
	$$(CC_$(1)) -std=c11 $$(WARNINGS) $$(CFLAGS_$(1)) $$(INCLUDES) -MMD -MP -c -o $$@ $$<

build/$(1)/libassay.a: $$(LIB_SOURCES:%.c=build/$(1)/%.o)
	@rm -f $$@; ar rcs $$@ $$^

build/$(1)/libassay-tpm.a: $$(LIB_TPM_SOURCES:%.c=build/$(1)/%.o)
	@rm -f $$@; ar rcs $$@ $$^

build/$(1)/assay: $$(ASSAY_COMMANDS:%=build/$(1)/userspace/cmd/%.o) \
		build/$(1)/libassay-tpm.a build/$(1)/libassay.a
	$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(LIBS_TPM) $$(LIBS_CORE)

build/$(1)/assay-verify: $$(VERIFY_COMMANDS:%=build/$(1)/userspace/cmd/%.o) build/$(1)/libassay.a
	$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(LIBS_CORE)
endef
$(foreach v,$(VARIANTS),$(eval $(call variant,$(v))))

-include $(shell find build/host build/asan build/arm64 build/fuzz -name '*.d' 2>/dev/null)

# ---------------------------------------------------------------- unit tests
UNIT_TESTS := $(patsubst tests/unit/%.c,build/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_SUPPORT := $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))

build/unit/%: build/asan/tests/unit/%.o $(UNIT_SUPPORT:%.c=build/asan/%.o) \
		build/asan/libassay-tpm.a build/asan/libassay.a
	@mkdir -p $(@D)
	gcc $(LDFLAGS_asan) -o $@ $^ -lcmocka $(LIBS_TPM) $(LIBS_CORE)

FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/libassay.a
	clang $(LDFLAGS_fuzz) -o $@ $^ $(LIBS_CORE)

.SECONDARY:
