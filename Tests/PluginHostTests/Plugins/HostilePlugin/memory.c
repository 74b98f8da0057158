// Takes memory without end: its own, memory without a name, shared segments, and descriptors.
#define _GNU_SOURCE
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

void attack_memory(report *report, const char *target) {
    (void)target;
    tell(report, "map more than it may have", mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE,
                                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED);
    tell(report, "lift its limit", ({
             extern int setrlimit(int, const void *);
             unsigned long limit[2] = {-1ul, -1ul};
             setrlimit(9 /* RLIMIT_AS */, limit) == 0;
         }));
    tell(report, "share a segment that stays", shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600) >= 0);
    tell(report, "lock memory", mlockall(MCL_FUTURE) == 0);
    tell(report, "open a thousand descriptors", ({
             int opened = 0;
             while (opened < 1000 && open("/dev/null", O_RDONLY) >= 0) opened++;
             opened == 1000;
         }));
    for (int number = 64; number < 1024; number++) close(number);
    tell(report, "allocate until there is none", ({
             size_t all = 0;
             // Volatile, or the compiler sees that nobody reads it.
             volatile char *block;
             while (all < 1ul << 34 && (block = malloc(64 << 20))) block[0] = 1, all += 64 << 20;
             all >= 1ul << 34;
         }));
}
