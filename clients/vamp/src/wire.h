/*
 * ttRPC on the daemon's Unix socket, as a client: a frame is a header of 10 bytes, big-endian (length u32, stream id
 * u32, type u8, flags u8), then at most 4 MiB of data. The messages are those of Protos/, by protobuf-c.
 *
 * A connection belongs to one thread at a time. Nothing here prints or ends the process: what goes wrong is a sentence
 * in a `problem`, which names the thing, what was expected and what came.
 */
#ifndef AUSCULT_VAMP_WIRE_H
#define AUSCULT_VAMP_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

/* Milliseconds without a byte from a daemon that was asked something small, and something that takes passes. */
#define WIRE_SOON 60000
#define WIRE_LATE 600000

/* A sentence about what went wrong; empty where nothing did. */
typedef struct {
    char text[1024];
} problem;

/* Writes the sentence. Always false, so that a function can return it. */
bool problem_say(problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));

typedef struct wire wire;

/* Connects to $AUSCULT_SOCKET, else $XDG_RUNTIME_DIR/auscult/auscult.sock, else /tmp/auscult-<uid>/auscult.sock, whose
 * other end must run as this user or as root. NULL where nothing listens; no daemon is started. */
wire *wire_open(problem *problem);
void wire_close(wire *wire);

/* What a stream gives next. */
typedef enum {
    WIRE_FAILED,
    /* A message; the caller frees `data` of wire_next. */
    WIRE_MESSAGE,
    /* The stream ended well. */
    WIRE_END,
} wire_news;

/* Calls a method, `service` as in "auscult.v1.Model". NULL for a failure; otherwise the caller frees the answer with
 * `free`. */
uint8_t *wire_call(
    wire *wire, const char *service, const char *method, const ProtobufCMessage *request, size_t *size, problem *problem
);

/* Begins a call that streams: with its one request where `request` is not NULL, otherwise messages follow by wire_send
 * and end with wire_end. 0 for a failure, else the stream's id. */
uint32_t
wire_begin(wire *wire, const char *service, const char *method, const ProtobufCMessage *request, problem *problem);

/* Answers that come meanwhile are kept for wire_next, so neither side waits for the other for ever. */
bool wire_send(wire *wire, uint32_t stream, const ProtobufCMessage *message, problem *problem);
bool wire_end(wire *wire, uint32_t stream, problem *problem);

/* Waits for what the stream gives next, at most `patience` milliseconds of silence. */
wire_news wire_next(wire *wire, uint32_t stream, int patience, uint8_t **data, size_t *size, problem *problem);

/* Whether an answer to the stream lies here already: the daemon may have refused a call whose messages are still being
 * sent. */
bool wire_has_news(const wire *wire, uint32_t stream);

#endif
