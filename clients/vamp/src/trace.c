/* Columns of a trace: the daemon sends whole tensors, in pieces, of which these columns are kept as they come by. */
#include <stdlib.h>
#include <string.h>

#include "auscult/v1/trace.pb-c.h"
#include "calls.h"

/* Frames that all windows may have together: far more than the sound that is kept. */
#define MOST_ROWS 4000000u

/* The columns that are wanted of the tensor that is coming. */
typedef struct {
    column_values *into;
    unsigned first;
    /* Of the tensor: bytes of one row, its rows, and where they go. */
    uint64_t row_bytes, rows;
    size_t base;
} reader;

/* Makes room for a window's rows. Windows follow one another without gaps, and each says where it begins. */
static bool begin_tensor(reader *self, const Auscult__V1__TensorHeader *header, problem *problem) {
    column_values *into = self->into;
    if (header->dtype != AUSCULT__V1__DTYPE__F32 || header->n_shape < 2 ||
        header->has_frames_per_second_case != AUSCULT__V1__TENSOR_HEADER__HAS_FRAMES_PER_SECOND_FRAMES_PER_SECOND ||
        !(header->frames_per_second > 0)) {
        return problem_say(problem, "the daemon sent %s, which is no tensor of float32 frame by frame", header->name);
    }
    uint64_t width = 1;
    for (size_t i = 1; i < header->n_shape; ++i) {
        if (header->shape[i] > 1000000 || (width *= header->shape[i]) > 1000000) {
            return problem_say(problem, "the daemon sent %s, which has more columns than can be", header->name);
        }
    }
    if (self->first + (uint64_t)into->columns > width) {
        return problem_say(
            problem, "%s has %llu columns; expected %u or more", header->name, (unsigned long long)width,
            self->first + into->columns
        );
    }
    uint64_t first_frame =
        header->first_position_case == AUSCULT__V1__TENSOR_HEADER__FIRST_POSITION_FIRST_FRAME ? header->first_frame : 0;
    if (!into->rows) into->start = (double)first_frame / header->frames_per_second;
    into->rate = header->frames_per_second;
    if (header->shape[0] > MOST_ROWS || first_frame > MOST_ROWS) {
        return problem_say(problem, "the daemon sent %s, which has more frames than there was sound", header->name);
    }
    size_t base = (size_t)((int64_t)first_frame - (int64_t)(into->start * into->rate + 0.5));
    size_t rows = base + header->shape[0];
    if (base > into->rows || rows > MOST_ROWS) {
        return problem_say(problem, "the daemon sent %s, which does not follow the window before", header->name);
    }
    float *values = realloc(into->values, (rows ? rows : 1) * into->columns * sizeof *values);
    if (!values) return problem_say(problem, "out of memory for %zu frames", rows);
    /* What a broken daemon leaves out shall be nothing, and not what lay there. */
    memset(values + base * into->columns, 0, (rows - base) * into->columns * sizeof *values);
    into->values = values;
    into->rows = rows;
    self->base = base;
    self->rows = header->shape[0];
    self->row_bytes = width * sizeof(float);
    return true;
}

/* Copies what of the wanted columns lies in a piece, byte by byte: a piece may end within a number. */
static bool take_chunk(reader *self, const Auscult__V1__TensorChunk *chunk, problem *problem) {
    uint64_t begin = chunk->offset, end = begin + chunk->data.len;
    if (!self->row_bytes || end < begin || end > self->rows * self->row_bytes) {
        return problem_say(problem, "the daemon sent a piece of a tensor that lies outside of it");
    }
    uint64_t wanted = self->into->columns * sizeof(float);
    char *rows = (char *)(self->into->values + self->base * self->into->columns);
    for (uint64_t row = begin / self->row_bytes; row < self->rows; ++row) {
        uint64_t from = row * self->row_bytes + self->first * sizeof(float), to = from + wanted;
        if (from >= end) break;
        uint64_t low = from > begin ? from : begin, high = to < end ? to : end;
        if (low < high) memcpy(rows + row * wanted + (low - from), chunk->data.data + (low - begin), high - low);
    }
    return true;
}

static bool take_event(reader *self, const Auscult__V1__TraceEvent *event, problem *problem) {
    switch (event->event_case) {
    case AUSCULT__V1__TRACE_EVENT__EVENT_TENSOR: return begin_tensor(self, event->tensor, problem);
    case AUSCULT__V1__TRACE_EVENT__EVENT_CHUNK: return take_chunk(self, event->chunk, problem);
    default: return true;
    }
}

bool trace_columns(
    wire *wire, const char *model, const char *hook, const char *upload, unsigned first, unsigned count,
    column_values *into, problem *problem
) {
    Auscult__V1__ModelRef which = AUSCULT__V1__MODEL_REF__INIT;
    which.name = (char *)model;
    Auscult__V1__AudioSource audio = AUSCULT__V1__AUDIO_SOURCE__INIT;
    audio.source_case = AUSCULT__V1__AUDIO_SOURCE__SOURCE_UPLOAD_ID;
    audio.upload_id = (char *)upload;
    Auscult__V1__TraceRequest request = AUSCULT__V1__TRACE_REQUEST__INIT;
    request.model = &which;
    request.audio = &audio;
    request.n_hooks = 1;
    request.hooks = (char **)&hook;
    *into = (column_values){.columns = count, .rate = 50};
    reader reader = {.into = into, .first = first};
    uint32_t stream = wire_begin(wire, "auscult.v1.Trace", "Run", &request.base, problem);
    if (!stream) return false;
    for (;;) {
        uint8_t *data;
        size_t size;
        wire_news news = wire_next(wire, stream, WIRE_LATE, &data, &size, problem);
        if (news != WIRE_MESSAGE) return news == WIRE_END;
        Auscult__V1__TraceEvent *event = auscult__v1__trace_event__unpack(NULL, size, data);
        free(data);
        if (!event) return problem_say(problem, "the daemon sent an event of %zu bytes that cannot be read", size);
        bool fine = take_event(&reader, event, problem);
        auscult__v1__trace_event__free_unpacked(event, NULL);
        if (!fine) return false;
    }
}
