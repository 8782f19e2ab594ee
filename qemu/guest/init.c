// SPDX-License-Identifier: MIT
/*
 * PID 1 of a test guest: mounts what a test expects, loads the stock kernel's
 * modules, runs one program with its standard output on the virtio port
 * org.assay.0, sends the files below /out as a tar to org.assay.out, and ends
 * the machine with an exit status of QEMU's own.
 *
 * A panic, a reset and a power-off all end QEMU with 0, so 0 is never a result:
 * the statuses below are, and run-guest takes anything else as a lost guest. Where PID 1
 * cannot end QEMU so, the status is what it writes to the port org.assay.end.
 *
 * Settings come as kernel parameters, which the kernel hands to PID 1 in its
 * environment: bed_root=DEVICE makes an ext4 there the root, bed_init=PATH names
 * the program, bed_modules=none leaves the modules alone.
 *
 * bed_timeout=SECONDS is how long the guest may run: what still runs then is told on the console.
 *
 * With bed_system=yes the ext4 is a whole system (qemu/device-root): it is given the initramfs'
 * files, /bed/prepare is run in it as a package's scripts would be, and its own init becomes PID 1.
 * That starts this program once more, as `init --service`, to run the test and end the machine.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef __aarch64__
#include <sys/io.h>
#include <sys/reboot.h>
#endif
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What run-guest knows too. */
enum bed_status {
	BED_PASS = 42,
	BED_SKIP = 43,
	BED_FAIL = 44,
	BED_BROKEN = 45, /* the bed itself: no port, no root, no program */
};

#define BED_EXIT_PORT 0xf4 /* where run-guest has put isa-debug-exit */
#define SKIP_STATUS 77	   /* of the program: as with automake */
#define BUSYBOX "/bed/busybox"

#ifdef __aarch64__
/* Arm semihosting, operation SYS_EXIT with ADP_Stopped_ApplicationExit. */
static void tell_machine(enum bed_status status)
{
	const uint64_t block[2] = { 0x20026, (uint64_t)status };
	/* No call may come between these and the instruction. */
	register uint64_t operation __asm__("x0") = 0x18;
	register const uint64_t *argument __asm__("x1") = block;

	__asm__ volatile("hlt #0xf000" : "+r"(operation) : "r"(argument) : "memory");
}
#else
static int find_port(const char *wanted);

/*
 * QEMU's isa-debug-exit: QEMU ends with 2 * status + 1. A kernel that is locked down, as Secure
 * Boot has it, leaves no port to programs: the status goes to the host by the virtio port then, and
 * the power off.
 */
static void tell_machine(enum bed_status status)
{
	int port;

	if (ioperm(BED_EXIT_PORT, 4, 1) == 0)
		outl(status, BED_EXIT_PORT);
	port = find_port("org.assay.end");
	if (port < 0)
		return;
	dprintf(port, "%d\n", status);
	close(port);
	reboot(RB_POWER_OFF);
}
#endif

static void __attribute__((noreturn)) end_machine(enum bed_status status)
{
	sync();
	tell_machine(status);
	for (;;)
		pause();
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	dprintf(STDERR_FILENO, "bed: ");
	vdprintf(STDERR_FILENO, format, arguments);
	dprintf(STDERR_FILENO, "\n");
	va_end(arguments);
}

static void __attribute__((noreturn, format(printf, 1, 2))) broken(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	dprintf(STDERR_FILENO, "bed: broken: ");
	vdprintf(STDERR_FILENO, format, arguments);
	dprintf(STDERR_FILENO, "\n");
	va_end(arguments);
	end_machine(BED_BROKEN);
}

/* Mounts what exists in this kernel; a test that needs more says so itself. */
static void mount_at(const char *type, const char *target, const char *options)
{
	mkdir(target, 0755);
	if (mount(type, target, type, 0, options) && errno != EBUSY && errno != ENODEV)
		say("cannot mount %s on %s: %s", type, target, strerror(errno));
}

static void mount_system(void)
{
	mount_at("proc", "/proc", NULL);
	mount_at("sysfs", "/sys", NULL);
	mount_at("devtmpfs", "/dev", NULL);
	mount_at("securityfs", "/sys/kernel/security", NULL);
	mount_at("debugfs", "/sys/kernel/debug", NULL);
	mount_at("tracefs", "/sys/kernel/tracing", NULL);
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		return;
	for (int standard = 0; standard <= 2; standard++)
		dup2(fd, standard);
	if (fd > 2)
		close(fd);
}

