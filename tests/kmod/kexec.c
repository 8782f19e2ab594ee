// SPDX-License-Identifier: MIT
/*
 * kexec KERNEL INITRD COMMAND-LINE [COMMAND]: goes on with that kernel; does not come back.
 * COMMAND, of the shell, runs between loading and going on.
 */
#define _GNU_SOURCE
#include <linux/reboot.h>

#include "guest.h"

int main(int argc, char **argv)
{
	int kernel, initrd;

	need(argc == 4 || argc == 5, "arguments");
	kernel = open(argv[1], O_RDONLY);
	initrd = open(argv[2], O_RDONLY);
	need(kernel >= 0 && initrd >= 0, "open kernel and initrd");
	need(!syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[3]) + 1, argv[3], 0UL),
	     "kexec_file_load");
	need(argc == 4 || system(argv[4]) == 0, argv[4]);
	sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	need(false, "kexec");
	return 1;
}
