// File descriptors over a Unix socket, and memory without a name: what lies behind C's macros.
#pragma once
#include <stddef.h>

#include "CProcess.h"

/// Sends one byte with `descriptor` over the connected Unix socket `socket`. Returns 0, or -1 with errno.
int auscult_send_descriptor(int socket, int descriptor);

/// Receives one byte with a descriptor, close-on-exec. Returns it, or -1 with errno (EBADMSG where none came).
int auscult_receive_descriptor(int socket);

/// Takes the next connection of the listening socket `socket`, close-on-exec, waiting for one. Returns its descriptor, or -1 with errno.
int auscult_accept(int socket);

/// Makes anonymous memory of `size` bytes that can be sealed. Returns its descriptor, or -1 with errno.
int auscult_memory_create(const char *name, size_t size);

/// Seals it: no growing, no shrinking, no writing, and no other seals. Writable mappings must be gone by then.
int auscult_memory_seal(int descriptor);

/// Lets nobody change its size any more, and nobody write to it but through mappings that exist already. Returns 0, or -1
/// with errno.
int auscult_memory_seal_future(int descriptor);

/// Whether it is sealed so. 1, 0, or -1 with errno.
int auscult_memory_is_sealed(int descriptor);

/// Lets the allocator have so many arenas at most, where the C library has them. Called before there are threads.
void auscult_memory_bound_arenas(int count);

/// Gives what the allocator holds free back to the system, where the C library can.
void auscult_memory_trim(void);
