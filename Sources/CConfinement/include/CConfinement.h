// What keeps a plugin's process to what it was granted: the kernel's means that need no privileges. Each function says 0,
// or the reason as an errno.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// The version of Landlock that the running kernel has; 0 where it has none, or has it switched off.
int auscult_landlock_version(void);

/// Whether the running kernel takes seccomp's filters.
bool auscult_has_seccomp(void);

/// A folder with all that is in it, or a file, and what may be done there.
struct auscult_grant {
    const char *path;
    bool writable;
};

/// Leaves the calling thread, and all that it will start, these files alone, and TCP where `network` says so: Landlock.
/// Paths that are not there are passed over. Nothing may run beside it: threads that are there already stay free. ENOSYS where the
/// kernel has no Landlock.
int auscult_confine_files(const struct auscult_grant *grants, int count, bool network);

/// Refuses the system calls that reach other processes, the network, or the system's settings, for all threads: seccomp.
/// `strict` ends the process with SIGSYS where it tries one, instead of saying EPERM to it.
int auscult_confine_calls(bool network, bool strict);

/// How many threads the calling process has; -1 where that cannot be known.
int auscult_thread_count(void);

/// Most processes and threads of the user at a time that a plugin's process may add to those that are there: a bound for bombs of forks
/// where those are not refused. Root has none.
int auscult_bound_processes(int more);

/// Forks, and returns in the child. The parent keeps it: it stays until the child has ended, ends all that the child has started and
/// left, whatever session that went to, says on standard error if there was any, and ends as the child did. SIGTERM, and the end of its own parent,
/// make it end all of them at once.
int auscult_keep(void);

/// What the keeper says of processes that were left begins with this.
#define AUSCULT_LEFT_BEHIND "it left processes behind, which were ended: "
