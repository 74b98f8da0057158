#include "plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rates that a host may have; hertz. */
enum { LEAST_RATE = 8000, MOST_RATE = 192000 };
/* Channels are mixed down, as the daemon does it with recordings. */
enum { MOST_CHANNELS = 64, MOST_BLOCK = 1 << 24 };

static const kind *const kinds[] = {&transcript_kind, &features_kind, &latents_kind};

__attribute__((visibility("default"))) const VampPluginDescriptor *
vampGetPluginDescriptor(unsigned version, unsigned index) {
    if (version < 2 || index >= sizeof kinds / sizeof *kinds) return NULL;
    return &kinds[index]->descriptor;
}

static void complain(const instance *self, const problem *problem) {
    fprintf(stderr, "auscult-vamp: %s: %s\n", self->kind->descriptor.identifier, problem->text);
}

/* --------------------------------------------------------------------------------------------------- parameters */

static const char *const models[] = {
    "built in",  "$AUSCULT_VAMP_MODEL, else built in",
    "tiny.en",   "tiny",
    "base.en",   "base",
    "small.en",  "small",
    "medium.en", "medium",
    "large-v1",  "large-v2",
    "large-v3",  "large-v3-turbo",
    NULL,
};

const VampParameterDescriptor model_parameter = {
    .identifier = "model",
    .name = "Model",
    .description = "The Whisper that listens. What is not built in has to be there: auscult models pull tiny.en",
    .unit = "",
    .minValue = 0,
    .maxValue = sizeof models / sizeof *models - 2,
    .defaultValue = 1,
    .isQuantized = 1,
    .quantizeStep = 1,
    .valueNames = (const char **)models,
};

const char *chosen_model(const instance *self) {
    int number = (int)self->values[0];
    const char *named = getenv("AUSCULT_VAMP_MODEL");
    if (number == 0) return "";
    if (number == 1) return named ? named : "";
    return models[number];
}

float plugin_get_parameter(VampPluginHandle handle, int number) {
    const instance *self = handle;
    return number < 0 || (unsigned)number >= self->kind->descriptor.parameterCount ? 0 : self->values[number];
}

/* Takes the nearest value that the parameter can have; what is no number changes nothing. */
void plugin_set_parameter(VampPluginHandle handle, int number, float value) {
    instance *self = handle;
    if (number < 0 || (unsigned)number >= self->kind->descriptor.parameterCount || isnan(value)) return;
    const VampParameterDescriptor *parameter = self->kind->descriptor.parameters[number];
    self->values[number] = fminf(fmaxf(roundf(value), parameter->minValue), parameter->maxValue);
}

unsigned plugin_current_program(VampPluginHandle handle) {
    (void)handle;
    return 0;
}

void plugin_select_program(VampPluginHandle handle, unsigned number) {
    (void)handle;
    (void)number;
}

/* ------------------------------------------------------------------------------------------------- an instance */

VampPluginHandle plugin_instantiate(const VampPluginDescriptor *descriptor, float rate) {
    instance *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
        if (descriptor == &kinds[i]->descriptor) self->kind = kinds[i];
    }
    if (!self->kind) {
        free(self);
        return NULL;
    }
    /* What cannot be is refused by initialise, which can say so. */
    self->rate = rate >= 1 && rate < 1e9f ? (unsigned)lroundf(rate) : 0;
    for (unsigned i = 0; i < descriptor->parameterCount; ++i) self->values[i] = descriptor->parameters[i]->defaultValue;
    return self;
}

void plugin_cleanup(VampPluginHandle handle) {
    instance *self = handle;
    if (!self) return;
    sound_free(self->sound);
    free(self);
}

void plugin_reset(VampPluginHandle handle) {
    instance *self = handle;
    sound_free(self->sound);
    self->sound = NULL;
    self->is_over = false;
}

