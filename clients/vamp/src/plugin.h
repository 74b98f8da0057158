/*
 * What the plugins of this library share: an instance collects the sound that the host plays, and asks the daemon when
 * it has ended. A `kind` is what makes them different.
 */
#ifndef AUSCULT_VAMP_PLUGIN_H
#define AUSCULT_VAMP_PLUGIN_H

#include <vamp/vamp.h>

#include "calls.h"
#include "results.h"
#include "sound.h"

#define MOST_PARAMETERS 5

typedef struct kind kind;

typedef struct {
    const kind *kind;
    unsigned rate;
    /* In the order of the descriptor's parameters. */
    float values[MOST_PARAMETERS];
    /* Set by initialise. */
    unsigned channels, step, block;
    /* Of the plugins of columns: how many the heat map has, as far as the model has them. */
    unsigned columns;
    /* NULL before the first block, and once the features were given. */
    sound *sound;
    /* When the first block began, in nanoseconds. */
    int64_t origin;
    /* The sound was given up, or asked about: no more of it is taken until reset. */
    bool is_over;
} instance;

struct kind {
    VampPluginDescriptor descriptor;
    /* Before sound comes: whether the daemon can do what the parameters say. */
    bool (*check)(instance *self, wire *wire, problem *problem);
    /* Fills the results from what was uploaded, `seconds` of sound. */
    bool (*compute)(
        const instance *self, wire *wire, const char *upload, double seconds, results *into, problem *problem
    );
    /* An output as the host is told it; memory that `free` frees at once, or NULL. */
    VampOutputDescriptor *(*describe)(const instance *self, unsigned output);
    unsigned outputs;
};

extern const kind transcript_kind, features_kind, latents_kind;

/* The callbacks and texts that all descriptors have. */
#define SHARED_DESCRIPTION                                                                                             \
    .vampApiVersion = 2, .maker = "Auscult", .pluginVersion = 1, .copyright = "Apache-2.0",                            \
    .inputDomain = vampTimeDomain, .instantiate = plugin_instantiate, .cleanup = plugin_cleanup,                       \
    .initialise = plugin_initialise, .reset = plugin_reset, .getParameter = plugin_get_parameter,                      \
    .setParameter = plugin_set_parameter, .getCurrentProgram = plugin_current_program,                                 \
    .selectProgram = plugin_select_program, .getPreferredStepSize = plugin_preferred_size,                             \
    .getPreferredBlockSize = plugin_preferred_size, .getMinChannelCount = plugin_fewest_channels,                      \
    .getMaxChannelCount = plugin_most_channels, .getOutputCount = plugin_output_count,                                 \
    .getOutputDescriptor = plugin_output, .releaseOutputDescriptor = plugin_release_output, .process = plugin_process, \
    .getRemainingFeatures = plugin_remaining, .releaseFeatureSet = results_release

VampPluginHandle plugin_instantiate(const VampPluginDescriptor *descriptor, float rate);
void plugin_cleanup(VampPluginHandle handle);
int plugin_initialise(VampPluginHandle handle, unsigned channels, unsigned step, unsigned block);
void plugin_reset(VampPluginHandle handle);
float plugin_get_parameter(VampPluginHandle handle, int number);
void plugin_set_parameter(VampPluginHandle handle, int number, float value);
unsigned plugin_current_program(VampPluginHandle handle);
void plugin_select_program(VampPluginHandle handle, unsigned number);
unsigned plugin_preferred_size(VampPluginHandle handle);
unsigned plugin_fewest_channels(VampPluginHandle handle);
unsigned plugin_most_channels(VampPluginHandle handle);
unsigned plugin_output_count(VampPluginHandle handle);
VampOutputDescriptor *plugin_output(VampPluginHandle handle, unsigned number);
void plugin_release_output(VampOutputDescriptor *output);
VampFeatureList *plugin_process(VampPluginHandle handle, const float *const *buffers, int seconds, int nanoseconds);
VampFeatureList *plugin_remaining(VampPluginHandle handle);

/* The parameter that says which model, which every plugin has first, and what it says. A host keeps the number of its
 * value, so models are added at the end. */
extern const VampParameterDescriptor model_parameter;
const char *chosen_model(const instance *self);

#endif
