// What the processor can do, asked of it once.

#ifndef AUSCULT_PROCESSOR_H
#define AUSCULT_PROCESSOR_H

#include <stdbool.h>

/// AVX2, FMA, F16C and what else x86-64-v3 has, in the processor and switched on by the system.
bool processor_has_avx2(void);
/// AVX-512 F, BW, CD, DQ and VL: x86-64-v4.
bool processor_has_avx512(void);
/// Dot products of bytes, AVX512-VNNI.
bool processor_has_vnni(void);
/// Dot products of bfloat16, AVX512-BF16.
bool processor_has_bf16(void);

/// AMX: products of tiles of bytes and of bfloat16, in the processor, and granted to this process by the system, which is asked for them here.
bool processor_has_amx(void);

/// Whether AMD made it.
bool processor_is_amd(void);

/// The core that the calling thread is on, or −1 where that cannot be said.
int processor_core(void);

/// The system's number of the calling thread, for `processor_keep_off`.
int processor_thread(void);

/// Lets a thread of this process run on every core that the calling thread may use but `core`. Does nothing where there would be none left,
/// or where the system has no such call.
void processor_keep_off(int thread, int core);

#endif
