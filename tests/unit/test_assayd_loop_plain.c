// SPDX-License-Identifier: MIT
/* The same of the loop that has no libsystemd: the Makefile links it with loop_epoll.o. */
#include "test_assayd_loop.c" // NOLINT(bugprone-suspicious-include)
