#ifndef AUSCULT_VAMP_SOCKET_H
#define AUSCULT_VAMP_SOCKET_H

#include "wire.h"

/* The daemon's socket, connected, and its path in `path`; -1 where nothing listens, or somebody else does. */
int socket_dial(char *path, size_t size, problem *problem);

#endif
