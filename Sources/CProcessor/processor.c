#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "processor.h"

#if defined(__linux__)
int processor_core(void) { return sched_getcpu(); }
int processor_thread(void) { return gettid(); }

// A process that is confined, as a plugin's, may not say where threads run: its filter of system calls cannot tell its own from others'.
static bool is_confined(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2; }

void processor_keep_off(int thread, int core) {
    cpu_set_t cores;
    if (is_confined()) return;
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof cores, &cores) != 0) return;
    CPU_CLR(core, &cores);
    if (CPU_COUNT(&cores) > 0) sched_setaffinity(thread, sizeof cores, &cores);
}
#else
int processor_core(void) { return -1; }
int processor_thread(void) { return -1; }
void processor_keep_off(int thread, int core) {}
#endif

// The registers of tiles are 8 kB a thread, which Linux saves only for processes that have asked to use them.
#if defined(__linux__) && defined(__x86_64__)
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18
static bool grants_tiles(void) {
    return !is_confined() && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#else
static bool grants_tiles(void) { return false; }
#endif

#if defined(__x86_64__)
bool processor_has_avx2(void) { return __builtin_cpu_supports("x86-64-v3"); }
bool processor_has_avx512(void) { return __builtin_cpu_supports("x86-64-v4"); }
bool processor_has_vnni(void) { return processor_has_avx512() && __builtin_cpu_supports("avx512vnni"); }
bool processor_has_bf16(void) { return processor_has_avx512() && __builtin_cpu_supports("avx512bf16"); }
bool processor_has_amx(void) {
    return processor_has_vnni() && processor_has_bf16() && __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-int8")
        && __builtin_cpu_supports("amx-bf16") && grants_tiles();
}
bool processor_is_amd(void) { return __builtin_cpu_is("amd"); }
#else
bool processor_has_avx2(void) { return false; }
bool processor_has_avx512(void) { return false; }
bool processor_has_vnni(void) { return false; }
bool processor_has_bf16(void) { return false; }
bool processor_has_amx(void) { return false; }
bool processor_is_amd(void) { return false; }
#endif
