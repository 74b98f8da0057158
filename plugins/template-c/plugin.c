/*
 * A plugin for Auscult in plain C: how loud each recording is, frame by frame, and where it is silent.
 *
 * It is a whole plugin and the place to learn from: read it from the end, where the library's one symbol is, up to the
 * arithmetic. auscult/auscult_plugin.h is the manual. `make` builds the bundle; then
 *
 *     auscult plugins validate build/org.example.template-c
 *     AUSCULT_PLUGIN_PATH=build auscult run template-c recording.wav
 */
#include "auscult_plugin.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "org.example.template-c"

/* One frame is 20 ms: what one row of Whisper's encoder stands for. */
#define FRAME 320
#define FRAMES_PER_SECOND 50.0
/* Digital silence has no logarithm; it is drawn as this. */
#define FLOOR_DBFS (-120.0)

/* ---------------------------------------------------------------------------------------- what an instance knows */

typedef struct {
    /* First, so that a pointer to the one is a pointer to the other. Auscult sees this much of it. */
    auscult_instance instance;
    const auscult_host *host;
    char error[256];

    double silence_dbfs;
    double shortest_silence;

    /* About all recordings. Energy is a sum of squared samples in units of 2^-32: a whole number, so that the sum of
     * many recordings is the same to the bit in any order, and runs can be divided and merged. */
    uint64_t recordings, samples, energy;

    /* About the recording that is heard now, which may come in several windows: the mean square of each frame. */
    double *frames;
    uint64_t frame_count, frame_capacity;
    /* Seconds of the recording before the first of them; of sound that is still being made, which is told in stretches. */
    double origin;
} loudness;

/* An error is a status for Auscult and a sentence for people. It names the thing, what was expected and what came. */
static auscult_status fail(loudness *self, auscult_status status, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(self->error, sizeof self->error, format, values);
    va_end(values);
    return status;
}

static auscult_status fine(loudness *self) {
    self->error[0] = 0;
    return AUSCULT_OK;
}

/* Passes on what the host says of its own functions. */
static auscult_status check(loudness *self, auscult_status status) {
    return status == AUSCULT_OK ? AUSCULT_OK : fail(self, status, "%s", self->host->last_error(self->host));
}

/* ---------------------------------------------------------------------------------------- the arithmetic */

static double decibels(double mean_square) {
    double level = mean_square > 0 ? 10 * log10(mean_square) : FLOOR_DBFS;
    return level > FLOOR_DBFS ? level : FLOOR_DBFS;
}

static auscult_status reserve(loudness *self, uint64_t count) {
    if (count <= self->frame_capacity) return AUSCULT_OK;
    uint64_t capacity = count + count / 2 + 1500;
    if (capacity > SIZE_MAX / sizeof(double)) return fail(self, AUSCULT_LIMIT, "a recording is too long");
    double *frames = realloc(self->frames, (size_t)capacity * sizeof(double));
    if (!frames) return fail(self, AUSCULT_LIMIT, "there is no memory for %llu frames", (unsigned long long)count);
    self->frames = frames;
    self->frame_capacity = capacity;
    return AUSCULT_OK;
}

/* ---------------------------------------------------------------------------------------- results */

static const auscult_axis time_axis = {
    .struct_size = sizeof time_axis, .name = "time", .unit = "s", .first = 0.5 / FRAMES_PER_SECOND,
    .step = 1 / FRAMES_PER_SECOND};

static auscult_value value_of(int32_t kind, const char *recording) {
    auscult_value value;
    memset(&value, 0, sizeof value);
    value.struct_size = sizeof value;
    value.kind = kind;
    value.recording = recording;
    value.text = "";
    return value;
}

static auscult_status emit_scalar(loudness *self, const char *id, const char *recording, double number) {
    auscult_value value = value_of(AUSCULT_SCALAR, recording);
    value.scalar = number;
    return check(self, self->host->emit(self->host, id, &value));
}

