/*
 * Latents of a sparse dictionary. The daemon reads them of live audio, so the sound is played to it as that: as samples
 * of 16 kHz, which it makes itself of what was uploaded. A value is taken when it has settled, and so depends on the
 * sound alone.
 */
#include <stdlib.h>
#include <string.h>

#include "auscult/v1/audio.pb-c.h"
#include "auscult/v1/live.pb-c.h"
#include "calls.h"

#define MOST_ROWS 4000000u
/* Seconds of sound in one piece: 960,000 bytes; a frame of the wire takes 4 MiB, a message of live audio 1 MiB. */
#define PIECE 30.0
/* New sound between two passes, in milliseconds: values that have not settled are not looked at, so there may be few.
 */
#define HOP 800

static uint32_t
open_live(wire *wire, const char *model, const char *dictionary, unsigned first, unsigned count, problem *problem) {
    Auscult__V1__LiveFeature *features = calloc(count, sizeof *features);
    Auscult__V1__LiveFeature **list = calloc(count, sizeof *list);
    uint32_t stream = 0;
    if (features && list) {
        for (unsigned i = 0; i < count; ++i) {
            features[i] = (Auscult__V1__LiveFeature)AUSCULT__V1__LIVE_FEATURE__INIT;
            features[i].index = first + i;
            features[i].dictionary = (char *)dictionary;
            list[i] = &features[i];
        }
        Auscult__V1__ModelRef which = AUSCULT__V1__MODEL_REF__INIT;
        which.name = (char *)model;
        Auscult__V1__LiveRolling rolling = AUSCULT__V1__LIVE_ROLLING__INIT;
        rolling.hop_ms = HOP;
        rolling.in_silence = 1;
        /* A value that has not settled is told once at most. */
        rolling.revision = 1e30f;
        Auscult__V1__LiveOpen open = AUSCULT__V1__LIVE_OPEN__INIT;
        open.model = &which;
        open.n_features = count;
        open.features = list;
        open.rolling = &rolling;
        Auscult__V1__LiveInput input = AUSCULT__V1__LIVE_INPUT__INIT;
        input.input_case = AUSCULT__V1__LIVE_INPUT__INPUT_OPEN;
        input.open = &open;
        stream = wire_begin(wire, "auscult.v1.Live", "Listen", NULL, problem);
        if (stream && !wire_send(wire, stream, &input.base, problem)) stream = 0;
    } else {
        problem_say(problem, "out of memory for %u latents", count);
    }
    free(features);
    free(list);
    return stream;
}

/* What settled; the rest comes again. Values behind a gap would have no place, and there is none in sound that is
 * pushed. */
static bool take_readings(column_values *into, const Auscult__V1__LiveReadings *one, problem *problem) {
    if (!into || !one->n_frames || !one->settled) return true;
    if (!(one->frames_per_second > 0) || one->n_features != into->columns || one->start < 0) {
        return problem_say(
            problem, "the daemon sent readings of %zu features; expected %u", one->n_features, into->columns
        );
    }
    for (size_t i = 0; i < one->n_features; ++i) {
        if (one->features[i]->n_values != one->n_frames) {
            return problem_say(
                problem, "the daemon sent %zu values for %zu frames", one->features[i]->n_values, one->n_frames
            );
        }
    }
    into->rate = one->frames_per_second;
    double first = one->start * one->frames_per_second + 0.5;
    for (size_t i = 0; i < one->n_frames && one->frames[i] - one->frames[0] < one->settled; ++i) {
        double place = first + one->frames[i];
        if (place >= MOST_ROWS)
            return problem_say(problem, "the daemon sent readings of more frames than there was sound");
        size_t row = (size_t)place;
        if (row >= into->rows) {
            float *values = realloc(into->values, (row + 1) * into->columns * sizeof *values);
            if (!values) return problem_say(problem, "out of memory for %zu frames", row + 1);
            memset(values + into->rows * into->columns, 0, (row + 1 - into->rows) * into->columns * sizeof *values);
            into->values = values;
            into->rows = row + 1;
        }
        for (unsigned j = 0; j < into->columns; ++j) {
            into->values[row * into->columns + j] = one->features[j]->values[i];
        }
    }
    return true;
}

