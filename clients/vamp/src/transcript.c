/* What is said, as regions over the sound: words with their times and probabilities, and segments. */
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

enum { WORDS, SEGMENTS, OUTPUTS };

static const VampParameterDescriptor *const parameters[] = {&model_parameter};

static bool check(instance *self, wire *wire, problem *problem) {
    return ask_model(wire, chosen_model(self), problem);
}

static VampOutputDescriptor *describe(const instance *self, unsigned output) {
    (void)self;
    VampOutputDescriptor *one = calloc(1, sizeof *one);
    if (!one) return NULL;
    *one = (VampOutputDescriptor){
        .identifier = "words",
        .name = "Words",
        .description = "Each word, with the mean probability of its tokens",
        .unit = "",
        .hasFixedBinCount = 1,
        .binCount = 1,
        .hasKnownExtents = 1,
        .minValue = 0,
        .maxValue = 1,
        .sampleType = vampVariableSampleRate,
        /* Times are multiples of 20 ms. */
        .sampleRate = 50,
        .hasDuration = 1,
    };
    if (output == SEGMENTS) {
        one->identifier = "segments";
        one->name = "Segments";
        one->description =
            "Stretches of speech as the model's timestamps cut it, with the mean log-probability of their tokens";
        one->hasKnownExtents = 0;
        one->minValue = one->maxValue = 0;
    }
    return one;
}

/* Adds a stretch without the blank that its text begins with. */
static bool add(results *into, unsigned output, double start, double end, double value, const char *text) {
    float number = (float)value;
    return results_add(into, output, start, end > start ? end - start : 0, &number, 1, text + strspn(text, " "));
}

static bool take(void *context, const Auscult__V1__Segment *segment) {
    if (!add(context, SEGMENTS, segment->start, segment->end, segment->avg_logprob, segment->text)) return false;
    for (size_t i = 0; i < segment->n_words; ++i) {
        const Auscult__V1__Word *word = segment->words[i];
        if (!add(context, WORDS, word->start, word->end, word->probability, word->word)) return false;
    }
    return true;
}

static bool
compute(const instance *self, wire *wire, const char *upload, double seconds, results *into, problem *problem) {
    (void)seconds;
    return transcribe(wire, chosen_model(self), upload, take, into, problem);
}

const kind transcript_kind = {
    .descriptor =
        {
            SHARED_DESCRIPTION,
            .identifier = "auscult-transcript",
            .name = "Auscult: transcript",
            .description = "Words and segments that a Whisper hears, with their times",
            .parameterCount = sizeof parameters / sizeof *parameters,
            .parameters = (const VampParameterDescriptor **)parameters,
        },
    .check = check,
    .compute = compute,
    .describe = describe,
    .outputs = OUTPUTS,
};
