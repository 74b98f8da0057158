// Reads what is none of its business. Target: a folder with a file "secret" in it.
#define _GNU_SOURCE
#include "hostile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void attack_files(report *report, const char *target) {
    char path[8192];
    snprintf(path, sizeof path, "%s/secret", target);
    tell(report, "read a file of the user's", open(path, O_RDONLY) >= 0);
    tell(report, "list the user's folder", opendir(target) != NULL);
    tell(report, "open it without reading rights asked for, and then again", ({
             int place = open(path, O_PATH);
             char again[64];
             snprintf(again, sizeof again, "/proc/self/fd/%d", place);
             place >= 0 && open(again, O_RDONLY) >= 0;
         }));
    tell(report, "read it by a symbolic link in its own folder", ({
             char link[256];
             snprintf(link, sizeof link, "%s/link-%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", getpid());
             unlink(link);
             symlink(path, link) == 0 && open(link, O_RDONLY) >= 0;
         }));
    tell(report, "read the daemon's memory", ({
             snprintf(path, sizeof path, "/proc/%d/mem", getppid());
             open(path, O_RDONLY) >= 0;
         }));
    tell(report, "read another process's environment", ({
             snprintf(path, sizeof path, "/proc/%d/environ", getppid());
             open(path, O_RDONLY) >= 0;
         }));
    tell(report, "list the processes", opendir("/proc") != NULL);
    tell(report, "read passwords", open("/etc/shadow", O_RDONLY) >= 0);
    struct stat status;
    snprintf(path, sizeof path, "%s/secret", target);
    tell(report, "learn that a file is there, and its size", stat(path, &status) == 0);
    tell(report, "read what every program reads", open("/etc/ld.so.cache", O_RDONLY) >= 0);
}