static void load_modules(void)
{
	FILE *list = fopen("/bed/modules.list", "re");
	char name[NAME_MAX + 1], path[PATH_MAX];

	if (!list)
		return;
	while (fgets(name, sizeof(name), list)) {
		int fd;

		name[strcspn(name, "\n")] = '\0';
		snprintf(path, sizeof(path), "/bed/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			broken("cannot open %s: %s", path, strerror(errno));
		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			broken("cannot load %s: %s", path, strerror(errno));
		close(fd);
	}
	fclose(list);
}

static void wait_a_little(void)
{
	const struct timespec pause_time = { .tv_nsec = 10 * 1000 * 1000 };

	nanosleep(&pause_time, NULL);
}

/* How long the machine has run, in seconds; on arm64 the kernels before a kexec count. */
static uint64_t seconds_run(void)
{
#ifdef __aarch64__
	uint64_t count, frequency;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	return count / frequency;
#else
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
#endif
}

/* Each processor, the tasks that are blocked, all tasks, memory: the kernel's sysrq.rst. */
static const char sysrq_requests[] = "lwtm";

static void __attribute__((noreturn)) tell_when_late(uint64_t limit, int sysrq, int kmsg)
{
	const struct sched_param first = { .sched_priority = 1 };
	uint64_t now;
	char line[64];
	int length;

	sched_setscheduler(0, SCHED_FIFO, &first); /* whatever keeps the processors busy */
	while ((now = seconds_run()) < limit) {
		const struct timespec rest = { .tv_sec = (time_t)(limit - now) };

		nanosleep(&rest, NULL);
	}
	/* One line among the kernel's, for run-guest. Not by dprintf, which seeks. */
	length = snprintf(line, sizeof(line), "bed: still running after %llu s\n",
			  (unsigned long long)now);
	if (write(kmsg, line, (size_t)length) != length)
		say("cannot write to the kernel's log: %s", strerror(errno));
	for (const char *request = sysrq_requests; *request; request++)
		if (write(sysrq, request, 1) != 1)
			say("sysrq %c: %s", *request, strerror(errno));
	_exit(0);
}

/* Has a process of its own tell where the machine is once its time has run out. */
static void watch_time(const char *setting)
{
	uint64_t limit = setting ? strtoull(setting, NULL, 10) : 0;
	int sysrq = limit ? open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC) : -1;
	int kmsg = limit ? open("/dev/kmsg", O_WRONLY | O_CLOEXEC) : -1;
	pid_t watcher = sysrq < 0 || kmsg < 0 ? -1 : fork();

	if (watcher == 0)
		tell_when_late(limit, sysrq, kmsg);
	if (limit && watcher < 0)
		say("nothing watches the time: %s", strerror(errno));
	if (sysrq >= 0)
		close(sysrq);
	if (kmsg >= 0)
		close(kmsg);
}

/* Whether the file holds exactly the text and a newline. */
static bool file_says(const char *path, const char *text)
{
	char found[128] = "";
	FILE *file = fopen(path, "re");
	bool same;

	if (!file)
		return false;
	same = fgets(found, sizeof(found), file);
	fclose(file);
	found[strcspn(found, "\n")] = '\0';
	return same && strcmp(found, text) == 0;
}

/*
 * A port is found by its name. Opening a /dev/vportNpM that does not exist would
 * create a file, and the result would go nowhere: hence no O_CREAT, and S_ISCHR.
 * -1 where there is none (yet), or no device. It never ends the machine, as the end of the
 * machine asks for a port as well.
 */
static int find_port(const char *wanted)
{
	DIR *ports = opendir("/sys/class/virtio-ports");
	struct dirent *port;
	struct stat status;
	char path[PATH_MAX];
	int fd = -1;

	while (ports && (port = readdir(ports))) {
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", port->d_name);
		if (!file_says(path, wanted))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", port->d_name);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && (fstat(fd, &status) || !S_ISCHR(status.st_mode))) {
			close(fd);
			fd = -1;
		}
		break;
	}
	if (ports)
		closedir(ports);
	return fd;
}

static int open_port(const char *wanted)
{
	for (int tries = 0; tries < 300; tries++, wait_a_little()) {
		int port = find_port(wanted);

		if (port >= 0)
			return port;
	}
	broken("no virtio port that is a device is called %s", wanted);
}

/* Runs a program, reaps what is left to PID 1, returns the program's wait status. */
static int run(const char *const arguments[], int output)
{
	pid_t child = fork(), ended;
	int status;

	if (child < 0)
		broken("cannot fork: %s", strerror(errno));
	if (child == 0) {
		int input = open("/dev/null", O_RDONLY);

		setsid();
		if (input >= 0)
			dup2(input, STDIN_FILENO);
		if (output >= 0)
			dup2(output, STDOUT_FILENO);
		execv(arguments[0], (char *const *)arguments);
		say("cannot run %s: %s", arguments[0], strerror(errno));
		_exit(126);
	}
	do
		ended = wait(&status);
	while (ended != child && (ended > 0 || errno == EINTR));
	return ended == child ? status : -1;
}

