# SPDX-License-Identifier: MIT
# Every entry point of assay; `make help` lists them.
#
# Everything built is below build/; everything downloaded, and every kernel, is
# in the cache outside the checkout (see qemu/README.md).

SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

JOBS ?= $(shell nproc)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS) --output-sync=target
endif

# What was compiled before, in this or another checkout, comes from ccache. Packages are built without.
ifeq ($(NO_BED),)
export PATH := /usr/lib/ccache:$(PATH)
export CCACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/assay/ccache-programs
export CCACHE_MAXSIZE ?= 1G
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1
export CCACHE_SLOPPINESS ?= include_file_mtime,include_file_ctime
endif

# Guest kernels: own ones are built here, stock ones are Debian's (qemu/README.md).
# Those of make soak alone are made by nothing else.
SOAK_FLAVOURS := kcsan tags
OWN_FLAVOURS := 64k 7.3 debug
STOCK_FLAVOURS := 4k 16k 6.1 amd64 amd64-6.1
FLAVOURS := $(OWN_FLAVOURS) $(STOCK_FLAVOURS)
ALL_FLAVOURS := $(FLAVOURS) $(SOAK_FLAVOURS)

# Their architecture (qemu/arch.sh says the same), and where what guests of it run is built.
ARCHES := arm64 amd64
arch_of = $(if $(filter amd64%,$(1)),amd64,arm64)
SYSROOT_arm64 := build/sysroot
SYSROOT_amd64 := build/sysroot-amd64
GUEST_arm64 := build/guest
GUEST_amd64 := build/guest-amd64

# V=1 shows the commands.
Q := $(if $(filter 1,$(V)),,@)
tell = @printf '  %-7s %s\n' $(1) $@
# A recipe with it shows its progress as it comes, and lets makes in it take jobs of this one. It is a + as
# make knows it, but for make -n, which would run such a recipe.
live = $(if $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),,+)

.PHONY: all
all: build/host/assay build/host/assay-push build/host/assay-verify build/host/assay-fleet build/host/assayd build/host/assay-initrd library \
	$(ARCHES:%=build/%/assay) $(ARCHES:%=build/%/assayd) $(ARCHES:%=build/%/assayd-plain) $(ARCHES:%=build/%/assay-initrd) $(FLAVOURS:%=kmod-%)

# ---------------------------------------------------------------- set-up
# Each script is quick when its thing is there; the .key file changes, and what depends on it is made
# anew, only when the thing did.
.PHONY: FORCE packages deps kernels
# With NO_BED=1, as packages are built, nothing is installed, and nothing fetched.
packages:
	$(if $(NO_BED),,$(live)@qemu/host-packages)

deps: packages kernels $(foreach a,$(ARCHES),$(SYSROOT_$(a)))

kernels: $(FLAVOURS:%=build/kernel/%)

define keep_key
	@mkdir -p $(@D)
	$(live)@$(1) $(@:.key=) >$@.$$$$ && \
		if cmp -s $@ $@.$$$$; then rm $@.$$$$; else mv $@.$$$$ $@; fi || \
		{ rm -f $@.$$$$; exit 1; }
endef

$(patsubst %,build/kernel/%.key,$(OWN_FLAVOURS) $(SOAK_FLAVOURS)): build/kernel/%.key: FORCE | packages
	$(call keep_key,qemu/kernel-own $*)

$(STOCK_FLAVOURS:%=build/kernel/%.key): build/kernel/%.key: FORCE | packages
	$(call keep_key,qemu/kernel-stock $*)

$(foreach a,$(ARCHES),$(eval $(SYSROOT_$(a)).key: FORCE | packages ; \
	$$(call keep_key,qemu/sysroot $(a))))

$(ALL_FLAVOURS:%=build/kernel/%) $(foreach a,$(ARCHES),$(SYSROOT_$(a))): %: %.key ;

# The root of a device with systemd, which a guest of the bed installs.
build/device-root.key: FORCE build/kernel/4k build/sysroot build/guest/init | packages
	$(call keep_key,qemu/device-root)
build/device-root: %: %.key ;

# What it boots with.
build/boot-tools.key: FORCE | packages
	$(call keep_key,qemu/boot-tools)
build/boot-tools: %: %.key ;

build/boot-loader.key: FORCE | packages
	$(call keep_key,qemu/boot-loader)
build/boot-loader: %: %.key ;

# A network card, and loop devices, for guests of the flavour 4k.
build/net.key build/loop.key: build/%.key: FORCE | packages
	$(call keep_key,qemu/modules $*)
build/net build/loop: %: %.key ;

# ---------------------------------------------------------------- variants
# host: what is installed; asan: what the unit tests and oracles run; tsan: those of threads;
# arm64, amd64: the guests'; fuzz: clang's libFuzzer; shared: what libassay-verify is made of.
VARIANTS := host asan tsan $(ARCHES) fuzz shared

# What a compiler of another time warns of does not keep packages from being built.
WARNINGS := -Wall -Wextra $(if $(NO_BED),,-Werror) -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
INCLUDES := -Iuserspace/include -Iuserspace/lib -Iuserspace/cmd -Iuserspace -Ikmod

