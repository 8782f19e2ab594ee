// SPDX-License-Identifier: MIT
/*
 * A plugin of QEMU that counts the instructions that a program runs, of all its threads, and writes
 * their number to the file named by INSTRUCTIONS_FILE when it ends:
 *
 *	INSTRUCTIONS_FILE=out qemu-aarch64 -plugin instructions.so PROGRAM
 *
 * Debian's packages have no qemu-plugin.h. What is used of the interface (QEMU's manual, "QEMU TCG
 * Plugins") is declared here, as version 1 of it has it.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))
#define CALLBACK_NO_REGISTERS 0

struct qemu_plugin_tb;

typedef void (*translated)(uint64_t id, struct qemu_plugin_tb *block);
typedef void (*executed)(unsigned int cpu, void *data);
typedef void (*ended)(uint64_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated function);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed function,
					  int registers, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void qemu_plugin_register_atexit_cb(uint64_t id, ended function, void *data);

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

int qemu_plugin_version = 1;

static atomic_uint_least64_t count;

static void count_block(unsigned int cpu, void *data)
{
	(void)cpu;
	atomic_fetch_add_explicit(&count, (uintptr_t)data, memory_order_relaxed);
}

static void mark_block(uint64_t id, struct qemu_plugin_tb *block)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(block, count_block, CALLBACK_NO_REGISTERS,
					     (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void write_count(uint64_t id, void *data)
{
	const char *path = getenv("INSTRUCTIONS_FILE");
	FILE *out = path ? fopen(path, "we") : NULL;

	(void)id;
	(void)data;
	if (!out || fprintf(out, "%" PRIu64 "\n", (uint64_t)atomic_load(&count)) < 0 ||
	    fclose(out) != 0)
		perror(path ? path : "INSTRUCTIONS_FILE");
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	(void)argc;
	(void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, mark_block);
	qemu_plugin_register_atexit_cb(id, write_count, NULL);
	return 0;
}