static void carry_mount(const char *from, const char *root)
{
	char target[PATH_MAX];

	snprintf(target, sizeof(target), "%s%s", root, from);
	mkdir(target, 0755);
	if (mount(from, target, NULL, MS_MOVE, NULL))
		broken("cannot move %s to %s: %s", from, target, strerror(errno));
}

#define NEW_ROOT "/newroot"

/* /bed comes along as it is, to be gone with this guest. */
static void bind_bed(void)
{
	mkdir(NEW_ROOT "/bed", 0755);
	if (mount("/bed", NEW_ROOT "/bed", NULL, MS_BIND, NULL))
		broken("cannot bind /bed: %s", strerror(errno));
}

/* A system is given all files of the initramfs, and keeps them. */
static void copy_files(void)
{
	static const char *const own[] = { ".", "..", "init", "dev", "proc", "sys", "newroot" };
	DIR *top = opendir("/");
	struct dirent *entry;

	while (top && (entry = readdir(top))) {
		bool copied = true;

		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			copied = copied && strcmp(entry->d_name, own[i]) != 0;
		if (copied && run((const char *[]){ BUSYBOX, "cp", "-a", entry->d_name,
						    (NEW_ROOT "/"), NULL },
				  -1))
			broken("cannot copy /%s", entry->d_name);
	}
	if (!top ||
	    run((const char *[]){ BUSYBOX, "cp", "-a", "/init", (NEW_ROOT "/bed/"), NULL }, -1))
		broken("cannot copy /init");
	closedir(top);
}

/* Makes the ext4 on the device the root, with what `furnish` puts there. */
static void switch_root(const char *device, void (*furnish)(void))
{
	static const char *const root = NEW_ROOT;
	int tries = 0;

	mkdir(root, 0755);
	while (mount(device, root, "ext4", 0, NULL)) {
		if (errno != ENOENT || ++tries == 300)
			broken("cannot mount %s: %s", device, strerror(errno));
		wait_a_little();
	}
	furnish();
	carry_mount("/dev", root);
	carry_mount("/sys", root);
	carry_mount("/proc", root);
	if (chdir(root) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		broken("cannot change the root: %s", strerror(errno));
}

static void make_userland(void)
{
	static const char *const install[] = { BUSYBOX, "--install", "-s", "/bed/bin", NULL };

	mkdir("/bed/bin", 0755);
	if (run(install, -1))
		broken("busybox did not install itself");
	mkdir("/bin", 0755);
	if (access("/bin/sh", X_OK) && symlink(BUSYBOX, "/bin/sh"))
		say("cannot link /bin/sh: %s", strerror(errno));
	mkdir("/etc", 0755);
	mkdir("/root", 0700);
}

static void set_environment(void)
{
	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/bed/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("LC_ALL", "C", 1);
	setenv("TPM2TOOLS_TCTI", "device:/dev/tpmrm0", 1);
	setenv("OUT", "/out", 1);
}

/* What programs of the tests have noted becomes comments of the results. */
static void send_notes(int port)
{
	FILE *notes = fopen("/run/bed-notes", "re");
	char line[2048];

	while (notes && fgets(line, sizeof(line), notes))
		dprintf(port, "# %s", line);
	if (notes)
		fclose(notes);
}

static void send_files(void)
{
	static const char *const pack[] = { BUSYBOX, "tar", "-c", "-C", "/out", ".", NULL };
	int port = open_port("org.assay.out");

	if (run(pack, port))
		broken("cannot send the files below /out");
	close(port);
}

/* So that a disk is clean when the host looks at it. What is busy stays mounted. */
static void unmount_all(void)
{
	char targets[64][PATH_MAX];
	char line[2 * PATH_MAX], type[16];
	FILE *mounts = fopen("/proc/mounts", "re");
	size_t count = 0;

	while (mounts && count < 64 && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %4095s %15s", targets[count], type) == 2 &&
		    strcmp(type, "ext4") == 0)
			count++;
	if (mounts)
		fclose(mounts);
	while (count-- > 0)
		if (umount(targets[count]))
			mount(NULL, targets[count], NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

/*
 * A kernel that has kmemleak is asked, once the test has ended, what nothing points to any
 * more. An object is reported when it is older than KMEMLEAK_AGE and a second scan finds it as
 * the first has left it: the console gets the report, and run-guest fails the test by it.
 */
#define KMEMLEAK "/sys/kernel/debug/kmemleak"
#define KMEMLEAK_AGE 6 /* seconds; the kernel's MSECS_MIN_AGE is 5 */

static bool ask_kmemleak(const char *request)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, request, strlen(request)) == (ssize_t)strlen(request);
	close(fd);
	return done;
}

/* Only the scans that are asked for, so that no report comes and goes in between. */
static void start_leak_check(void)
{
	if (access(KMEMLEAK, F_OK) == 0 && !ask_kmemleak("scan=off"))
		broken("cannot write to " KMEMLEAK ": %s", strerror(errno));
}

static void end_leak_check(void)
{
	struct timespec grown_up;
	char line[512];
	FILE *report;

	if (access(KMEMLEAK, F_OK))
		return;
	/* What is left is there by now, and grows older while the first scan goes on. */
	clock_gettime(CLOCK_MONOTONIC, &grown_up);
	grown_up.tv_sec += KMEMLEAK_AGE;
	if (!ask_kmemleak("scan"))
		broken("kmemleak does not scan: %s", strerror(errno));
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &grown_up, NULL) == EINTR)
		;
	if (!ask_kmemleak("scan"))
		broken("kmemleak does not scan: %s", strerror(errno));
	report = fopen(KMEMLEAK, "re");
	while (report && fgets(line, sizeof(line), report))
		dprintf(STDERR_FILENO, "%s", line);
	if (report)
		fclose(report);
}

