// libFuzzer's entry, for a program that has a main of its own.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Runs until its arguments or a finding end it; `try_input` gets one input after another, and returns 0.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*try_input)(const uint8_t *data, size_t size));
