// Speaks to others. Target: the path of a Unix socket that listens, and behind a space a port of 127.0.0.1 that does.
#define _GNU_SOURCE
#include "hostile.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

void attack_sockets(report *report, const char *target) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int port = 0;
    sscanf(target, "%100s %d", place.sun_path, &port);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int number = socket(AF_INET, SOCK_STREAM, 0);
    tell(report, "connect by TCP", number >= 0 && connect(number, (void *)&address, sizeof address) == 0);
    number = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_port = 0;
    tell(report, "listen on TCP",
         number >= 0 && bind(number, (void *)&address, sizeof address) == 0 && listen(number, 1) == 0);
    number = socket(AF_INET, SOCK_DGRAM, 0);
    address.sin_port = htons((uint16_t)port);
    tell(report, "send by UDP", number >= 0 && sendto(number, "x", 1, 0, (void *)&address, sizeof address) == 1);
    number = socket(AF_UNIX, SOCK_STREAM, 0);
    tell(report, "connect to a Unix socket", number >= 0 && connect(number, (void *)&place, sizeof place) == 0);
    number = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un nameless = {.sun_family = AF_UNIX, .sun_path = "\0hostile"};
    tell(report, "listen under an abstract name", number >= 0 && bind(number, (void *)&nameless, sizeof nameless) == 0);
    tell(report, "ask the kernel by netlink", socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
    tell(report, "make a ring that does calls unseen", syscall(425, 8, NULL) >= 0);
    tell(report, "have a pair of its own", ({
             int pair[2];
             socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
         }));
}
