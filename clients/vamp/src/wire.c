#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "google/rpc/status.pb-c.h"
#include "socket.h"
#include "ttrpc/ttrpc.pb-c.h"

enum { HEADER = 10, MOST_DATA = 4 << 20 };
enum { REQUEST = 1, RESPONSE = 2, DATA = 3 };
enum { REMOTE_CLOSED = 1, REMOTE_OPEN = 2, NO_DATA = 4 };

/* A frame that came, until somebody asks for its stream. */
typedef struct frame {
    struct frame *next;
    uint32_t stream;
    uint8_t type, flags;
    size_t size;
    uint8_t data[];
} frame;

struct wire {
    int descriptor;
    char path[128];
    uint32_t last_stream;
    /* In the order in which they came. */
    frame *first, **end;
};

bool problem_say(problem *problem, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(problem->text, sizeof problem->text, format, values);
    va_end(values);
    return false;
}

wire *wire_open(problem *problem) {
    wire *self = calloc(1, sizeof *self);
    if (!self) {
        problem_say(problem, "out of memory");
        return NULL;
    }
    self->end = &self->first;
    self->descriptor = socket_dial(self->path, sizeof self->path, problem);
    if (self->descriptor >= 0) return self;
    free(self);
    return NULL;
}

void wire_close(wire *self) {
    if (!self) return;
    close(self->descriptor);
    for (frame *one = self->first, *next; one; one = next) {
        next = one->next;
        free(one);
    }
    free(self);
}

/* ------------------------------------------------------------------------------------------------------ bytes in */

static bool gone(wire *self, problem *problem) {
    return problem_say(problem, "the daemon at %s closed the connection: it ended, or was ended", self->path);
}

/* Exactly `size` bytes. */
static bool receive(wire *self, uint8_t *into, size_t size, int patience, problem *problem) {
    while (size) {
        struct pollfd one = {.fd = self->descriptor, .events = POLLIN};
        int ready = poll(&one, 1, patience);
        if (ready == 0) {
            return problem_say(problem, "the daemon at %s said nothing for %d seconds", self->path, patience / 1000);
        }
        ssize_t count = ready < 0 ? -1 : recv(self->descriptor, into, size, 0);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count == 0 || (count < 0 && errno == ECONNRESET)) return gone(self, problem);
        if (count < 0) return problem_say(problem, "reading from the daemon at %s: %s", self->path, strerror(errno));
        into += count;
        size -= (size_t)count;
    }
    return true;
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Takes the next frame from the socket to the end of the list. */
static bool take(wire *self, int patience, problem *problem) {
    uint8_t header[HEADER];
    if (!receive(self, header, sizeof header, patience, problem)) return false;
    uint32_t size = big_endian(header);
    if (size > MOST_DATA) {
        return problem_say(
            problem, "the daemon at %s sent a frame of %u bytes; %d is the most", self->path, size, MOST_DATA
        );
    }
    frame *one = malloc(sizeof *one + size);
    if (!one) return problem_say(problem, "out of memory for a frame of %u bytes", size);
    *one = (frame){.stream = big_endian(header + 4), .type = header[8], .flags = header[9], .size = size};
    if (!receive(self, one->data, size, patience, problem)) {
        free(one);
        return false;
    }
    *self->end = one;
    self->end = &one->next;
    return true;
}

/* ----------------------------------------------------------------------------------------------------- bytes out */

/* All of them. What comes in the meantime is taken, since a daemon whose answers nobody reads does not read either. */
static bool send_all(wire *self, const uint8_t *bytes, size_t size, problem *problem) {
    while (size) {
        struct pollfd one = {.fd = self->descriptor, .events = POLLIN | POLLOUT};
        int ready = poll(&one, 1, WIRE_LATE);
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) {
            return problem_say(problem, "the daemon at %s took nothing for %d seconds", self->path, WIRE_LATE / 1000);
        }
        if (one.revents & POLLOUT) {
            ssize_t count = send(self->descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) return gone(self, problem);
            if (count < 0) return problem_say(problem, "writing to the daemon at %s: %s", self->path, strerror(errno));
            bytes += count;
            size -= (size_t)count;
        } else if (!take(self, WIRE_SOON, problem)) {
            return false;
        }
    }
    return true;
}

