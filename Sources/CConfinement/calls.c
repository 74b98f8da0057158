// System calls, by seccomp.
#define _GNU_SOURCE
#include "CConfinement.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

bool auscult_has_seccomp(void) {
    uint32_t action = SCMP_ACT_ERRNO(EPERM) & 0xffff0000;
    // SECCOMP_GET_ACTION_AVAIL, from Linux 4.14.
    return syscall(SYS_seccomp, 2, 0, &action) == 0;
}

// Refused whatever their arguments are.
static const char *const refused[] = {
    // Other processes: their memory, descriptors and course.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_open",
    "pidfd_getfd", "pidfd_send_signal", "tkill", "migrate_pages", "move_pages", "ioprio_set",
    // Processes of its own, and a way out of the session in which it is ended.
    "fork", "vfork", "execve", "execveat", "setsid", "setpgid",
    // Memory and messages that others of the same user share.
    "shmget", "shmat", "shmctl", "semget", "semctl", "semop", "semtimedop", "msgget", "msgctl", "msgsnd", "msgrcv", "mq_open",
    "mq_unlink",
    // What Landlock does not look at: who may use a file, by its path.
    "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "removexattr",
    "lremovexattr", "fremovexattr", "setxattrat", "removexattrat", "file_setattr", "utime", "utimes", "futimesat",
    // The system.
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "unshare", "setns", "swapon", "swapoff", "reboot", "sethostname", "setdomainname", "settimeofday",
    "clock_settime", "clock_adjtime", "adjtimex", "init_module", "finit_module", "delete_module", "kexec_load",
    "kexec_file_load", "acct", "quotactl", "quotactl_fd", "syslog", "vhangup", "iopl", "ioperm", "name_to_handle_at",
    "open_by_handle_at", "add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "fanotify_init",
    "lookup_dcookie", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups",
    "capset",
    // Does other calls in their place, unseen.
    "io_uring_setup", "io_uring_enter", "io_uring_register",
};

struct calls {
    scmp_filter_ctx filter;
    // What becomes of a call that is refused.
    uint32_t action;
    int reason;
};

static void refuse(struct calls *calls, const char *name) {
    int number = seccomp_syscall_resolve_name(name);
    // What this library does not know, or this architecture does not have.
    if (calls->reason || number < 0) return;
    calls->reason = -seccomp_rule_add_array(calls->filter, calls->action, number, 0, NULL);
}

// Where the comparison holds; what the kernel would not look at, the upper half of a register, is part of it.
static void refuse_where(struct calls *calls, const char *name, unsigned argument, enum scmp_compare how, uint64_t a,
                         uint64_t b) {
    int number = seccomp_syscall_resolve_name(name);
    if (calls->reason || number < 0) return;
    struct scmp_arg_cmp comparison = {.arg = argument, .op = how, .datum_a = a, .datum_b = b};
    calls->reason = -seccomp_rule_add_array(calls->filter, calls->action, number, 1, &comparison);
}

static void refuse_processes(struct calls *calls) {
    // Threads are made, processes are not. clone3() hides its flags behind a pointer; where it is not there, libraries take clone().
    refuse_where(calls, "clone", 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
    int clone3 = seccomp_syscall_resolve_name("clone3");
    if (!calls->reason && clone3 >= 0)
        calls->reason = -seccomp_rule_add_array(calls->filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0, NULL);
    // Signals go to itself, and limits and scheduling are its own.
    static const char *const signals[] = {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        refuse_where(calls, signals[i], 0, SCMP_CMP_NE, (uint64_t)getpid(), 0);
    static const char *const own[] = {"prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) refuse_where(calls, own[i], 0, SCMP_CMP_NE, 0, 0);
    // Its limits stay what they are, for root as well.
    refuse(calls, "setrlimit");
    refuse_where(calls, "prlimit64", 2, SCMP_CMP_NE, 0, 0);
    refuse_where(calls, "setpriority", 1, SCMP_CMP_NE, 0, 0);
    // It ends with the daemon.
    refuse_where(calls, "prctl", 0, SCMP_CMP_MASKED_EQ, 0xffffffff, PR_SET_PDEATHSIG);
}

// Of the network's families, where that is granted. Unix sockets lead to other programs, always.
static void refuse_sockets(struct calls *calls, bool network) {
    if (!network) return refuse(calls, "socket");
    for (uint64_t family = 0; family <= AF_NETLINK; family++)
        if (family != AF_INET && family != AF_INET6 && family != AF_NETLINK)
            refuse_where(calls, "socket", 0, SCMP_CMP_EQ, family, 0);
    refuse_where(calls, "socket", 0, SCMP_CMP_GT, AF_NETLINK, 0);
}

int auscult_confine_calls(bool network, bool strict) {
    struct calls calls = {
        .filter = seccomp_init(SCMP_ACT_ALLOW), .action = strict ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM)};
    if (!calls.filter) return ENOMEM;
    calls.reason = -seccomp_attr_set(calls.filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) refuse(&calls, refused[i]);
    refuse_processes(&calls);
    refuse_sockets(&calls, network);
    // Keys that a terminal would take for typed ones.
    refuse_where(&calls, "ioctl", 1, SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI);
    refuse_where(&calls, "ioctl", 1, SCMP_CMP_MASKED_EQ, 0xffffffff, 0x541C /* TIOCLINUX */);
    // Times of a file by its path; those by a descriptor, which is open already, are not.
    refuse_where(&calls, "utimensat", 1, SCMP_CMP_NE, 0, 0);
    if (!calls.reason) calls.reason = -seccomp_load(calls.filter);
    seccomp_release(calls.filter);
    return calls.reason;
}

int auscult_thread_count(void) {
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) return -1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(tasks));)
        if (entry->d_name[0] != '.') count++;
    closedir(tasks);
    return count;
}
