// Looks into other processes, and changes them. Target: the daemon's process.
#define _GNU_SOURCE
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

void attack_tracing(report *report, const char *target) {
    int daemon = atoi(target);
    tell(report, "trace the daemon", ptrace(PTRACE_SEIZE, daemon, NULL, NULL) == 0);
    tell(report, "trace its keeper", ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0);
    char bytes[16];
    struct iovec here = {bytes, sizeof bytes}, there = {(void *)(uintptr_t)&attack_tracing, sizeof bytes};
    tell(report, "read the daemon's memory", process_vm_readv(daemon, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT);
    tell(report, "write the daemon's memory", process_vm_writev(daemon, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT);
    tell(report, "take a descriptor of the daemon's", syscall(438, syscall(434, daemon, 0), 3, 0) >= 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", daemon);
    tell(report, "list the daemon's descriptors", open(path, O_RDONLY) >= 0);
    tell(report, "compare descriptors", syscall(SYS_kcmp, getpid(), daemon, 2, 0, 0) >= 0);
    tell(report, "run a program of the kernel's", syscall(SYS_bpf, 0, NULL, 0) >= 0);
    tell(report, "count the daemon's events", syscall(SYS_perf_event_open, NULL, daemon, -1, -1, 0) >= 0);
}
