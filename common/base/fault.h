#pragma once

/*
 * fault - named points at which a test can make a process die, as if by `kill -9`.
 *
 * ACTIVESTACK_FAULT=after-commit:3 kills the process when it comes to the point "after-commit"
 * for the third time. Compiled in only with the meson option `faults`, which tests/run sets; in
 * any other build a point is nothing and the variable is a mistake.
 */

#ifdef ACTIVESTACK_FAULTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif
