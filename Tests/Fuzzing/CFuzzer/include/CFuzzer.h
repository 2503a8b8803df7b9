// libFuzzer as a library: it comes with the compiler, and without a header of its own.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Runs the fuzzer with the arguments of a command line.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
