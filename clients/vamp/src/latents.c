/* Latents of a sparse dictionary over time. The folder of the dictionary is $AUSCULT_VAMP_DICTIONARY: parameters are
 * numbers. */
#include <stdlib.h>
#include <string.h>

#include "columns.h"

enum { MODEL, INDEX, COLUMNS, PARAMETERS };

/* Numbers that a float has exactly. */
static const VampParameterDescriptor index_parameter = {
    .identifier = "index",
    .name = "Latent",
    .description = "A latent of the dictionary in $AUSCULT_VAMP_DICTIONARY, from 0",
    .unit = "",
    .minValue = 0,
    .maxValue = 65535,
    .defaultValue = 1,
    .isQuantized = 1,
    .quantizeStep = 1,
};

static const VampParameterDescriptor *const parameters[PARAMETERS] = {
    &model_parameter,
    &index_parameter,
    &columns_parameter,
};

static const char *dictionary(problem *problem) {
    const char *folder = getenv("AUSCULT_VAMP_DICTIONARY");
    if (folder && folder[0] == '/') return folder;
    problem_say(
        problem,
        "no dictionary: set AUSCULT_VAMP_DICTIONARY to its folder before the host starts; expected a whole path, not "
        "'%s'",
        folder ? folder : ""
    );
    return NULL;
}

static unsigned first(const instance *self) {
    return (unsigned)self->values[INDEX];
}
static unsigned count(const instance *self) {
    return (unsigned)self->values[COLUMNS];
}

static bool check(instance *self, wire *wire, problem *problem) {
    const char *folder = dictionary(problem);
    self->columns = count(self);
    return folder && ask_latents(wire, chosen_model(self), folder, first(self), count(self), problem);
}

static bool
compute(const instance *self, wire *wire, const char *upload, double seconds, results *into, problem *problem) {
    const char *folder = dictionary(problem);
    column_values values = {0};
    bool fine =
        folder &&
        listen_latents(wire, chosen_model(self), folder, upload, seconds, first(self), count(self), &values, problem) &&
        columns_add(into, &values, problem);
    free(values.values);
    return fine;
}

static VampOutputDescriptor *describe(const instance *self, unsigned output) {
    return columns_describe("Latent", output, first(self), count(self));
}

const kind latents_kind = {
    .descriptor =
        {
            SHARED_DESCRIPTION,
            .identifier = "auscult-latents",
            .name = "Auscult: latents",
            .description = "Latents of a sparse dictionary at a Whisper's encoder, every 20 ms",
            .parameterCount = PARAMETERS,
            .parameters = (const VampParameterDescriptor **)parameters,
        },
    .check = check,
    .compute = compute,
    .describe = describe,
    .outputs = COLUMNS_OUTPUTS,
};
