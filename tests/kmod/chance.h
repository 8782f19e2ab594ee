/* SPDX-License-Identifier: MIT */
/* Random numbers that a seed repeats, for tests in guests. */
#ifndef TESTS_KMOD_CHANCE_H
#define TESTS_KMOD_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

/* Vigna's splitmix64 */
static inline uint64_t draw(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint64_t below(struct chance *chance, uint64_t limit)
{
	return draw(chance) % limit;
}

static inline bool one_in(struct chance *chance, uint64_t n)
{
	return below(chance, n) == 0;
}

#endif /* TESTS_KMOD_CHANCE_H */