/* To the file systems' own disks, so that the next guest finds them as after an orderly end. */
static void freeze_root(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	sync();
	if (fd < 0 || ioctl(fd, FIFREEZE, 0))
		say("cannot freeze the root: %s", strerror(errno));
}

/* What still runs must not write while the disks are brought to rest. */
static void rest_disks(bool system)
{
	if (system) {
		freeze_root();
		return;
	}
	kill(-1, SIGKILL);
	while (wait(NULL) > 0)
		;
	sync();
	unmount_all();
}

/* Runs the test, sends what it leaves, ends the machine. */
static void __attribute__((noreturn)) run_test(const char *program, bool system)
{
	int port = open_port("org.assay.0");
	int status = run((const char *[]){ program, NULL }, port);

	send_notes(port);
	close(port);
	if (status < 0 || !WIFEXITED(status))
		say("the program was ended by signal %d", status < 0 ? 0 : WTERMSIG(status));
	else
		say("the program's exit status is %d", WEXITSTATUS(status));
	end_leak_check();
	send_files();
	rest_disks(system);
	if (status < 0 || !WIFEXITED(status))
		end_machine(BED_FAIL);
	if (WEXITSTATUS(status) == SKIP_STATUS)
		end_machine(BED_SKIP);
	end_machine(WEXITSTATUS(status) == 0 ? BED_PASS : BED_FAIL);
}

/* As a service of a system, which hands no kernel parameters on. */
static void __attribute__((noreturn)) run_as_service(void)
{
	char line[4096] = "", *rest, *program = NULL;
	FILE *parameters = fopen("/proc/cmdline", "re");

	if (!parameters || !fgets(line, sizeof(line), parameters))
		broken("cannot read /proc/cmdline");
	fclose(parameters);
	for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
		if (strncmp(word, "bed_init=", strlen("bed_init=")) == 0)
			program = word + strlen("bed_init=");
	mount_at("tmpfs", "/out", "mode=0755");
	set_environment();
	run_test(program ? program : "/bed/test", true);
}

/* The root is a system of its own: what comes with the test is installed, and it starts. */
static void __attribute__((noreturn)) start_system(void)
{
	set_environment();
	if (access("/bed/prepare", X_OK) == 0 && run((const char *[]){ "/bed/prepare", NULL }, -1))
		broken("/bed/prepare failed");
	clearenv();
	execl("/sbin/init", "/sbin/init", (char *)NULL);
	broken("cannot run /sbin/init: %s", strerror(errno));
}

int main(int argc, char *argv[])
{
	const char *setting = getenv("bed_root");
	char *root = setting ? strdup(setting) : NULL;
	char *program;
	bool system;

	if (argc == 2 && strcmp(argv[1], "--service") == 0)
		run_as_service();
	setting = getenv("bed_init");
	program = strdup(setting ? setting : "/bed/test");
	setting = getenv("bed_system");
	system = setting && strcmp(setting, "yes") == 0;
	setting = getenv("bed_modules");
	mount_system();
	open_console();
	watch_time(getenv("bed_timeout"));
	if (!setting || strcmp(setting, "none") != 0)
		load_modules();
	if (root)
		switch_root(root, system ? copy_files : bind_bed);
	if (system)
		start_system();
	start_leak_check();
	mount_at("tmpfs", "/tmp", "mode=1777");
	mount_at("tmpfs", "/run", "mode=0755");
	mount_at("tmpfs", "/out", "mode=0755");
	set_environment();
	make_userland();
	run_test(program, false);
}
