// Says more than anyone can hear: lines on both outputs, without an end to them.
#define _GNU_SOURCE
#include "hostile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void attack_floods(report *report, const char *target) {
    (void)target;
    static char line[1 << 20];
    memset(line, 'x', sizeof line);
    bool all = true;
    for (int i = 0; i < 50; i++) all = all && write(1, line, sizeof line) > 0;
    for (int i = 0; i < 20000; i++) all = all && write(2, "a line\n", 7) == 7;
    // Sequences that would move a terminal's cursor.
    for (int i = 0; i < 100; i++) all = all && write(2, "\x1b[2J\x1b]0;taken\a\n", 16) > 0;
    tell(report, "write 50 MB and 20,000 lines", all);
}