static auscult_status emit_line(loudness *self, const char *recording, const double *levels) {
    auscult_tensor line;
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    line.dtype = AUSCULT_F64;
    line.rank = 1;
    line.shape[0] = (int64_t)self->frame_count;
    line.strides[0] = 1;
    line.data = levels;
    line.hook = "";
    for (int axis = 0; axis < AUSCULT_MAX_RANK; axis++) line.axes[axis] = "";
    auscult_axis axis = time_axis;
    axis.first += self->origin;
    auscult_value value = value_of(AUSCULT_VECTOR, recording);
    value.array = &line;
    if (self->origin > 0) value.axes = &axis, value.axis_count = 1;
    return check(self, self->host->emit(self->host, "levels", &value));
}

static auscult_status emit_silences(loudness *self, const char *recording, const double *levels) {
    uint64_t count = 0;
    auscult_event *events = malloc((size_t)(self->frame_count / 2 + 1) * sizeof *events);
    if (!events) return fail(self, AUSCULT_LIMIT, "there is no memory for the silences of %s", recording);
    for (uint64_t start = 0, end; start < self->frame_count; start = end + 1) {
        double loudest = FLOOR_DBFS;
        for (end = start; end < self->frame_count && levels[end] < self->silence_dbfs; end++)
            if (levels[end] > loudest) loudest = levels[end];
        if (end == start || (double)(end - start) / FRAMES_PER_SECOND < self->shortest_silence) continue;
        events[count++] = (auscult_event){
            self->origin + (double)start / FRAMES_PER_SECOND, self->origin + (double)end / FRAMES_PER_SECOND, "silence",
            loudest};
    }
    auscult_value value = value_of(AUSCULT_TIMED_EVENTS, recording);
    value.events = events;
    value.event_count = count;
    auscult_status status = check(self, self->host->emit(self->host, "silences", &value));
    free(events);
    return status;
}

static auscult_status emit_recording(loudness *self, const char *recording) {
    double *levels = malloc((size_t)(self->frame_count + 1) * sizeof *levels);
    if (!levels) return fail(self, AUSCULT_LIMIT, "there is no memory for the levels of %s", recording);
    double sum = 0;
    for (uint64_t i = 0; i < self->frame_count; i++) {
        levels[i] = decibels(self->frames[i]);
        sum += self->frames[i];
    }
    double mean = self->frame_count ? sum / (double)self->frame_count : 0;
    auscult_status status = emit_scalar(self, "loudness", recording, decibels(mean));
    if (status == AUSCULT_OK) status = emit_line(self, recording, levels);
    if (status == AUSCULT_OK) status = emit_silences(self, recording, levels);
    free(levels);
    return status;
}

/* ---------------------------------------------------------------------------------------- the life of an instance */

static auscult_status activate(const auscult_instance *instance, const auscult_run *run) {
    (void)run; /* It works for any model. */
    return fine((loudness *)instance);
}

/* Hears one window of one recording, or a stretch of sound that is still being made: then results are about that stretch. The clip is
 * ours to look at until we return. */
static auscult_status process(const auscult_instance *instance, const auscult_clip *clip) {
    loudness *self = (loudness *)instance;
    if (clip->struct_size < sizeof *clip) return fail(self, AUSCULT_UNSUPPORTED, "the host's clip is too small");
    int is_live = clip->window_count == 0;
    if (clip->window == 0) self->frame_count = 0;
    self->origin = is_live ? clip->start : 0;
    auscult_status status = reserve(self, self->frame_count + clip->sample_count / FRAME + 1);
    if (status != AUSCULT_OK) return status;

    double all = 0;
    for (uint64_t start = 0; start < clip->sample_count; start += FRAME) {
        uint64_t end = clip->sample_count - start < FRAME ? clip->sample_count : start + FRAME;
        double sum = 0;
        for (uint64_t i = start; i < end; i++) sum += (double)clip->samples[i] * clip->samples[i];
        self->frames[self->frame_count++] = sum / (double)(end - start);
        all += sum;
    }
    double units = all * 4294967296.0;
    /* A NaN fails this as well. */
    if (!(units < 9e18 && self->energy + (uint64_t)units >= self->energy))
        return fail(self, AUSCULT_FAILED, "%s has samples that are not finite or far too large", clip->name);
    self->energy += (uint64_t)units;
    self->samples += clip->sample_count;

    if (clip->window + 1 < clip->window_count) return fine(self);
    if (!is_live || clip->window == 0) self->recordings++;
    status = emit_recording(self, clip->name);
    self->frame_count = 0;
    return status == AUSCULT_OK ? fine(self) : status;
}

