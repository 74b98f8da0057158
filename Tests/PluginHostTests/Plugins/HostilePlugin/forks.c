// Leaves processes behind: children, grandchildren in sessions of their own, and as many as there can be.
#define _GNU_SOURCE
#include "hostile.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *nothing(void *context) { return context; }

// A grandchild that no session or group leads to.
static bool leave_one(void) {
    pid_t child = fork();
    if (child != 0) return child > 0;
    setsid();
    signal(SIGTERM, SIG_IGN), signal(SIGHUP, SIG_IGN);
    if (fork() != 0) _exit(0);
    setsid();
    for (;;) pause();
}

void attack_forks(report *report, const char *target) {
    (void)target;
    tell(report, "leave a process in a session of its own", leave_one());
    tell(report, "leave forty", ({
             int left = 0;
             for (int i = 0; i < 40; i++) left += leave_one();
             left == 40;
         }));
    tell(report, "call vfork", ({
             pid_t child = vfork();
             if (child == 0) _exit(0);
             child > 0;
         }));
    tell(report, "call clone3", ({
             unsigned long long arguments[8] = {0, 0, 0, 0, SIGCHLD};
             long child = syscall(435, arguments, sizeof arguments);
             if (child == 0) _exit(0);
             child > 0;
         }));
    char *const arguments[] = {"true", NULL}, *const environment[] = {NULL};
    pid_t child;
    tell(report, "start a program", ({
             errno = posix_spawn(&child, "/usr/bin/true", NULL, NULL, arguments, environment);
             errno == 0;
         }));
    tell(report, "become another program", execve("/nowhere/at/all", arguments, environment) == 0);
    tell(report, "leave its session", setsid() >= 0);
    pthread_t thread;
    tell(report, "start a thread", pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
}