# What is installed obeys the usual variables, so that a distribution's build, and a cross build, can set them.
CC_host := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
CFLAGS_host := -O2 -g $(HARDENING) $(CPPFLAGS) $(CFLAGS)
LDFLAGS_host := -pie -Wl,-z,relro,-z,now $(CFLAGS) $(LDFLAGS)
CC_asan := gcc
CFLAGS_asan := -O1 -g1 $(SANITIZE)
LDFLAGS_asan := $(SANITIZE)
CC_tsan := gcc
CFLAGS_tsan := -O1 -g -fsanitize=thread
LDFLAGS_tsan := -fsanitize=thread
CC_arm64 := aarch64-linux-gnu-gcc
CC_amd64 := x86_64-linux-gnu-gcc
define guest_variant
CFLAGS_$(1) := -O2 -g $(HARDENING) --sysroot=$(abspath $(SYSROOT_$(1)))
LDFLAGS_$(1) := -pie -Wl,-z,relro,-z,now --sysroot=$(abspath $(SYSROOT_$(1)))
NEEDS_$(1) := $(SYSROOT_$(1)).key
endef
$(foreach a,$(ARCHES),$(eval $(call guest_variant,$(a))))
CC_fuzz := clang
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined

CC_shared := $(CC_host)
CFLAGS_shared := -O2 -g $(HARDENING:-fPIE=-fPIC) -fvisibility=hidden $(CPPFLAGS) $(CFLAGS)

# What the verifier needs, and what only signers and devices need.
# Of the library, only some programs need libinih, libzstd, zlib, libcbor and libkeyutils.
LIBS_CORE := -lcrypto -ljansson -lpthread -Wl,--push-state,--as-needed -linih -lzstd -lz -lcbor -lkeyutils -Wl,--pop-state
LIBS_TPM := -ltss2-esys -ltss2-mu -ltss2-tctildr -ltss2-rc
# What the service needs besides; libsystemd only where it has loop_systemd.c and manager_systemd.c.
LIBS_ASSAYD := -lcurl -linih -lzstd -lseccomp -lcap
# What the fleet's verifier needs besides; it has nothing of lib/tpm.
LIBS_FLEET := -lcurl -levent_openssl -levent_core -levent_extra -lssl -lsqlite3 -lpq -lsystemd -lzstd

LIB_TPM_SOURCES := $(wildcard userspace/lib/tpm/*.c)
LIB_SOURCES := $(filter-out $(LIB_TPM_SOURCES),$(wildcard userspace/lib/*/*.c))
PROGRAMS := assay assay-push assay-verify
VERIFY_COMMANDS := \
	assay-verify \
	check \
	check_file \
	check_print \
	cmd \
	digest \
	enroll_certificate \
	enroll_records \
	enroll_verifier \
	evidence_file \
	evidence_parts \
	export \
	import \
	import_cmw \
	import_go \
	import_keylime \
	import_run \
	import_systemd \
	options \
	policy \
	policy_diff \
	policy_kernel \
	policy_make \
	policy_pcr11 \
	record_file \
	references \
	replay \
	replay_events \
	trust_files \
	verify \
	verify_results \
	verify_vsa
