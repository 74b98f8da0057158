#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int auscult_spawn(const char *path, char *const arguments[], char *const environment[], int output, int errors,
                  int socket, int cancelled, pid_t *process) {
    // The descriptors could lie in each other's places, so each goes above all places first.
    int sources[4] = {output, errors, socket, cancelled}, high[4] = {-1, -1, -1, -1}, reason = 0;
    for (int i = 0; i < 4 && !reason; i++) {
        high[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 16);
        if (high[i] < 0) reason = errno;
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (!reason) reason = posix_spawn_file_actions_init(&actions);
    if (!reason) {
        if ((reason = posix_spawnattr_init(&attributes)) == 0) {
            sigset_t none, all;
            sigemptyset(&none);
            sigfillset(&all);
            reason = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
            for (int i = 0; i < 4 && !reason; i++)
                reason = posix_spawn_file_actions_adddup2(&actions, high[i], i + 1);
            if (!reason) reason = posix_spawn_file_actions_addclosefrom_np(&actions, 5);
            if (!reason) reason = posix_spawnattr_setsigmask(&attributes, &none);
            if (!reason) reason = posix_spawnattr_setsigdefault(&attributes, &all);
            if (!reason)
                reason = posix_spawnattr_setflags(
                    &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
            if (!reason) reason = posix_spawn(process, path, &actions, &attributes, arguments, environment);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    for (int i = 0; i < 4; i++)
        if (high[i] >= 0) close(high[i]);
    return reason;
}

int auscult_process_descriptor(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int auscult_process_reap(pid_t process, int *exited, int *signal, uint64_t *most_memory) {
    int status = 0;
    struct rusage usage = {0};
    pid_t result;
    do result = wait4(process, &status, WNOHANG, &usage);
    while (result < 0 && errno == EINTR);
    if (result == 0) return -1;
    // Where someone else has reaped it, how it ended is not known any more.
    *exited = result > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *signal = result > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    *most_memory = (uint64_t)usage.ru_maxrss * 1024;
    return 0;
}

static int limit(__rlimit_resource_t resource, uint64_t soft, uint64_t hard) {
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) return errno;
    // What the system already grants less of stays so.
    if (now.rlim_max != RLIM_INFINITY && hard > now.rlim_max) hard = now.rlim_max;
    if (soft > hard) soft = hard;
    struct rlimit wanted = {.rlim_cur = soft, .rlim_max = hard};
    return setrlimit(resource, &wanted) == 0 ? 0 : errno;
}

int auscult_confine(pid_t parent, uint64_t memory, uint64_t cpu_seconds, uint64_t files) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
    if (getppid() != parent) return ESRCH;
    int reason = limit(RLIMIT_CORE, 0, 0);
    if (!reason) reason = limit(RLIMIT_AS, memory, memory);
    if (!reason) reason = limit(RLIMIT_CPU, cpu_seconds, cpu_seconds + 5);
    if (!reason) reason = limit(RLIMIT_NOFILE, files, files);
    return reason;
}

int auscult_socket_pair(int sockets[2]) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return -1;
    return fcntl(sockets[0], F_SETFL, O_NONBLOCK);
}

int auscult_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

int auscult_event_descriptor(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

ssize_t auscult_send(int socket, const void *bytes, size_t size, int descriptor) {
    struct iovec data = {.iov_base = (void *)bytes, .iov_len = size};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t auscult_receive(int socket, void *bytes, size_t size, int *descriptor) {
    struct iovec data = {.iov_base = bytes, .iov_len = size};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (descriptor) {
        *descriptor = -1;
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
    }
    ssize_t received;
    // Without room for control messages the kernel closes descriptors that the other side sends.
    do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0 || !descriptor) return received;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return received;
}
