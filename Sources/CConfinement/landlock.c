// Files and TCP, by Landlock (linux/landlock.h, from Linux 5.13 on). The numbers stand here, since the headers of the machine that
// compiles are older than kernels that run.
#define _GNU_SOURCE
#include "CConfinement.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same on every architecture.
enum { create_ruleset = 444, add_rule = 445, restrict_self = 446 };

struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum {
    execute = 1 << 0,
    write_file = 1 << 1,
    read_file = 1 << 2,
    read_folder = 1 << 3,
    // Removing and making what there is, in version 1: bits 4 to 12.
    change_folder = 0x1ff0,
    refer = 1 << 13,
    // From version 3 and 5.
    truncate_file = 1 << 14,
    control_device = 1 << 15,
};

int auscult_landlock_version(void) {
    long version = syscall(create_ruleset, NULL, 0, 1);
    return version < 0 ? 0 : (int)version;
}

static uint64_t files_of(int version) {
    uint64_t all = (1 << 13) - 1;
    if (version >= 2) all |= refer;
    if (version >= 3) all |= truncate_file;
    if (version >= 5) all |= control_device;
    return all;
}

static int add(int rules, const struct auscult_grant *grant, uint64_t known) {
    int path = open(grant->path, O_PATH | O_CLOEXEC);
    if (path < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : errno;
    struct stat status;
    int reason = fstat(path, &status) == 0 ? 0 : errno;
    uint64_t allowed = read_file;
    // A character device is written to as a file is: /dev/null.
    if (grant->writable) allowed |= write_file | truncate_file;
    if (!reason && S_ISDIR(status.st_mode)) {
        allowed |= read_folder;
        if (grant->writable) allowed |= change_folder | refer;
        // No devices are made.
        allowed &= ~(uint64_t)((1 << 6) | (1 << 11));
    }
    struct path_rule rule = {.allowed = allowed & known, .parent = path};
    if (!reason && syscall(add_rule, rules, 1, &rule, 0) != 0) reason = errno;
    close(path);
    return reason;
}

int auscult_confine_files(const struct auscult_grant *grants, int count, bool network) {
    int version = auscult_landlock_version();
    if (version == 0) return ENOSYS;
    struct ruleset wanted = {.files = files_of(version)};
    // Binding and connecting, from version 4; abstract sockets and signals of others, from version 6.
    if (version >= 4 && !network) wanted.network = 3;
    if (version >= 6) wanted.scoped = 3;
    size_t size = version >= 6 ? sizeof wanted : version >= 4 ? 16 : 8;
    int rules = (int)syscall(create_ruleset, &wanted, size, 0);
    if (rules < 0) return errno;
    int reason = 0;
    for (int i = 0; i < count && !reason; i++) reason = add(rules, &grants[i], wanted.files);
    if (!reason && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) reason = errno;
    if (!reason && syscall(restrict_self, rules, 0) != 0) reason = errno;
    close(rules);
    return reason;
}