/* One event, awaited. */
static wire_news take_event(wire *wire, uint32_t stream, column_values *into, problem *problem) {
    uint8_t *data;
    size_t size;
    wire_news news = wire_next(wire, stream, WIRE_LATE, &data, &size, problem);
    if (news != WIRE_MESSAGE) return news;
    Auscult__V1__LiveEvent *event = auscult__v1__live_event__unpack(NULL, size, data);
    free(data);
    if (!event) {
        problem_say(problem, "the daemon sent an event of %zu bytes that cannot be read", size);
        return WIRE_FAILED;
    }
    bool fine = true;
    if (event->dropped) {
        fine = problem_say(problem, "%llu events were lost", (unsigned long long)event->dropped);
    } else if (event->event_case == AUSCULT__V1__LIVE_EVENT__EVENT_READINGS) {
        fine = take_readings(into, event->readings, problem);
    }
    auscult__v1__live_event__free_unpacked(event, NULL);
    return fine ? WIRE_MESSAGE : WIRE_FAILED;
}

static bool take_rest(wire *wire, uint32_t stream, column_values *into, problem *problem) {
    wire_news news;
    while ((news = take_event(wire, stream, into, problem)) == WIRE_MESSAGE) {
    }
    return news == WIRE_END;
}

bool ask_latents(
    wire *wire, const char *model, const char *dictionary, unsigned first, unsigned count, problem *problem
) {
    uint32_t stream = open_live(wire, model, dictionary, first, count, problem);
    return stream && wire_end(wire, stream, problem) && take_rest(wire, stream, NULL, problem);
}

/* The samples of a WAV file that the daemon made: what its chunk "data" has. */
static bool find_samples(const ProtobufCBinaryData *file, ProtobufCBinaryData *samples) {
    for (size_t at = 12; at + 8 <= file->len;) {
        const uint8_t *chunk = file->data + at;
        size_t length = chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16 | (size_t)chunk[7] << 24;
        if (length > file->len - at - 8) return false;
        if (!memcmp(chunk, "data", 4)) {
            *samples = (ProtobufCBinaryData){.len = length & ~(size_t)1, .data = (uint8_t *)chunk + 8};
            return true;
        }
        at += 8 + length + length % 2;
    }
    return false;
}

/* Plays a piece of the upload, up to its end where it is the last. */
static bool play(wire *wire, uint32_t stream, const char *upload, double start, bool is_last, problem *problem) {
    Auscult__V1__AudioSource audio = AUSCULT__V1__AUDIO_SOURCE__INIT;
    audio.source_case = AUSCULT__V1__AUDIO_SOURCE__SOURCE_UPLOAD_ID;
    audio.upload_id = (char *)upload;
    Auscult__V1__Span span = AUSCULT__V1__SPAN__INIT;
    span.start = start;
    if (!is_last) {
        span.has_end_case = AUSCULT__V1__SPAN__HAS_END_END;
        span.end = start + PIECE;
    }
    /* Of the source, so that no more of it is read. */
    audio.span = &span;
    Auscult__V1__ExcerptRequest request = AUSCULT__V1__EXCERPT_REQUEST__INIT;
    request.audio = &audio;
    size_t size;
    uint8_t *data = wire_call(wire, "auscult.v1.Audio", "Excerpt", &request.base, &size, problem);
    if (!data) return false;
    Auscult__V1__ExcerptFile *file = auscult__v1__excerpt_file__unpack(NULL, size, data);
    free(data);
    Auscult__V1__LiveInput input = AUSCULT__V1__LIVE_INPUT__INIT;
    input.input_case = AUSCULT__V1__LIVE_INPUT__INPUT_PCM_S16LE;
    bool fine = file && file->sample_rate == 16000 && find_samples(&file->data, &input.pcm_s16le);
    if (!fine) problem_say(problem, "the daemon sent an excerpt that is no sound of 16 kHz");
    fine = fine && (!input.pcm_s16le.len || wire_send(wire, stream, &input.base, problem));
    if (file) auscult__v1__excerpt_file__free_unpacked(file, NULL);
    return fine;
}

bool listen_latents(
    wire *wire, const char *model, const char *dictionary, const char *upload, double seconds, unsigned first,
    unsigned count, column_values *into, problem *problem
) {
    *into = (column_values){.columns = count, .rate = 50};
    uint32_t stream = open_live(wire, model, dictionary, first, count, problem);
    for (double start = 0; stream && start < seconds; start += PIECE) {
        /* A last piece of less than a second goes with the one before it. */
        bool is_last = start + PIECE + 1 > seconds;
        if (!play(wire, stream, upload, start, is_last, problem)) return false;
        while (wire_has_news(wire, stream)) {
            wire_news news = take_event(wire, stream, into, problem);
            if (news == WIRE_END) problem_say(problem, "the daemon stopped listening");
            if (news != WIRE_MESSAGE) return false;
        }
        if (is_last) break;
    }
    return stream && wire_end(wire, stream, problem) && take_rest(wire, stream, into, problem);
}
