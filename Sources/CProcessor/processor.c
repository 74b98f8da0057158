#include "processor.h"

#if defined(__x86_64__)
bool processor_has_avx2(void) { return __builtin_cpu_supports("x86-64-v3"); }
bool processor_has_avx512(void) { return __builtin_cpu_supports("x86-64-v4"); }
bool processor_has_vnni(void) { return processor_has_avx512() && __builtin_cpu_supports("avx512vnni"); }
bool processor_has_bf16(void) { return processor_has_avx512() && __builtin_cpu_supports("avx512bf16"); }
bool processor_is_amd(void) { return __builtin_cpu_is("amd"); }
#else
bool processor_has_avx2(void) { return false; }
bool processor_has_avx512(void) { return false; }
bool processor_has_vnni(void) { return false; }
bool processor_has_bf16(void) { return false; }
bool processor_is_amd(void) { return false; }
#endif
