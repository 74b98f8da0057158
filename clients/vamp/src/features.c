/* Columns of a hook point in the encoder over time: neurons of an MLP, dimensions of the residual stream or of a head.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"

enum { MODEL, POINT, BLOCK, INDEX, COLUMNS, PARAMETERS };

/* Hook points with a value for each frame of 20 ms. A host keeps the number of a value, so the order stays; every
 * Whisper has them all, so nobody has to be asked before the daemon runs. */
static const char *const points[] = {
    "resid_pre", "attn_ln", "attn.q", "attn.k", "attn.v", "attn.z",         "attn",
    "resid_mid", "mlp_ln",  "mlp.0",  "mlp.1",  "mlp",    "block's output", "ln_post (no block)",
    NULL,
};
enum { MLP_1 = 10, OUTPUT = 12, LN_POST = 13 };

static const VampParameterDescriptor point_parameter = {
    .identifier = "point",
    .name = "Hook point",
    .description = "Where in a block of the encoder; mlp.1 are the neurons of its MLP",
    .unit = "",
    .minValue = 0,
    .maxValue = sizeof points / sizeof *points - 2,
    .defaultValue = MLP_1,
    .isQuantized = 1,
    .quantizeStep = 1,
    .valueNames = (const char **)points,
};

/* The largest Whisper has 32 blocks, and 5120 neurons in each. */
static const VampParameterDescriptor block_parameter = {
    .identifier = "block",
    .name = "Block",
    .description = "The encoder's block, from 0; tiny has 4, base 6, small 12, medium 24, large 32",
    .unit = "",
    .minValue = 0,
    .maxValue = 31,
    .defaultValue = 2,
    .isQuantized = 1,
    .quantizeStep = 1,
};

static const VampParameterDescriptor index_parameter = {
    .identifier = "index",
    .name = "Column",
    .description = "The neuron, or the dimension, from 0; of heads, head × its dimensions + dimension",
    .unit = "",
    .minValue = 0,
    .maxValue = 5119,
    .defaultValue = 17,
    .isQuantized = 1,
    .quantizeStep = 1,
};

static const VampParameterDescriptor *const parameters[PARAMETERS] = {
    &model_parameter, &point_parameter, &block_parameter, &index_parameter, &columns_parameter,
};

typedef struct {
    char hook[64];
    unsigned first, count;
} choice;

static choice chosen(const instance *self) {
    choice one = {.first = (unsigned)self->values[INDEX], .count = (unsigned)self->values[COLUMNS]};
    int point = (int)self->values[POINT], block = (int)self->values[BLOCK];
    if (point == LN_POST) {
        snprintf(one.hook, sizeof one.hook, "encoder.ln_post");
    } else if (point == OUTPUT) {
        snprintf(one.hook, sizeof one.hook, "encoder.blocks.%d", block);
    } else {
        snprintf(one.hook, sizeof one.hook, "encoder.blocks.%d.%s", block, points[point]);
    }
    return one;
}

static bool check(instance *self, wire *wire, problem *problem) {
    choice one = chosen(self);
    uint64_t width = ask_columns(wire, chosen_model(self), one.hook, problem);
    if (!width) return false;
    if (one.first >= width) {
        return problem_say(
            problem, "%s has columns 0 to %llu, and no column %u", one.hook, (unsigned long long)width - 1, one.first
        );
    }
    /* The heat map ends where the hook point does. */
    self->columns = one.count > width - one.first ? (unsigned)(width - one.first) : one.count;
    return true;
}

static bool
compute(const instance *self, wire *wire, const char *upload, double seconds, results *into, problem *problem) {
    (void)seconds;
    choice one = chosen(self);
    column_values values = {0};
    bool fine = trace_columns(wire, chosen_model(self), one.hook, upload, one.first, self->columns, &values, problem) &&
                columns_add(into, &values, problem);
    free(values.values);
    return fine;
}

static VampOutputDescriptor *describe(const instance *self, unsigned output) {
    choice one = chosen(self);
    return columns_describe(
        self->values[POINT] == MLP_1 ? "Neuron" : "Column", output, one.first, self->block ? self->columns : one.count
    );
}

const kind features_kind = {
    .descriptor =
        {
            SHARED_DESCRIPTION,
            .identifier = "auscult-features",
            .name = "Auscult: features",
            .description = "Neurons and other columns of a Whisper's encoder, every 20 ms",
            .parameterCount = PARAMETERS,
            .parameters = (const VampParameterDescriptor **)parameters,
        },
    .check = check,
    .compute = compute,
    .describe = describe,
    .outputs = COLUMNS_OUTPUTS,
};
