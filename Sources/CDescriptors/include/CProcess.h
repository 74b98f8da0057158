// Processes that are not trusted: how they start, what they may take, and framed bytes between them and us.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Starts `path` in a session of its own with no signal blocked or handled, and no descriptors but these: 0 is
/// /dev/null, 1 `output`, 2 `errors`, 3 `socket`, 4 `cancelled`. `arguments` and `environment` end with NULL.
/// Returns 0 with `process`, or the reason.
int auscult_spawn(const char *path, char *const arguments[], char *const environment[], int output, int errors,
                  int socket, int cancelled, pid_t *process);

/// A descriptor that is readable when `process` has ended; close-on-exec. -1 with errno.
int auscult_process_descriptor(pid_t process);

/// How a process ended: 0 with `exited`, the exit code or -1, with `signal`, or 0, and with the most memory that it had
/// in use, in bytes. -1 while it runs.
int auscult_process_reap(pid_t process, int *exited, int *signal, uint64_t *most_memory);

/// Takes from the calling process what a plugin must not have: no new privileges, no core dumps, at most so much
/// memory, processor time and so many files; the process ends with the thread that started it, which must be one of
/// `parent`. Returns 0, or the reason.
int auscult_confine(pid_t parent, uint64_t memory, uint64_t cpu_seconds, uint64_t files);

/// A connected pair of stream sockets, close-on-exec; the first does not block. 0, or -1 with errno.
int auscult_socket_pair(int sockets[2]);

/// A pipe, close-on-exec, whose reading end does not block. 0, or -1 with errno.
int auscult_pipe(int ends[2]);

/// A descriptor that is readable once something was written to it, close-on-exec. -1 with errno.
int auscult_event_descriptor(void);

/// Sends up to `size` bytes, with `descriptor` beside the first where it is not -1. Returns how many, or -1 with errno.
ssize_t auscult_send(int socket, const void *bytes, size_t size, int descriptor);

/// Receives up to `size` bytes. `descriptor` gets one that came with them, or -1; NULL refuses all descriptors.
/// Returns how many, 0 at the end, or -1 with errno.
ssize_t auscult_receive(int socket, void *bytes, size_t size, int *descriptor);
