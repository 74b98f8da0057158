// Plugins that attack their surroundings, one attack a file. Each tries a thing several ways and tells what came of each.
#pragma once
#include <stdbool.h>
#include <stddef.h>

/// What the attempts came to: a line each, "what: done" or "what: refused, EPERM".
typedef struct {
    char text[16384];
    size_t size;
} report;

/// Tells of an attempt; `errno` says why where it was refused.
void tell(report *report, const char *what, bool done);

/// - target: a path, or numbers of processes with spaces between them, by what the attack is.
void attack_files(report *report, const char *target);
void attack_writes(report *report, const char *target);
void attack_sockets(report *report, const char *target);
void attack_signals(report *report, const char *target);
void attack_tracing(report *report, const char *target);
void attack_forks(report *report, const char *target);
void attack_memory(report *report, const char *target);
void attack_floods(report *report, const char *target);
