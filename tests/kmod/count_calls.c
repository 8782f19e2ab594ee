// SPDX-License-Identifier: MIT
/*
 * count_calls FILE COMMAND [ARGUMENT]...: run a command and write to FILE how many system
 * calls it made, so that a test can see on what their number depends.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long stops = 0;
	int status, sent = 0;
	FILE *file;
	pid_t child;

	if (argc < 3)
		return 2;
	child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD) != 0)
		return 126;
	/* A call stops it twice, where it begins and where it ends. */
	while (ptrace(PTRACE_SYSCALL, child, NULL, (void *)(long)sent) == 0 &&
	       waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		sent = WSTOPSIG(status);
		stops += sent == (SIGTRAP | 0x80);
		/* Nor is the one after an exec for the command. */
		if ((sent & ~0x80) == SIGTRAP)
			sent = 0;
	}
	file = fopen(argv[1], "w");
	if (!file || fprintf(file, "%lu\n", stops / 2) < 0 || fclose(file) != 0)
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