# What speaks with a network is a program of its own (userspace/cmd/push.c).
PUSH_COMMANDS := assay-push cmd options push_run tpm_options
ASSAY_COMMANDS := $(filter-out assay-verify assay-push push_run,$(basename $(notdir $(wildcard userspace/cmd/*.c))))

# The service without what it has of systemd or instead of it; and a program of its own without.
ASSAYD_SYSTEMD := loop_systemd manager_systemd
ASSAYD_PLAIN := loop_epoll manager_plain
ASSAYD_OBJECTS := $(filter-out main $(ASSAYD_SYSTEMD) $(ASSAYD_PLAIN),$(basename $(notdir $(wildcard userspace/assayd/*.c))))

CONTENTS_SOURCES := $(wildcard userspace/contents/*.c)
INITRD_SOURCES := $(wildcard userspace/initrd/*.c)

# The fleet's verifier; for this machine only.
FLEET_OBJECTS := $(filter-out main,$(basename $(notdir $(wildcard userspace/fleet/*.c))))
# The files of its page are in page.o, as the assembler reads them.
$(VARIANTS:%=build/%/userspace/fleet/page.o): $(wildcard userspace/fleet/page/*)
FLEET_COMMANDS := cmd options trust_files
FLEET_MANUALS := man/assay-fleet.8 man/assay-fleet.conf.5

define variant
build/$(1)/%.o: %.c $(NEEDS_$(1)) | packages
	@mkdir -p $$(@D)
	$$(call tell,CC)
	$$(Q)$$(CC_$(1)) -std=c11 $$(WARNINGS) $$(CFLAGS_$(1)) $$(INCLUDES) -MMD -MP -c -o $$@ $$<

build/$(1)/libassay.a: $$(LIB_SOURCES:%.c=build/$(1)/%.o)
	@rm -f $$@; ar rcs $$@ $$^

build/$(1)/libassay-tpm.a: $$(LIB_TPM_SOURCES:%.c=build/$(1)/%.o)
	@rm -f $$@; ar rcs $$@ $$^

build/$(1)/assay: $$(ASSAY_COMMANDS:%=build/$(1)/userspace/cmd/%.o) \
		build/$(1)/libassay-tpm.a build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(LIBS_TPM) $$(LIBS_CORE)

build/$(1)/assay-push: $$(PUSH_COMMANDS:%=build/$(1)/userspace/cmd/%.o) build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ -lcurl $$(LIBS_CORE)

build/$(1)/push-verifier: build/$(1)/tests/service/push-verifier.o
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ -lssl $$(LIBS_CORE)

build/$(1)/parser-faults: tests/service/parser-faults.c
build/$(1)/other-clock: tests/e2e/other-clock.c
build/$(1)/parser-faults build/$(1)/other-clock: $(NEEDS_$(1)) | packages
	@mkdir -p $$(@D)
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) -std=c11 $$(WARNINGS) $$(CFLAGS_$(1)) -fPIC $$(filter-out -pie,$$(LDFLAGS_$(1))) \
		-shared -o $$@ $$(filter %.c,$$^) -ldl

build/$(1)/assay-verify: $$(VERIFY_COMMANDS:%=build/$(1)/userspace/cmd/%.o) build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(LIBS_CORE)

build/$(1)/libassayd.a: $$(ASSAYD_OBJECTS:%=build/$(1)/userspace/assayd/%.o)
	@rm -f $$@; ar rcs $$@ $$^

build/$(1)/assayd: $$(ASSAYD_SYSTEMD:%=build/$(1)/userspace/assayd/%.o)
build/$(1)/assayd-plain: $$(ASSAYD_PLAIN:%=build/$(1)/userspace/assayd/%.o)
build/$(1)/assayd build/$(1)/assayd-plain: build/$(1)/userspace/assayd/main.o \
		build/$(1)/userspace/cmd/options.o build/$(1)/libassayd.a \
		build/$(1)/libassay-tpm.a build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -Wl,--as-needed -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) \
		$$(LIBS_ASSAYD) $$(LIBS_TPM) $$(LIBS_CORE) $$(if $$(filter %-plain,$$@),,-lsystemd)

build/$(1)/libassay-fleet.a: $$(FLEET_OBJECTS:%=build/$(1)/userspace/fleet/%.o)
	@rm -f $$@; ar rcs $$@ $$^

build/$(1)/assay-fleet: build/$(1)/userspace/fleet/main.o $$(FLEET_COMMANDS:%=build/$(1)/userspace/cmd/%.o) \
		build/$(1)/libassay-fleet.a build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(LIBS_FLEET) $$(LIBS_CORE)

# A load for the fleet's verifier, for its benchmark and tests.
build/$(1)/fleet-load: build/$(1)/tests/bench/host/fleet_load.o build/$(1)/tests/bench/host/fleet_device.o \
		build/$(1)/tests/bench/host/fleet_files.o \
		build/$(1)/tests/unit/log_builder.o build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ -lcmocka $$(LIBS_CORE)

# What bench-sign tells the steps of signing by.
build/$(1)/sign-steps: build/$(1)/tests/bench/host/sign_steps.o build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(LIBS_CORE)

# What reads foreign archives for `assay sign`: alone in needing libarchive, and without any key.
build/$(1)/assay-contents: $$(CONTENTS_SOURCES:%.c=build/$(1)/%.o) build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ -larchive -lseccomp -lcap $$(LIBS_CORE)

# For the initramfs: small, without the TPM stack, libsystemd or libcurl, and no library more for a
# few system calls.
build/$(1)/assay-initrd: $$(INITRD_SOURCES:%.c=build/$(1)/%.o) \
		build/$(1)/userspace/cmd/options.o build/$(1)/libassay.a
	$$(call tell,LINK)
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ -l:libkeyutils.a $$(LIBS_CORE)
endef
$(foreach v,$(VARIANTS),$(eval $(call variant,$(v))))

# The verifier as a library (userspace/include/assay-verify.h). Its soname changes with the ABI.
LIB_VERSION := $(shell sed -n 's/^\#define ASSAY_VERSION "\(.*\)"/\1/p' userspace/include/assay.h)
LIB_NAME := libassay-verify.so
LIB_SONAME := $(LIB_NAME).0
LIB_MAP := userspace/lib/verify/libassay-verify.map

.PHONY: library
library: build/shared/$(LIB_NAME)

# What is exported is in these; of all else, what they need.
LIB_PUBLIC := $(patsubst %.c,build/shared/%.o,$(wildcard userspace/lib/verify/library*.c))

build/shared/$(LIB_NAME): $(LIB_PUBLIC) build/shared/libassay.a $(LIB_MAP)
	$(call tell,LINK)
	$(Q)$(CC_shared) -shared -Wl,-soname,$(LIB_SONAME) -Wl,--version-script=$(LIB_MAP) -Wl,-z,defs \
		-Wl,-z,relro,-z,now $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS_CORE)

-include $(shell find build/guest-arm32 build/host build/asan build/tsan build/fuzz build/shared \
	$(foreach a,$(ARCHES),build/$(a) $(GUEST_$(a))) -name '*.d' 2>/dev/null)

# ---------------------------------------------------------------- kernel modules
# build/kmod/FLAVOUR/NAME.ko: assay, the samples and the test modules tests/kmod/NAME/.
KMOD_SOURCES := $(wildcard kmod/*.[ch] kmod/Kbuild kmod/uapi/*.h kmod/samples/* tests/kmod/*/*)
build/kmod/%/.made: $(KMOD_SOURCES) build/kernel/%.key qemu/build-kmod
	$(call tell,KMOD)
	@qemu/build-kmod $*
	@touch $@

$(foreach f,$(ALL_FLAVOURS),$(eval kmod-$(f): build/kmod/$(f)/.made))
$(foreach f,$(ALL_FLAVOURS),$(eval build/kmod/$(f)/%.ko: build/kmod/$(f)/.made ;))
.PHONY: $(ALL_FLAVOURS:%=kmod-%)

# ---------------------------------------------------------------- what guests run
# Static programs: PID 1, and what the tests in guests bring along.
GUEST_PROGRAMS := $(patsubst tests/kmod/%.c,kmod/%,$(wildcard tests/kmod/*.c))

# What the module does with a log that it finds, which is pure.
FOUND := found frame layout

define guest_programs
$(GUEST_$(1))/%: GUEST_CC = $$(CC_$(1)) $$(WARNINGS) -O2 -g --sysroot=$$(abspath $$(SYSROOT_$(1))) \
	-Ikmod -Iqemu -Iuserspace/include -MMD -MP -o $$@
$(GUEST_$(1))/%: GUEST_LINK = $$(GUEST_CC) -std=c11 -static $$< $$(filter %.o,$$^) -lpthread

$(GUEST_$(1))/init: qemu/guest/init.c $(SYSROOT_$(1)).key
	@mkdir -p $$(@D)
	$$(call tell,GUEST)
	$$(Q)$$(GUEST_LINK)

# What the module does with a log that it finds is the same code here.
$(GUEST_$(1))/kmod/cut: $(FOUND:%=$(GUEST_$(1))/%.o)
$(FOUND:%=$(GUEST_$(1))/%.o): $(GUEST_$(1))/%.o: kmod/%.c $(SYSROOT_$(1)).key
	@mkdir -p $$(@D)
	$$(call tell,GUEST)
	$$(Q)$$(GUEST_CC) -std=gnu11 -c $$<

$(GUEST_$(1))/kmod/%: tests/kmod/%.c $(SYSROOT_$(1)).key
	@mkdir -p $$(@D)
	$$(call tell,GUEST)
	$$(Q)$$(GUEST_LINK)

$(GUEST_$(1))/%: tests/bench/%.c $(SYSROOT_$(1)).key
	@mkdir -p $$(@D)
	$$(call tell,GUEST)
	$$(Q)$$(GUEST_LINK)
endef
$(foreach a,$(ARCHES),$(eval $(call guest_programs,$(a))))

# Some of these once more as 32-bit programs, for tests/kmod/test_compat.sh.
ARM32_PROGRAMS := $(addprefix build/guest-arm32/,access log)
$(ARM32_PROGRAMS): build/guest-arm32/%: tests/kmod/%.c | packages
	@mkdir -p $(@D)
	$(call tell,GUEST)
	$(Q)arm-linux-gnueabihf-gcc -std=c11 $(WARNINGS) -O2 -g -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
		-Ikmod -Iqemu -Iuserspace/include -MMD -MP -o $@ -static $< -lpthread
guest-4k: $(ARM32_PROGRAMS)

# What runs beside guests, on this machine.
build/tpm-proxy: qemu/tpm-proxy.h
build/tpm-proxy build/watch-writes: build/%: qemu/%.c | packages
	@mkdir -p $(@D)
	$(call tell,HOST)
	$(Q)gcc -std=c11 $(WARNINGS) $(CFLAGS_host) -o $@ $<

# What a reset can leave of a log in memory, judged by the module's own code on this machine.
build/orders: build/host/tests/e2e/orders.o $(FOUND:%=build/host/kmod/%.o)
	$(call tell,HOST)
	$(Q)gcc $(LDFLAGS_host) -o $@ $^ $(LIBS_CORE)

guest_needs = $(SYSROOT_$(1)) $(addprefix $(GUEST_$(1))/,init $(GUEST_PROGRAMS)) build/$(1)/assay build/$(1)/assay-initrd
$(foreach f,$(ALL_FLAVOURS),$(eval guest-$(f): build/kernel/$(f) build/kmod/$(f)/.made \
	build/tpm-proxy build/watch-writes build/orders $(call guest_needs,$(call arch_of,$(f)))))
.PHONY: $(ALL_FLAVOURS:%=guest-%)

# What tests of a whole system install in it: see tests/run.sh, system/.
.PHONY: system-needs
system-needs: build/device-root build/kernel/4k build/loop build/kmod/4k/.made $(call guest_needs,arm64) \
		$(PROGRAMS:%=build/arm64/%) build/arm64/assayd build/arm64/assay-initrd build/arm64/parser-faults
	@rm -rf build/system
	$(Q)$(MAKE) --no-print-directory install INSTALL_FROM=arm64 PREFIX=/usr DESTDIR=$(CURDIR)/build/system >/dev/null
	@# The one library that Debian 13 has under another name only.
	@mkdir -p build/system/usr/lib/aarch64-linux-gnu
	@cp -P build/sysroot/usr/lib/aarch64-linux-gnu/libcbor.so.0* build/system/usr/lib/aarch64-linux-gnu/

# And an initramfs for it, which a guest makes with assay's own scripts: see tests/e2e/test_initramfs_boot.sh.
.PHONY: initramfs-tools-needs dracut-needs
initramfs-tools-needs dracut-needs: %-needs: system-needs build/host/assay
	$(Q)qemu/device-initrd $* build/device-$* >/dev/null

# ---------------------------------------------------------------- tests
UNIT_TESTS := $(patsubst tests/unit/%.c,build/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_SUPPORT := $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))

build/unit/test_options: build/asan/userspace/cmd/options.o
build/unit/test_push: UNIT_LIBS := -lcurl
build/unit/test_merged: build/asan/userspace/contents/merged.o
build/unit/test_contents_confined: $(addprefix build/asan/userspace/contents/,confined.o opener.o)
build/unit/test_contents_confined: UNIT_LIBS := -lseccomp -lcap
build/unit/test_found: $(FOUND:%=build/asan/kmod/%.o)
# Each with systemd's libraries, but those that are called ..._plain.
ASSAYD_TESTS := $(filter build/unit/test_assayd_%,$(UNIT_TESTS))
$(ASSAYD_TESTS): build/asan/libassayd.a
$(filter-out %_plain,$(ASSAYD_TESTS)): $(ASSAYD_SYSTEMD:%=build/asan/userspace/assayd/%.o)
$(filter %_plain,$(ASSAYD_TESTS)): $(ASSAYD_PLAIN:%=build/asan/userspace/assayd/%.o)
$(filter build/unit/test_assayd_%,$(UNIT_TESTS)): UNIT_LIBS := $(LIBS_ASSAYD) -lsystemd
FLEET_TESTS := $(filter build/unit/test_fleet_%,$(UNIT_TESTS))
$(FLEET_TESTS): build/asan/userspace/cmd/options.o build/asan/libassay-fleet.a
$(filter build/unit/test_fleet_%,$(UNIT_TESTS)): UNIT_LIBS := $(LIBS_FLEET)
build/unit/%: build/asan/tests/unit/%.o $(UNIT_SUPPORT:%.c=build/asan/%.o) \
		build/asan/libassay-tpm.a build/asan/libassay.a
	@mkdir -p $(@D)
	$(call tell,UNIT)
	$(Q)gcc $(LDFLAGS_asan) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
		-Wl,--end-group -lcmocka $(UNIT_LIBS) $(LIBS_TPM) $(LIBS_CORE)

# The tests of what works with threads, which need nothing but these and libcrypto. (TSAN does not
# know the fences of the device's client, which has no threads.)
THREAD_TESTS := build/thread/test_bytes_digest build/thread/test_library_threads \
	build/thread/test_pcrs build/thread/test_trust_threads build/thread/test_verity_pool \
	build/thread/test_verity_mapped build/thread/test_verity_sparse build/thread/test_verity_ahead build/thread/test_work
THREAD_LIB := $(filter-out userspace/lib/log/device.c, \
	$(filter userspace/lib/base/% userspace/lib/verity/% userspace/lib/log/% \
		userspace/lib/memory/value.c,$(LIB_SOURCES)))
build/thread/test_%: build/tsan/tests/unit/test_%.o build/tsan/tests/unit/support.o \
		build/tsan/tests/unit/log_builder.o build/tsan/tests/unit/verity_fixture.o \
		$(THREAD_LIB:%.c=build/tsan/%.o)
	@mkdir -p $(@D)
	$(call tell,UNIT)
	$(Q)gcc $(LDFLAGS_tsan) -o $@ $^ -lcmocka $(LIBS_CORE)

# The verifier's library and all that it needs, on real evidence.
build/tsan/libassay-threads.a: $(patsubst %.c,build/tsan/%.o, \
		$(filter-out userspace/lib/log/device.c,$(LIB_SOURCES)))
	@rm -f $@; ar rcs $@ $^

build/thread/test_trust_threads: build/tsan/tests/unit/sign_fixture.o
build/thread/test_library_threads build/thread/test_trust_threads: build/thread/%: \
		build/tsan/tests/unit/%.o build/tsan/tests/unit/support.o build/tsan/libassay-threads.a
	@mkdir -p $(@D)
	$(call tell,UNIT)
	$(Q)gcc $(LDFLAGS_tsan) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka $(LIBS_CORE)

FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/libassay.a
	@mkdir -p $(@D)
	$(call tell,FUZZ)
	$(Q)clang $(LDFLAGS_fuzz) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(FUZZ_LIBS) $(LIBS_CORE)

# What the module does with a log that it finds is the same code there.
build/fuzz/fuzz_adopt: $(FOUND:%=build/fuzz/kmod/%.o)
build/fuzz/fuzz_mirror: build/fuzz/kmod/mirror.o build/fuzz/kmod/frame.o
build/fuzz/fuzz_deb: $(addprefix build/fuzz/userspace/contents/,deb.o merged.o unpack.o)
build/fuzz/fuzz_deb: FUZZ_LIBS := -larchive
build/fuzz/fuzz_image: $(addprefix build/fuzz/userspace/contents/,image.o image_blob.o merged.o opener.o unpack.o)
build/fuzz/fuzz_image: FUZZ_LIBS := -larchive
build/fuzz/fuzz_options: build/fuzz/userspace/cmd/options.o
build/fuzz/fuzz_fleet: build/fuzz/userspace/cmd/options.o build/fuzz/libassay-fleet.a
build/fuzz/fuzz_fleet: FUZZ_LIBS := $(LIBS_FLEET)
build/fuzz/fuzz_assayd_config: $(addprefix build/fuzz/userspace/assayd/,config.o config_keys.o config_files.o)
build/fuzz/fuzz_assayd_call: $(addprefix build/fuzz/userspace/assayd/,http_head.o varlink_interface.o varlink_message.o varlink_parse.o)

.PHONY: test test-list unit fuzzers fuzz lint lint-needs
test:
	$(live)@tests/run.sh "$(T)"

test-list:
	@tests/run.sh --list

unit: $(UNIT_TESTS) $(THREAD_TESTS)
fuzzers: $(FUZZERS)

# A million runs each, which takes a while; `make test` has a few seconds of each.
fuzz: fuzzers
	$(live)@tests/fuzz.sh "$(F)"

lint-needs: build/kernel/64k build/sysroot | packages

lint: lint-needs
	@tests/lint $(L)

# The long forms of some tests; S='fuzz cut' only those (tests/soak.sh). What they need is built for each.
.PHONY: soak
soak: packages
	$(live)@tests/soak.sh $(S)

# ---------------------------------------------------------------- demo
# OpenSSL 3.5, for the tests of what Debian 12's does not know.
.PHONY: newer-openssl
newer-openssl: | packages
	$(Q)qemu/newer-openssl build/newer-openssl >/dev/null

.PHONY: demo demo-needs
demo-needs: build/host/assay build/host/assay-push build/host/assay-verify build/arm64/assayd-plain guest-64k

demo: demo-needs
	$(live)@tests/e2e/demo.sh

.PHONY: demo-fleet fleet-guests-needs
fleet-guests-needs: build/host/assay build/host/assay-push build/host/assay-verify build/host/assay-fleet build/host/fleet-load \
		build/net build/kernel/4k build/kmod/4k/.made build/arm64/assayd $(call guest_needs,arm64)

demo-fleet: fleet-guests-needs
	$(live)@tests/e2e/demo-fleet.sh

# A whole device, from its firmware on.
.PHONY: demo-device device-needs
device-needs: initramfs-tools-needs build/boot-tools package-trixie-arm64

demo-device: device-needs
	$(live)@tests/e2e/device.sh

# One of x86-64 that is installed as its manual says, for make soak S=device-debian.
.PHONY: device-debian-needs
device-debian-needs: build/host/assay build/kernel/amd64 build/sysroot-amd64 build/guest-amd64/init package-trixie-amd64

# A guest whose owner has enrolled a key of his own, for make soak S=mok.
.PHONY: mok-needs
mok-needs: build/kernel/4k build/kmod/4k/.made build/arm64/assay build/guest/init build/boot-tools
	$(Q)qemu/mok-tools build/mok-tools >/dev/null

# ---------------------------------------------------------------- attestation in CI
.PHONY: attest-ci
attest-ci: demo-needs
	$(live)@tests/e2e/attest-ci.sh

# ---------------------------------------------------------------- benchmarks
# tests/bench/NAME.sh prints what it measures; its last line is one JSON object
# {"name", "ours", "peer", "ratio", "unit", "runs"}, kept in build/bench/NAME.json.
BENCHMARKS := $(filter-out %-guest,$(patsubst tests/bench/%.sh,%,$(wildcard tests/bench/*.sh)))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,build/guest/%,$(wildcard tests/bench/*.c))

.PHONY: bench bench-needs $(BENCHMARKS:%=bench-%)
bench-needs: demo-needs guest-4k guest-16k $(BENCH_PROGRAMS) build/host/sign-steps build/host/fleet-load \
	build/host/assay-fleet build/arm64/assay build/arm64/assay-initrd library

# One after the other: they would disturb each other.
# The table at the end is of all that have a result, also where one failed. So that all take some ten
# minutes, these have fewer runs than by themselves, and bench-read and bench-memory one guest for both.
BENCH_FORM_claim := RUNS=3
BENCH_FORM_digest := ROUNDS=5
BENCH_FORM_fleet := SECONDS_LONG=30
BENCH_FORM_sign := RUNS=3
BENCH_FORM_syscall := RUNS=2
BENCH_FORM_verify := ROUNDS=3
bench: bench-needs
	$(live)@mkdir -p build/bench; touch build/bench/started; failed=; \
		$(foreach name,$(BENCHMARKS),env BENCH_STARTED=build/bench/started $(BENCH_FORM_$(name)) tests/bench.sh $(name) || failed="$$failed $(name)"; ) \
		/usr/bin/python3 tests/bench/table.py show build/bench && \
		if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

# What was measured, into the documents.
.PHONY: measured
measured:
	@/usr/bin/python3 tests/bench/table.py keep build/bench
	@/usr/bin/python3 tests/bench/table.py write

$(BENCHMARKS:%=bench-%): bench-%: bench-needs
	$(live)@tests/bench.sh $*

# ---------------------------------------------------------------- install
# The directories have their usual names (GNU Coding Standards, "Directory Variables"); where systemd, udev,
# initramfs-tools, dracut and the shells look for files each has one more. DESTDIR goes before all of them.
PREFIX ?= /usr/local
prefix ?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
sbindir ?= $(exec_prefix)/sbin
libdir ?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
datadir ?= $(datarootdir)
docdir ?= $(datarootdir)/doc/assay
mandir ?= $(datarootdir)/man
pkgconfigdir ?= $(libdir)/pkgconfig
unitdir ?= $(prefix)/lib/systemd/system
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
sysusersdir ?= $(prefix)/lib/sysusers.d
udevrulesdir ?= $(prefix)/lib/udev/rules.d
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d
# Scripts that an initramfs takes from below one of two prefixes, whatever libdir (policy/initramfs-tools).
privatedir := $(prefix)/lib/assay
# Where initramfs-tools and dracut look, whatever the prefix.
initramfsdir ?= /usr/share/initramfs-tools
dracutdir ?= /usr/lib/dracut/modules.d
# Where apt looks.
aptconfdir ?= /etc/apt/apt.conf.d

# into DIRECTORY MODE FILE...
into = install -d '$(DESTDIR)$(strip $(1))' && install -m $(2) $(3) '$(DESTDIR)$(strip $(1))/'

.PHONY: install install-apt install-contents install-library install-service install-initrd install-manuals install-completions clean help
# INSTALL_FROM: whose programs; another machine's with INSTALL_FROM=arm64.
INSTALL_FROM ?= host
INSTALLED := $(PROGRAMS:%=build/$(INSTALL_FROM)/%)
install: $(if $(filter host,$(INSTALL_FROM)),install-library) install-service install-initrd install-apt install-manuals install-completions $(INSTALLED)
	$(call into,$(bindir),755,$(INSTALLED))
	$(call into,$(udevrulesdir),644,policy/70-assay.rules)

# The shells look for a file by the name of the program; zsh, for one that names it in its first line.
COMPLETED := assay assay-initrd assay-push assay-verify assayd
install-completions:
	$(call complete,$(COMPLETED))

# complete PROGRAM...
define complete
	install -d '$(DESTDIR)$(bashcompletiondir)' '$(DESTDIR)$(zshcompletiondir)' '$(DESTDIR)$(fishcompletiondir)'
	for program in $(1); do \
		install -m 644 completions/assay.bash '$(DESTDIR)$(bashcompletiondir)'/$$program && \
		install -m 644 completions/assay.fish '$(DESTDIR)$(fishcompletiondir)'/$$program.fish && \
		sed "1s/.*/#compdef $$program/" completions/assay.zsh >'$(DESTDIR)$(zshcompletiondir)'/_$$program && \
		chmod 644 '$(DESTDIR)$(zshcompletiondir)'/_$$program || exit 1; \
	done
endef

install-manuals:
	@for page in $(filter-out $(FLEET_MANUALS),$(wildcard man/*.[1-8])); do \
		section='$(DESTDIR)$(mandir)'/man$${page##*.}; \
		install -d "$$section" && install -m 644 $$page "$$section/" || exit 1; \
	done

# The service, for systemd; its configuration is left to the administrator.
install-service: build/$(INSTALL_FROM)/assayd
	$(call into,$(sbindir),755,$<)
	install -d '$(DESTDIR)$(unitdir)' '$(DESTDIR)$(tmpfilesdir)' '$(DESTDIR)$(sysusersdir)'
	sed 's,@SBINDIR@,$(sbindir),' policy/assayd.service >'$(DESTDIR)$(unitdir)/assayd.service'
	chmod 644 '$(DESTDIR)$(unitdir)/assayd.service'
	install -m 644 policy/assay.tmpfiles '$(DESTDIR)$(tmpfilesdir)/assay.conf'
	install -m 644 policy/assay.sysusers '$(DESTDIR)$(sysusersdir)/assay.conf'

# What an initramfs needs, where initramfs-tools, dracut and systemd look for it.
install-initrd: build/$(INSTALL_FROM)/assay-initrd
	$(call into,$(bindir),755,$<)
	$(call into,$(privatedir),755,policy/initrd-load)
	$(call into,$(unitdir),644,policy/assay-initrd.service)
	$(call into,$(initramfsdir)/hooks,755,policy/initramfs-tools/hooks/assay)
	$(call into,$(initramfsdir)/scripts/local-bottom,755,policy/initramfs-tools/scripts/local-bottom/assay)
	$(call into,$(dracutdir)/95assay,755,policy/dracut/95assay/module-setup.sh policy/dracut/95assay/assay.sh)
	$(call into,$(dracutdir)/95assay,644,policy/assay-initrd.service)
	$(call into,$(docdir)/measure.d,644,policy/measure.d/*.conf)
	$(call into,$(docdir)/enforce,644,policy/enforce/*)

# For build hosts: what `assay sign --deb` and `--oci` run, which needs libarchive.
install-contents: build/$(INSTALL_FROM)/assay-contents
	$(call into,$(bindir),755,$<)

# What apt runs after dpkg.
install-apt:
	$(call into,$(privatedir),755,policy/apt/after-dpkg)
	$(call into,$(aptconfdir),644,policy/apt/80assay)

# The fleet's verifier, for a machine that judges others.
.PHONY: install-fleet
install-fleet: build/host/assay-fleet
	install -d '$(DESTDIR)$(sbindir)' '$(DESTDIR)$(unitdir)' '$(DESTDIR)$(sysusersdir)'
	install -m 644 policy/assay-fleet.sysusers '$(DESTDIR)$(sysusersdir)/assay-fleet.conf'
	$(foreach page,$(FLEET_MANUALS),$(call into,$(mandir)/man$(subst .,,$(suffix $(page))),644,$(page)) &&) true
	$(call complete,assay-fleet)
	install -m 755 build/host/assay-fleet '$(DESTDIR)$(sbindir)/'
	sed 's,@SBINDIR@,$(sbindir),' policy/assay-fleet.service >'$(DESTDIR)$(unitdir)/assay-fleet.service'
	chmod 644 '$(DESTDIR)$(unitdir)/assay-fleet.service'
	install -m 644 policy/assay-fleet.socket '$(DESTDIR)$(unitdir)/'

install-library: library
	install -d '$(DESTDIR)$(libdir)' '$(DESTDIR)$(pkgconfigdir)' '$(DESTDIR)$(includedir)'
	install -m 644 build/shared/$(LIB_NAME) '$(DESTDIR)$(libdir)/$(LIB_NAME).$(LIB_VERSION)'
	ln -sf $(LIB_NAME).$(LIB_VERSION) '$(DESTDIR)$(libdir)/$(LIB_SONAME)'
	ln -sf $(LIB_SONAME) '$(DESTDIR)$(libdir)/$(LIB_NAME)'
	install -m 644 userspace/include/assay-verify.h '$(DESTDIR)$(includedir)/'
	sed 's,@PREFIX@,$(prefix),; s,@LIBDIR@,$(libdir),; s,@INCLUDEDIR@,$(includedir),; s,@VERSION@,$(LIB_VERSION),' \
		userspace/lib/verify/libassay-verify.pc.in >'$(DESTDIR)$(pkgconfigdir)/libassay-verify.pc'
	chmod 644 '$(DESTDIR)$(pkgconfigdir)/libassay-verify.pc'

# ---------------------------------------------------------------- distribution
# What stands in the repository, with what is changed in it; in an unpacked tarball, all but build/.
DIST_FILES = { git ls-files --cached --others --exclude-standard 2>/dev/null || find . '(' -type f -o -type l ')' -not -path './build/*' | sed 's,^\./,,'; } | \
	while IFS= read -r file; do [ ! -e "$$file" ] || printf '%s\n' "$$file"; done | LC_ALL=C sort

# The same files give the same bytes: the time is that of the newest entry of debian/changelog.
DIST := build/dist/assay-$(LIB_VERSION).tar.xz
.PHONY: dist dist-files package
dist-files:
	@$(DIST_FILES)

dist:
	@mkdir -p $(dir $(DIST))
	$(Q)epoch=$$(date -d "$$(sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)" +%s) && \
		$(DIST_FILES) | LC_ALL=C tar -c --verbatim-files-from -T - --sort=name --format=gnu --mtime="@$$epoch" \
			--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --transform='s,^,assay-$(LIB_VERSION)/,S' | \
		xz -6 --threads=1 >$(DIST).new && mv $(DIST).new $(DIST)
	@echo $(DIST)

# For editors and analysers (clangd): how each file of what is installed is compiled, by the rules above.
COMPILE_COMMANDS = [inputs | select(test(" -c -o [^ ]+[.]o [^ ]+[.]c$$")) | sub("^[ \t]+"; "") | \
	{directory: $$directory, command: ., file: (split(" ") | last)}]
.PHONY: compile_commands.json
compile_commands.json:
	$(Q)$(MAKE) --no-print-directory -n -B NO_BED=1 $(PROGRAMS:%=build/host/%) build/host/assayd build/host/assay-initrd \
			build/host/assay-fleet | \
		jq -R -n --arg directory '$(CURDIR)' '$(COMPILE_COMMANDS)' >$@.new && mv $@.new $@

# Debian packages for releases of Debian: build/package/SUITE-ARCH/*.deb, see qemu/package.
PACKAGES := $(foreach a,$(ARCHES),bookworm-$(a) trixie-$(a))
package: package-bookworm-$(shell dpkg --print-architecture) package-trixie-arm64

.PHONY: $(PACKAGES:%=package-%)
$(PACKAGES:%=package-%): package-%: | packages
	$(live)$(Q)qemu/package $(subst -, ,$*) build/package/$*

clean:
	rm -rf build

help:
	@printf '%s\n' \
		'make demo          the whole chain on real input: sign, boot, measure, quote, verify, attacks' \
		'make demo-fleet    a verifier of 204 devices, three of them guests with assayd; two are tampered with' \
		'make demo-device   a Debian 13 device from its firmware on: installed, booted, measured, judged; attacks at each stage' \
		'make attest-ci     a device enrolled, quoted and judged as a CI job does: build/attest-ci' \
		'make test          every test; T=PATTERN only those whose name has it (make test-list)' \
		'make soak          the long forms of some tests, and two kernels more; S= some of them (tests/soak.sh)' \
		'make fuzz          every fuzz target a million times (RUNS=); F=PATTERN only some' \
		'make lint          checks of the sources; L=NAME one of them (tests/lint --list)' \
		'make bench         every benchmark, and a table of them; bench-NAME one of: $(BENCHMARKS)' \
		'make measured      what they measured, into docs/performance.md and README.md' \
		'make all           programs (build/host, build/arm64, build/amd64) and modules (build/kmod/FLAVOUR)' \
		'make deps          packages, kernels and sysroots only; all other targets do what they need' \
		'make install       programs, libassay-verify, man pages, completions, udev rule, service; prefix=$(prefix), DESTDIR=' \
		'make package       Debian packages for this machine and for a Debian 13 on arm64: build/package/SUITE-ARCH; or one of: $(PACKAGES:%=package-%)' \
		'make compile_commands.json   how each file is compiled, for clangd and the like' \
		'make dist          the sources as build/dist/assay-VERSION.tar.xz, the same bytes from the same files' \
		'make clean         removes build/ (the cache stays: see qemu/README.md)' \
		'FLAVOUR is one of: $(ALL_FLAVOURS) (kernel of the guest: qemu/README.md)'
