/* Where the daemon listens, by the same rule as every other client, and whether it is the daemon that does. */
#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool find(char *path, size_t size, problem *problem) {
    const char *named = getenv("AUSCULT_SOCKET");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char folder[4096];
    int length;
    if (named && named[0] == '/') {
        length = snprintf(path, size, "%s", named);
    } else if (named && named[0]) {
        if (!getcwd(folder, sizeof folder)) return problem_say(problem, "the current folder: %s", strerror(errno));
        length = snprintf(path, size, "%s/%s", folder, named);
    } else if (runtime && runtime[0] == '/') {
        length = snprintf(path, size, "%s/auscult/auscult.sock", runtime);
    } else {
        length = snprintf(path, size, "/tmp/auscult-%u/auscult.sock", (unsigned)getuid());
    }
    if (length < 0 || (size_t)length >= size) {
        return problem_say(
            problem, "the socket's path has %d bytes; the system allows at most %zu: %.200s…", length, size - 1, path
        );
    }
    return true;
}

int socket_dial(char *path, size_t size, problem *problem) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (size > sizeof address.sun_path) size = sizeof address.sun_path;
    if (!find(path, size, problem)) return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);

    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        problem_say(problem, "no socket can be made: %s", strerror(errno));
        return -1;
    }
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address)) {
        problem_say(
            problem, "no daemon answers at %s: %s. Start one with `auscultd`, or name its socket in $AUSCULT_SOCKET",
            path, strerror(errno)
        );
    } else if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length)) {
        problem_say(problem, "who listens at %s cannot be found out: %s", path, strerror(errno));
    } else if (peer.uid != getuid() && peer.uid != 0) {
        problem_say(
            problem, "what listens at %s belongs to user %u; expected %u or root", path, (unsigned)peer.uid,
            (unsigned)getuid()
        );
    } else {
        return descriptor;
    }
    close(descriptor);
    return -1;
}