static bool send_frame(
    wire *self, uint32_t stream, uint8_t type, uint8_t flags, const ProtobufCMessage *message, problem *problem
) {
    size_t size = message ? protobuf_c_message_get_packed_size(message) : 0;
    if (size > MOST_DATA) {
        return problem_say(problem, "a message of %zu bytes for the daemon; %d is the most", size, MOST_DATA);
    }
    uint8_t *bytes = malloc(HEADER + size);
    if (!bytes) return problem_say(problem, "out of memory for a message of %zu bytes", size);
    for (int i = 0; i < 4; ++i) {
        bytes[i] = (uint8_t)(size >> (24 - 8 * i));
        bytes[4 + i] = (uint8_t)(stream >> (24 - 8 * i));
    }
    bytes[8] = type;
    bytes[9] = flags;
    if (message) protobuf_c_message_pack(message, bytes + HEADER);
    bool sent = send_all(self, bytes, HEADER + size, problem);
    free(bytes);
    return sent;
}

/* --------------------------------------------------------------------------------------------------------- calls */

static uint32_t begin(
    wire *self, const char *service, const char *method, const ProtobufCMessage *message, uint8_t flags,
    problem *problem
) {
    Ttrpc__Request request = TTRPC__REQUEST__INIT;
    request.service = (char *)service;
    request.method = (char *)method;
    if (message) {
        request.payload.len = protobuf_c_message_get_packed_size(message);
        request.payload.data = malloc(request.payload.len + 1);
        if (!request.payload.data) {
            problem_say(problem, "out of memory for a message of %zu bytes", request.payload.len);
            return 0;
        }
        protobuf_c_message_pack(message, request.payload.data);
    }
    /* Ids of a client are odd and rise. */
    uint32_t stream = self->last_stream ? self->last_stream + 2 : 1;
    self->last_stream = stream;
    bool sent = send_frame(self, stream, REQUEST, flags, &request.base, problem);
    free(request.payload.data);
    return sent ? stream : 0;
}

uint32_t
wire_begin(wire *self, const char *service, const char *method, const ProtobufCMessage *request, problem *problem) {
    return begin(self, service, method, request, request ? REMOTE_CLOSED : REMOTE_OPEN, problem);
}

bool wire_send(wire *self, uint32_t stream, const ProtobufCMessage *message, problem *problem) {
    return send_frame(self, stream, DATA, 0, message, problem);
}

bool wire_end(wire *self, uint32_t stream, problem *problem) {
    return send_frame(self, stream, DATA, REMOTE_CLOSED | NO_DATA, NULL, problem);
}

bool wire_has_news(const wire *self, uint32_t stream) {
    for (const frame *one = self->first; one; one = one->next) {
        if (one->stream == stream) return true;
    }
    return false;
}

/* What a Response says: a message, or the end of a stream, or why not. */
static wire_news response(const frame *one, uint8_t **data, size_t *size, problem *problem) {
    Ttrpc__Response *answer = ttrpc__response__unpack(NULL, one->size, one->data);
    wire_news news = WIRE_FAILED;
    if (!answer) {
        problem_say(problem, "the daemon sent a response of %zu bytes that is none", one->size);
    } else if (answer->status && answer->status->code) {
        problem_say(problem, "%s", answer->status->message);
    } else {
        *size = answer->payload.len;
        *data = malloc(*size + 1);
        if (*data) {
            if (*size) memcpy(*data, answer->payload.data, *size);
            news = WIRE_MESSAGE;
        } else {
            problem_say(problem, "out of memory for an answer of %zu bytes", *size);
        }
    }
    if (answer) ttrpc__response__free_unpacked(answer, NULL);
    return news;
}

wire_news wire_next(wire *self, uint32_t stream, int patience, uint8_t **data, size_t *size, problem *problem) {
    for (;;) {
        frame **place = &self->first;
        while (*place && (*place)->stream != stream) place = &(*place)->next;
        frame *one = *place;
        if (!one) {
            if (!take(self, patience, problem)) return WIRE_FAILED;
            continue;
        }
        *place = one->next;
        if (!one->next) self->end = place;
        wire_news news;
        if (one->type == RESPONSE) {
            news = response(one, data, size, problem);
        } else if (one->type == DATA && (one->flags & REMOTE_CLOSED) && one->size == 0) {
            news = WIRE_END;
        } else if (one->type == DATA) {
            *size = one->size;
            *data = malloc(one->size + 1);
            if (*data) memcpy(*data, one->data, one->size);
            news = *data ? WIRE_MESSAGE : WIRE_FAILED;
            if (!*data) problem_say(problem, "out of memory for a message of %zu bytes", one->size);
        } else {
            /* A type that is not known is passed over. */
            free(one);
            continue;
        }
        free(one);
        return news;
    }
}

uint8_t *wire_call(
    wire *self, const char *service, const char *method, const ProtobufCMessage *request, size_t *size, problem *problem
) {
    uint32_t stream = begin(self, service, method, request, 0, problem);
    uint8_t *data = NULL;
    if (!stream || wire_next(self, stream, WIRE_SOON, &data, size, problem) != WIRE_MESSAGE) return NULL;
    return data;
}
