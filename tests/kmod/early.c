// SPDX-License-Identifier: MIT
/*
 * /dev/assay is there only when loading the module cannot fail any more: whoever opens it as
 * soon as it is there never has a file of a module that is freed. The spoil module makes
 * steps of loading fail, a second late, while a child waits for the device.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "guest.h"

#define SPOIL "/sys/module/spoil/parameters/"

static int load(const char *parameters)
{
	int module = open("/bed/assay.ko", O_RDONLY | O_CLOEXEC), result;

	need(module >= 0, "open the module");
	result = syscall(SYS_finit_module, module, parameters, 0) ? -errno : 0;
	close(module);
	return result;
}

/* Opens the device when it appears, and uses it as long as the parent has the pipe open. */
static pid_t start_opener(int *ret_pipe)
{
	int ends[2];
	pid_t child;

	need(!pipe2(ends, O_CLOEXEC), "a pipe");
	child = fork();
	need(child >= 0, "fork");
	if (!child) {
		struct assay_info info;
		char byte;
		int fd;

		close(ends[1]);
		while ((fd = open(DEVICE, O_RDWR | O_CLOEXEC)) < 0)
			sched_yield();
		need(read(ends[0], &byte, 1) == 0, "wait for the parent");
		info.flags = 0;
		_exit(call(fd, ASSAY_IOC_INFO, &info) ? 1 : 0);
	}
	close(ends[0]);
	*ret_pipe = ends[1];
	return child;
}

static void test_fails(const char *step, const char *name)
{
	char path[64];
	int end, status, result;
	long long before = read_number(SPOIL "spoiled");
	pid_t child;

	snprintf(path, sizeof(path), SPOIL "%s", step);
	need(!write_text(path, name), "tell spoil");
	child = start_opener(&end);
	result = load("");
	need(!write_text(path, "-"), "tell spoil");
	check(read_number(SPOIL "spoiled") == before + 1 && result < 0,
	      "%s %s has no memory: loading fails (%d)", step, name, result);
	check(waitpid(child, &status, WNOHANG) == 0 && access(DEVICE, F_OK),
	      "and nobody has seen the device");
	kill(child, SIGKILL);
	need(waitpid(child, &status, 0) == child, "wait");
	close(end);
	check(access("/sys/module/assay", F_OK) && access("/sys/kernel/debug/assay", F_OK) &&
		      access("/sys/devices/platform/assay/regions", F_OK),
	      "nothing of it is left");
}

static void test_loads(const char *step, const char *name)
{
	char path[64];
	int end, status;
	pid_t child;

	snprintf(path, sizeof(path), SPOIL "%s", step);
	need(!write_text(path, name), "tell spoil");
	child = start_opener(&end);
	check_is(load(""), 0,
		 strcmp(name, "-") != 0 ? "without the link the module loads" : "it loads");
	need(!write_text(path, "-"), "tell spoil");
	close(end);
	need(waitpid(child, &status, 0) == child, "wait");
	check(WIFEXITED(status) && !WEXITSTATUS(status), "who opened it at once can use it");
	check(!strcmp(name, "-") == !access(MISC "regions/0/kind", F_OK) &&
		      !access("/sys/devices/platform/assay/regions/0/kind", F_OK),
	      "the regions are there");
	unload_assay();
}

int main(void)
{

	test_fails("kobject", "regions");
	/* What the driver core does when the device is probed. */
	test_fails("link", "module");
	test_fails("link", "platform:assay");
	test_loads("link", "regions");
	test_loads("link", "-");
	return tap_end();
}
