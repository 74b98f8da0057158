/*
 * What the plugins ask of the daemon, a function a question. All of them give false or NULL for a failure, with a
 * sentence in the problem. `model` is a name as `--model` takes it, or "" for the one that is built in.
 */
#ifndef AUSCULT_VAMP_CALLS_H
#define AUSCULT_VAMP_CALLS_H

#include "auscult/v1/transcribe.pb-c.h"
#include "sound.h"

/* Values of some columns, row by row: `[rows, columns]`. */
typedef struct {
    float *values;
    size_t rows;
    unsigned columns;
    /* Of row 0, in seconds from the sound's beginning; rows a second. */
    double start, rate;
} column_values;

/* Whether the model is there, and has a vocabulary. */
bool ask_model(wire *wire, const char *model, problem *problem);

/* How many columns a hook point of the encoder has: the product of its shape behind the frames. 0 for a failure, and
 * for a hook point that is not there or has no frames. */
uint64_t ask_columns(wire *wire, const char *model, const char *hook, problem *problem);

/* Whether the model has these columns of a sparse dictionary (a folder), which is read for it. */
bool ask_latents(
    wire *wire, const char *model, const char *dictionary, unsigned first, unsigned count, problem *problem
);

/* Sends the sound; the id serves on this connection. NULL for a failure, else freed with `free`. */
char *upload(wire *wire, sound *sound, problem *problem);

/* Writes an upload down with the times of its words, and gives each segment to `take`, which says false where memory is
 * out. */
bool transcribe(
    wire *wire, const char *model, const char *upload, bool (*take)(void *context, const Auscult__V1__Segment *segment),
    void *context, problem *problem
);

/* `count` columns of a hook point from `first` on, in all frames that overlap the upload: those of Trace, exact,
 * windows joined. */
bool trace_columns(
    wire *wire, const char *model, const char *hook, const char *upload, unsigned first, unsigned count,
    column_values *into, problem *problem
);

/* `count` latents of a dictionary from `first` on, in all frames of an upload of so many seconds, as they settle in
 * live audio. */
bool listen_latents(
    wire *wire, const char *model, const char *dictionary, const char *upload, double seconds, unsigned first,
    unsigned count, column_values *into, problem *problem
);

#endif
