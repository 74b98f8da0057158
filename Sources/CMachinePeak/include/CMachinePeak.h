#ifndef C_MACHINE_PEAK_H
#define C_MACHINE_PEAK_H

#include <stdint.h>

// What one core can do at best: loops that do nothing but fused multiply-adds, and loops that do nothing but read.
// The widest instructions that this processor has are chosen when a loop is called. Both run on the calling thread.

/// The instructions that the loops use here: "avx512f", "avx2+fma", or "plain".
const char *machine_peak_instructions(void);

/// Runs `rounds` rounds of float32 fused multiply-adds in registers.
/// - Returns: floating-point operations that were done, two for each element of a fused multiply-add.
uint64_t machine_peak_multiply_add(uint64_t rounds);

/// Memory for `count` float32, all ones, in huge pages where the system gives them; NULL where there is none. Given back by
/// machine_peak_release.
float *machine_peak_memory(uint64_t count);
void machine_peak_release(float *memory, uint64_t count);

/// Reads `count` float32 from `from` once, in eight streams side by side. The sum is only returned so that nothing is left out.
float machine_peak_read(const float *from, uint64_t count);

#endif
