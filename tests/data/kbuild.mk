# SPDX-License-Identifier: MIT
# What the module's Kbuild makes of a kernel's tree: its flags and objects, printed.
include kmod/Kbuild
$(info $(ccflags-y) $(assay-y))
all: ;