/* Gives the results about all recordings. */
static auscult_status finish(const auscult_instance *instance) {
    loudness *self = (loudness *)instance;
    double mean = self->samples ? (double)self->energy / 4294967296.0 / (double)self->samples : 0;
    auscult_status status = emit_scalar(self, "recordings", "", (double)self->recordings);
    if (status == AUSCULT_OK) status = emit_scalar(self, "loudness", "", decibels(mean));
    return status == AUSCULT_OK ? fine(self) : status;
}

static void destroy(const auscult_instance *instance) {
    loudness *self = (loudness *)instance;
    free(self->frames);
    free(self);
}

static const char *last_error(const auscult_instance *instance) { return ((const loudness *)instance)->error; }

/* ---------------------------------------------------------------------------------------- saving and merging */

/* All that an instance has heard, as it is written: this, then frame_count doubles. Written and read on machines of one
 * byte order only, which the first member tells. */
typedef struct {
    uint64_t format;
    uint64_t recordings, samples, energy, frame_count;
} saved;

#define FORMAT UINT64_C(0x31736e646c)

static auscult_status save(const auscult_instance *instance, auscult_byte_sink sink, void *context) {
    loudness *self = (loudness *)instance;
    saved head = {FORMAT, self->recordings, self->samples, self->energy, self->frame_count};
    auscult_status status = sink(context, &head, sizeof head);
    if (status == AUSCULT_OK && self->frame_count)
        status = sink(context, self->frames, self->frame_count * sizeof(double));
    return status == AUSCULT_OK ? fine(self) : fail(self, status, "the saved state was not taken");
}

/* Bytes may be damaged: nothing is believed before it is checked, and nothing is changed before all is. */
static auscult_status merge(const auscult_instance *instance, const void *bytes, uint64_t size) {
    loudness *self = (loudness *)instance;
    saved head;
    if (size < sizeof head)
        return fail(self, AUSCULT_INVALID_ARGUMENT, "the saved state has %llu bytes", (unsigned long long)size);
    memcpy(&head, bytes, sizeof head);
    if (head.format != FORMAT || head.frame_count != (size - sizeof head) / sizeof(double)
        || (size - sizeof head) % sizeof(double) != 0)
        return fail(self, AUSCULT_INVALID_ARGUMENT, "the saved state is damaged, or another plugin's");
    if (self->energy + head.energy < self->energy || self->samples + head.samples < self->samples
        || self->recordings + head.recordings < self->recordings)
        return fail(self, AUSCULT_INVALID_ARGUMENT, "the saved state counts more than can be");
    auscult_status status = reserve(self, head.frame_count);
    if (status != AUSCULT_OK) return status;
    if (head.frame_count) memcpy(self->frames, (const char *)bytes + sizeof head, head.frame_count * sizeof(double));
    self->frame_count = head.frame_count;
    self->recordings += head.recordings;
    self->samples += head.samples;
    self->energy += head.energy;
    return fine(self);
}

static const void *get_extension(const auscult_instance *instance, const char *id) {
    static const auscult_ext_state state = {sizeof state, save, merge};
    (void)instance;
    return strcmp(id, AUSCULT_EXT_STATE) == 0 ? &state : NULL;
}

/* ---------------------------------------------------------------------------------------- what the plugin is */

static const auscult_parameter parameters[] = {
    {.struct_size = sizeof *parameters, .kind = AUSCULT_PARAMETER_NUMBER, .id = "silence",
     .description = "dBFS: a frame below is silent", .default_value = "-50", .minimum = FLOOR_DBFS, .maximum = 0},
    {.struct_size = sizeof *parameters, .kind = AUSCULT_PARAMETER_NUMBER, .id = "shortest",
     .description = "seconds: shorter silences are not given", .default_value = "0.2", .minimum = 0, .maximum = 3600},
};

