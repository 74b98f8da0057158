// What a plugin has started ends with it, whatever session that went to: a process that adopts all of it.
#define _GNU_SOURCE
#include "CConfinement.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Calls `act` for each process, by its number and its parent's.
static void each_process(void (*act)(pid_t process, pid_t parent, void *context), void *context) {
    DIR *processes = opendir("/proc");
    if (!processes) return;
    for (struct dirent *entry; (entry = readdir(processes));) {
        char *end;
        long process = strtol(entry->d_name, &end, 10);
        if (*end || process <= 0) continue;
        char path[64], text[512];
        snprintf(path, sizeof path, "/proc/%ld/stat", process);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) continue;
        ssize_t size = read(file, text, sizeof text - 1);
        close(file);
        if (size <= 0) continue;
        text[size] = 0;
        // "12 (name) S 1 …", and the name may have brackets of its own.
        char *rest = strrchr(text, ')');
        int parent;
        if (rest && sscanf(rest, ") %*c %d", &parent) == 1) act((pid_t)process, (pid_t)parent, context);
    }
    closedir(processes);
}

static void end_child(pid_t process, pid_t parent, void *context) {
    if (parent == getpid() && kill(process, SIGKILL) == 0) ++*(int *)context;
}

static void milliseconds(long count) {
    struct timespec time = {.tv_nsec = count * 1000000};
    nanosleep(&time, NULL);
}

// Ends all children, and the children that they leave to this process, until there are none. How many.
static int end_all(void) {
    int ended = 0;
    for (;;) {
        pid_t process;
        do process = waitpid(-1, NULL, WNOHANG);
        while (process > 0 || (process < 0 && errno == EINTR));
        if (process < 0) return ended;
        int signalled = 0;
        each_process(end_child, &signalled);
        milliseconds(1);
    }
}

static void count_child(pid_t process, pid_t parent, void *context) {
    (void)process;
    if (parent == getpid()) ++*(int *)context;
}

static _Noreturn void end_as(int status) {
    if (WIFSIGNALED(status)) {
        struct sigaction usual = {.sa_handler = SIG_DFL};
        sigaction(WTERMSIG(status), &usual, NULL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        kill(getpid(), WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

static _Noreturn void keep(pid_t child, pid_t parent) {
    prctl(PR_SET_NAME, "plugin-keeper");
    // The words of the plugin's end go where its own do; everything else is the child's.
    for (int number = 0; number < 5; number++)
        if (number != 2) close(number);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        end_all();
        _exit(0);
    }
    for (;;) {
        int signal = sigwaitinfo(&all, NULL);
        int status, last = 0, has_ended = 0;
        for (pid_t process; (process = waitpid(-1, &status, WNOHANG)) > 0;)
            if (process == child) last = status, has_ended = 1;
        // One that had ended by itself when it was to be ended has ended so.
        if (!has_ended && signal == SIGTERM) {
            end_all();
            kill(getpid(), SIGKILL);
        }
        if (!has_ended) continue;
        int left = 0;
        each_process(count_child, &left);
        if (left > 0) {
            end_all();
            dprintf(2, "%s%d\n", AUSCULT_LEFT_BEHIND, left);
        }
        end_as(last);
    }
}

int auscult_keep(void) {
    pid_t parent = getppid(), keeper = getpid();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return errno;
    // What comes before the keeper listens waits for it.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child < 0) {
        int reason = errno;
        sigprocmask(SIG_SETMASK, &before, NULL);
        return reason;
    }
    if (child > 0) keep(child, parent);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
    return getppid() == keeper ? 0 : ESRCH;
}

static void count_tasks(pid_t process, pid_t parent, void *context) {
    (void)parent;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    DIR *tasks = fdopendir(folder);
    if (!tasks) {
        close(folder);
        return;
    }
    for (struct dirent *entry; (entry = readdir(tasks));)
        if (entry->d_name[0] != '.') ++*(int *)context;
    closedir(tasks);
}

int auscult_bound_processes(int more) {
    // Those of every user: more than ours, so that what others of ours do meanwhile is not refused.
    int tasks = 0;
    each_process(count_tasks, &tasks);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NPROC, &limit) != 0) return errno;
    rlim_t wanted = (rlim_t)(tasks + more);
    if (limit.rlim_cur != RLIM_INFINITY && wanted > limit.rlim_cur) wanted = limit.rlim_cur;
    limit.rlim_cur = wanted;
    if (limit.rlim_max == RLIM_INFINITY || wanted < limit.rlim_max) limit.rlim_max = wanted;
    return setrlimit(RLIMIT_NPROC, &limit) == 0 ? 0 : errno;
}
