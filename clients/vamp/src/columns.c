#include "columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An encoder's frame is 20 ms, in every Whisper. */
#define FRAMES_PER_SECOND 50

enum { NAME = 24, TEXT = 128 };

const VampParameterDescriptor columns_parameter = {
    .identifier = "columns",
    .name = "Columns of the heat map",
    .description = "How many columns, from the chosen one on, the output 'columns' has",
    .unit = "",
    .minValue = 1,
    .maxValue = 256,
    .defaultValue = 16,
    .isQuantized = 1,
    .quantizeStep = 1,
};

/* The descriptor and all that it points to, in one piece, which `free` takes back. */
typedef struct {
    VampOutputDescriptor descriptor;
    char name[TEXT];
    const char *bins[256];
    char bin_names[256][NAME];
} output;

VampOutputDescriptor *columns_describe(const char *name, unsigned number, unsigned first, unsigned count) {
    output *one = calloc(1, sizeof *one);
    if (!one) return NULL;
    bool is_map = number == COLUMNS_MAP;
    if (!is_map || count < 1) count = 1;
    if (count > 256) count = 256;
    snprintf(one->name, TEXT, is_map ? "%ss %u to %u" : "%s %u", name, first, first + count - 1);
    for (unsigned i = 0; i < count; ++i) {
        snprintf(one->bin_names[i], NAME, "%u", first + i);
        one->bins[i] = one->bin_names[i];
    }
    one->descriptor = (VampOutputDescriptor){
        .identifier = is_map ? "columns" : "curve",
        .name = one->name,
        .description = is_map ? "The chosen one and those behind it, frame by frame" : "The chosen one, frame by frame",
        .unit = "",
        .hasFixedBinCount = 1,
        .binCount = count,
        .binNames = one->bins,
        .sampleType = vampFixedSampleRate,
        .sampleRate = FRAMES_PER_SECOND,
    };
    return &one->descriptor;
}

bool columns_add(results *into, const column_values *values, problem *problem) {
    for (size_t row = 0; row < values->rows; ++row) {
        double start = values->start + (double)row / values->rate;
        const float *numbers = values->values + row * values->columns;
        if (!results_add(into, COLUMNS_CURVE, start, -1, numbers, 1, NULL) ||
            !results_add(into, COLUMNS_MAP, start, -1, numbers, values->columns, NULL)) {
            return problem_say(problem, "out of memory for %zu frames", values->rows);
        }
    }
    return true;
}
