// Stops and ends others. Target: the daemon's process and a sibling's.
#define _GNU_SOURCE
#include "hostile.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void attack_signals(report *report, const char *target) {
    int daemon = 0, sibling = 0;
    sscanf(target, "%d %d", &daemon, &sibling);
    // Signals that do no harm where they come through: whoever may send these may send any.
    tell(report, "signal the daemon", kill(daemon, SIGCONT) == 0);
    tell(report, "signal a sibling", kill(sibling, SIGCONT) == 0);
    tell(report, "signal its keeper", kill(getppid(), SIGCONT) == 0);
    tell(report, "signal its group", kill(0, SIGCONT) == 0);
    tell(report, "signal all", kill(-1, SIGCONT) == 0);
    tell(report, "signal a thread of the daemon's", syscall(SYS_tkill, daemon, SIGCONT) == 0);
    tell(report, "signal by thread and group", syscall(SYS_tgkill, daemon, daemon, SIGCONT) == 0);
    tell(report, "queue a signal", sigqueue(daemon, SIGCONT, (union sigval){0}) == 0);
    tell(report, "signal by descriptor", syscall(424, syscall(434, daemon, 0), SIGCONT, NULL, 0) == 0);
    struct rlimit limit;
    tell(report, "change the daemon's limits", prlimit(daemon, RLIMIT_NOFILE, NULL, &limit) == 0);
    cpu_set_t processors;
    CPU_ZERO(&processors);
    CPU_SET(0, &processors);
    tell(report, "hold the daemon to one processor", sched_setaffinity(daemon, sizeof processors, &processors) == 0);
    tell(report, "slow the daemon down", setpriority(PRIO_PROCESS, (id_t)daemon, 19) == 0);
    tell(report, "outlive the daemon", prctl(PR_SET_PDEATHSIG, 0) == 0);
    tell(report, "outlive it, by a number that is cut off", syscall(SYS_prctl, 0x100000000 + PR_SET_PDEATHSIG, 0) == 0);
    tell(report, "signal itself", kill(getpid(), 0) == 0);
}