static bool initialise(instance *self, unsigned channels, unsigned step, unsigned block, problem *problem) {
    if (self->rate < LEAST_RATE || self->rate > MOST_RATE) {
        return problem_say(problem, "a sample rate of %u Hz; expected %d to %d", self->rate, LEAST_RATE, MOST_RATE);
    }
    if (channels < 1 || channels > MOST_CHANNELS) {
        return problem_say(problem, "%u channels; expected 1 to %d", channels, MOST_CHANNELS);
    }
    if (block < 1 || block > MOST_BLOCK) {
        return problem_say(problem, "blocks of %u samples; expected 1 to %d", block, MOST_BLOCK);
    }
    if (step < 1 || step > block) {
        return problem_say(
            problem, "steps of %u samples between blocks of %u; expected 1 to %u, since all of the sound is needed",
            step, block, block
        );
    }
    wire *wire = wire_open(problem);
    bool fine = wire && self->kind->check(self, wire, problem);
    wire_close(wire);
    return fine;
}

int plugin_initialise(VampPluginHandle handle, unsigned channels, unsigned step, unsigned block) {
    instance *self = handle;
    problem problem = {""};
    plugin_reset(self);
    /* Until all is well, blocks that come are passed over. */
    self->block = 0;
    if (!initialise(self, channels, step, block, &problem)) {
        complain(self, &problem);
        return 0;
    }
    self->channels = channels;
    self->step = step;
    self->block = block;
    return 1;
}

/* A power of two below the 20 ms of an encoder's frame: hosts fill the last block up with silence, which should be
 * short. */
unsigned plugin_preferred_size(VampPluginHandle handle) {
    unsigned size = 128;
    while (size * 100 <= ((const instance *)handle)->rate) size *= 2;
    return size;
}

unsigned plugin_fewest_channels(VampPluginHandle handle) {
    (void)handle;
    return 1;
}

unsigned plugin_most_channels(VampPluginHandle handle) {
    (void)handle;
    return MOST_CHANNELS;
}

unsigned plugin_output_count(VampPluginHandle handle) {
    return ((const instance *)handle)->kind->outputs;
}

VampOutputDescriptor *plugin_output(VampPluginHandle handle, unsigned number) {
    const instance *self = handle;
    return number < self->kind->outputs ? self->kind->describe(self, number) : NULL;
}

void plugin_release_output(VampOutputDescriptor *output) {
    free(output);
}

/* --------------------------------------------------------------------------------------------------------- sound */

VampFeatureList *plugin_process(VampPluginHandle handle, const float *const *buffers, int seconds, int nanoseconds) {
    instance *self = handle;
    problem problem = {""};
    if (self->is_over || !self->block || !buffers) return results_none();
    if (!self->sound) {
        self->origin = (int64_t)seconds * 1000000000 + nanoseconds;
        self->sound = sound_new(self->rate, &problem);
    }
    if (!self->sound || !sound_add(self->sound, buffers, self->channels, self->step, self->block, &problem)) {
        complain(self, &problem);
        plugin_reset(self);
        self->is_over = true;
    }
    return results_none();
}

/* Asks the daemon about the sound. NULL for a failure. */
static results *ask(const instance *self, problem *problem) {
    double seconds = (double)sound_samples(self->sound) / self->rate;
    wire *wire = wire_open(problem);
    char *id = wire ? upload(wire, self->sound, problem) : NULL;
    results *found = id ? results_new(self->kind->outputs, self->origin) : NULL;
    if (id && !found) problem_say(problem, "out of memory");
    if (found && !self->kind->compute(self, wire, id, seconds, found, problem)) {
        results_free(found);
        found = NULL;
    }
    free(id);
    wire_close(wire);
    return found;
}

VampFeatureList *plugin_remaining(VampPluginHandle handle) {
    instance *self = handle;
    problem problem = {""};
    /* No sound, and nothing to ask about. */
    if (!self->sound || !sound_samples(self->sound)) return results_none();
    if (sound_is_cut(self->sound)) {
        problem_say(
            &problem, "there is more sound than is kept (%d hours, or 4 GiB); the features are of its beginning",
            SOUND_MOST_HOURS
        );
        complain(self, &problem);
    }
    results *found = ask(self, &problem);
    VampFeatureList *lists = found ? results_lists(found) : NULL;
    if (found && !lists) {
        results_free(found);
        problem_say(&problem, "out of memory");
    }
    if (!lists) complain(self, &problem);
    plugin_reset(self);
    self->is_over = true;
    return lists ? lists : results_none();
}