/* What is emitted has to be declared here, with the same id and kind. */
static const auscult_output outputs[] = {
    {.struct_size = sizeof *outputs, .kind = AUSCULT_SCALAR, .plot = AUSCULT_PLOT_NONE, .id = "recordings",
     .title = "Recordings heard", .unit = "", .description = ""},
    {.struct_size = sizeof *outputs, .kind = AUSCULT_SCALAR, .plot = AUSCULT_PLOT_NONE, .id = "loudness",
     .title = "Loudness", .unit = "dBFS", .description = "Of the mean square, for each recording and for all of them"},
    {.struct_size = sizeof *outputs, .kind = AUSCULT_VECTOR, .plot = AUSCULT_PLOT_LINE, .id = "levels",
     .title = "Loudness of each frame", .unit = "dBFS", .description = "", .axes = &time_axis, .axis_count = 1},
    {.struct_size = sizeof *outputs, .kind = AUSCULT_TIMED_EVENTS, .plot = AUSCULT_PLOT_SPECTROGRAM_OVERLAY,
     .id = "silences", .title = "Silences", .unit = "dBFS", .description = "The value is the loudest frame's level"},
};

static const auscult_descriptor descriptor = {
    .struct_size = sizeof descriptor,
    .id = ID,
    .name = "Loudness",
    .version = "1.0.0",
    .vendor = "Example",
    .licence = "Apache-2.0",
    .description = "How loud each recording is, frame by frame, and where it is silent.",
    /* Samples, and no activations. An analysis of activations names hook points here: {"encoder.blocks.*.mlp.1"}. */
    .needs = {.struct_size = sizeof(auscult_needs), .flags = AUSCULT_NEED_AUDIO | AUSCULT_CAN_STREAM},
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .outputs = outputs,
    .output_count = sizeof outputs / sizeof *outputs,
};

/* ---------------------------------------------------------------------------------------- making an instance */

static int read_number(const auscult_argument *argument, const char *id, double *number) {
    char *end = NULL;
    if (strcmp(argument->id, id) != 0) return 0;
    double value = strtod(argument->value, &end);
    if (end == argument->value || *end || !isfinite(value)) return -1;
    *number = value;
    return 1;
}

static auscult_status create(const auscult_host *host, const char *plugin_id, const auscult_argument *arguments,
                             uint32_t argument_count, const auscult_instance **instance, char *error,
                             uint32_t error_capacity) {
    if (strcmp(plugin_id, ID) != 0) {
        snprintf(error, error_capacity, "this library has no plugin %s", plugin_id);
        return AUSCULT_NOT_FOUND;
    }
    loudness *self = calloc(1, sizeof *self);
    if (!self) {
        snprintf(error, error_capacity, "there is no memory for an instance");
        return AUSCULT_LIMIT;
    }
    self->host = host;
    self->silence_dbfs = -50;
    self->shortest_silence = 0.2;
    for (uint32_t i = 0; i < argument_count; i++) {
        int silence = read_number(&arguments[i], "silence", &self->silence_dbfs);
        int shortest = read_number(&arguments[i], "shortest", &self->shortest_silence);
        if (silence + shortest == 1) continue;
        snprintf(error, error_capacity, "%s = \"%s\" is no parameter of this plugin, or no number", arguments[i].id,
                 arguments[i].value);
        free(self);
        return AUSCULT_INVALID_ARGUMENT;
    }
    self->instance = (auscult_instance){
        sizeof self->instance, NULL, activate, process, finish, destroy, get_extension, last_error};
    *instance = &self->instance;
    return AUSCULT_OK;
}

/* ---------------------------------------------------------------------------------------- the library */

static uint32_t count(void) { return 1; }
static const auscult_descriptor *describe(uint32_t index) { return index == 0 ? &descriptor : NULL; }

static auscult_status init(const char *bundle) {
    (void)bundle; /* The folder that the library lies in: for files of its own. */
    return AUSCULT_OK;
}

static void deinit(void) {}

static const void *get_factory(const char *id) {
    static const auscult_factory factory = {sizeof factory, count, describe, create};
    return strcmp(id, AUSCULT_FACTORY) == 0 ? &factory : NULL;
}

/* The one symbol that Auscult looks for. */
AUSCULT_EXPORT const auscult_entry auscult_plugin = {
    AUSCULT_MAGIC, sizeof auscult_plugin, AUSCULT_ABI_MAJOR, AUSCULT_ABI_MINOR, 0, init, deinit, get_factory};
