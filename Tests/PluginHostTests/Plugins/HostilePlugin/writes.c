// Writes outside of its place. Target: a folder with a file "secret" in it.
#define _GNU_SOURCE
#include "hostile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

void attack_writes(report *report, const char *target) {
    char path[8192], other[8192];
    snprintf(path, sizeof path, "%s/made", target);
    tell(report, "make a file", open(path, O_CREAT | O_WRONLY, 0600) >= 0);
    tell(report, "make a folder", mkdir(path, 0700) == 0);
    tell(report, "make a link", symlink("/etc/passwd", path) == 0);
    tell(report, "make a file without a name", open(target, O_TMPFILE | O_RDWR, 0600) >= 0);
    snprintf(path, sizeof path, "%s/secret", target);
    tell(report, "write to a file", open(path, O_WRONLY) >= 0);
    tell(report, "cut a file off", truncate(path, 0) == 0);
    tell(report, "remove a file", unlink(path) == 0);
    snprintf(other, sizeof other, "%s/renamed", target);
    tell(report, "rename a file", rename(path, other) == 0);
    tell(report, "take a file into its own folder", ({
             const char *own = getenv("TMPDIR");
             snprintf(other, sizeof other, "%s/taken-%d", own ? own : "/tmp", getpid());
             link(path, other) == 0;
         }));
    tell(report, "change who may read it", chmod(path, 0777) == 0);
    tell(report, "change whose it is", chown(path, 65534, 65534) == 0);
    tell(report, "change what is noted beside it", setxattr(path, "user.note", "x", 1, 0) == 0);
    tell(report, "change its times", ({
             struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
             utimensat(AT_FDCWD, path, times, 0) == 0;
         }));
    tell(report, "write where all programs do", open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0);
    tell(report, "write in its own folder", ({
             const char *own = getenv("TMPDIR");
             own && open(own, O_TMPFILE | O_RDWR, 0600) >= 0;
         }));
}
