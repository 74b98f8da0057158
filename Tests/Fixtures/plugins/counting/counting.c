/* A plugin for tests: counts recordings and frames, and adds up what it sees in integers, so that any order of adding
 * gives the same. It can be told to crash, and to give large results. */
#include "auscult_plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    auscult_instance instance;
    const auscult_host *host;
    int64_t crash_at;
    int64_t numbers; /* of a vector that it gives for each recording */
    int64_t counts[3]; /* recordings, frames, sum */
    char error[128];
} counter;

static counter *of(const auscult_instance *self) { return (counter *)self->context; }

static auscult_status activate(const auscult_instance *self, const auscult_run *run) {
    (void)self;
    (void)run;
    return AUSCULT_OK;
}

static auscult_value value_of(int32_t kind, const char *recording) {
    auscult_value value;
    memset(&value, 0, sizeof value);
    value.struct_size = sizeof value;
    value.kind = kind;
    value.recording = recording;
    value.text = "";
    return value;
}

/* A vector whose numbers begin with the recording's. */
static auscult_status give_numbers(counter *c, const auscult_clip *clip) {
    float *numbers = malloc((size_t)c->numbers * sizeof *numbers);
    if (numbers == NULL) return AUSCULT_FAILED;
    for (int64_t i = 0; i < c->numbers; i++) numbers[i] = (float)(clip->recording + (uint64_t)i);
    auscult_value value = value_of(AUSCULT_VECTOR, clip->name);
    auscult_tensor array;
    memset(&array, 0, sizeof array);
    array.struct_size = sizeof array;
    array.dtype = AUSCULT_F32;
    array.rank = 1;
    array.shape[0] = c->numbers;
    array.strides[0] = 1;
    for (int axis = 0; axis < AUSCULT_MAX_RANK; axis++) array.axes[axis] = "";
    array.hook = "";
    array.data = numbers;
    value.array = &array;
    auscult_status status = c->host->emit(c->host, "numbers", &value);
    free(numbers);
    return status;
}

static auscult_status process(const auscult_instance *self, const auscult_clip *clip) {
    counter *c = of(self);
    int64_t sum = 0;
    if (c->crash_at >= 0 && (uint64_t)c->crash_at == clip->recording) abort();
    for (uint32_t t = 0; t < clip->tensor_count; t++) {
        const auscult_tensor *x = &clip->tensors[t];
        for (int64_t i = 0; i < x->shape[0]; i++)
            for (int64_t j = 0; j < x->shape[1]; j++)
                sum += llroundf(((const float *)x->data)[i * x->strides[0] + j * x->strides[1]] * 4096);
    }
    for (uint64_t i = 0; i < clip->sample_count; i++) sum += llroundf(clip->samples[i] * 4096);
    if (clip->window == 0) c->counts[0]++;
    c->counts[1] += clip->valid_frames;
    c->counts[2] += sum;
    auscult_value value = value_of(AUSCULT_SCALAR, clip->name);
    value.scalar = (double)sum;
    auscult_status status = c->host->emit(c->host, "sum", &value);
    return status == AUSCULT_OK && c->numbers > 0 ? give_numbers(c, clip) : status;
}

static auscult_status finish(const auscult_instance *self) {
    counter *c = of(self);
    char text[64];
    snprintf(text, sizeof text, "%lld %lld", (long long)c->counts[0], (long long)c->counts[2]);
    auscult_value frames = value_of(AUSCULT_SCALAR, ""), total = value_of(AUSCULT_TEXT, "");
    frames.scalar = (double)c->counts[1];
    total.text = text;
    auscult_status status = c->host->emit(c->host, "frames", &frames);
    return status == AUSCULT_OK ? c->host->emit(c->host, "total", &total) : status;
}

static void destroy(const auscult_instance *self) { free(of(self)); }

static auscult_status save(const auscult_instance *self, auscult_byte_sink sink, void *context) {
    return sink(context, of(self)->counts, sizeof of(self)->counts);
}

static auscult_status merge(const auscult_instance *self, const void *bytes, uint64_t size) {
    int64_t other[3];
    if (size != sizeof other) {
        snprintf(of(self)->error, sizeof of(self)->error, "a state has %zu bytes, not %llu", sizeof other,
                 (unsigned long long)size);
        return AUSCULT_INVALID_ARGUMENT;
    }
    memcpy(other, bytes, sizeof other);
    for (int i = 0; i < 3; i++) of(self)->counts[i] += other[i];
    return AUSCULT_OK;
}

static const auscult_ext_state state = {sizeof state, save, merge};

static const void *extension(const auscult_instance *self, const char *id) {
    (void)self;
    return strcmp(id, AUSCULT_EXT_STATE) == 0 ? &state : NULL;
}

static const char *last_error(const auscult_instance *self) { return of(self)->error; }

static const char *const hooks[] = {"encoder.conv1"};
static const auscult_parameter parameters[] = {
    {sizeof(auscult_parameter), AUSCULT_PARAMETER_INTEGER, "crash-at", "The recording that it crashes at; -1 for none.",
     "-1", -1, 1e9, NULL, 0},
    {sizeof(auscult_parameter), AUSCULT_PARAMETER_INTEGER, "numbers", "Of a vector for each recording; 0 for none.", "0",
     0, 1e9, NULL, 0},
};
static const auscult_output outputs[] = {
    {sizeof(auscult_output), AUSCULT_SCALAR, AUSCULT_PLOT_NONE, "sum", "Sum", "", "Of each recording.", NULL, 0},
    {sizeof(auscult_output), AUSCULT_SCALAR, AUSCULT_PLOT_NONE, "frames", "Frames", "", "Of all.", NULL, 0},
    {sizeof(auscult_output), AUSCULT_TEXT, AUSCULT_PLOT_NONE, "total", "Recordings and sum", "", "Of all.", NULL, 0},
    {sizeof(auscult_output), AUSCULT_VECTOR, AUSCULT_PLOT_LINE, "numbers", "Numbers", "", "Of each recording.", NULL, 0},
};

static const auscult_descriptor descriptor = {
    sizeof descriptor, "org.example.counting", "Counting", "1.0", "Example", "MIT", "Counts frames and adds up.",
    {sizeof(auscult_needs), AUSCULT_NEED_AUDIO, hooks, 1, NULL}, parameters, 2, outputs, 4,
};

static uint32_t count(void) { return 1; }
static const auscult_descriptor *describe(uint32_t index) { return index == 0 ? &descriptor : NULL; }

static auscult_status create(const auscult_host *host, const char *id, const auscult_argument *arguments,
                             uint32_t argument_count, const auscult_instance **instance, char *error,
                             uint32_t capacity) {
    (void)id;
    counter *c = calloc(1, sizeof *c);
    if (c == NULL) {
        snprintf(error, capacity, "no memory");
        return AUSCULT_FAILED;
    }
    c->host = host;
    c->crash_at = -1;
    for (uint32_t i = 0; i < argument_count; i++) {
        if (strcmp(arguments[i].id, "crash-at") == 0) c->crash_at = atoll(arguments[i].value);
        if (strcmp(arguments[i].id, "numbers") == 0) c->numbers = atoll(arguments[i].value);
    }
    auscult_instance made = {sizeof made, c, activate, process, finish, destroy, extension, last_error};
    c->instance = made;
    *instance = &c->instance;
    return AUSCULT_OK;
}

static const auscult_factory factory = {sizeof factory, count, describe, create};
static auscult_status init(const char *bundle) {
    (void)bundle;
    return AUSCULT_OK;
}
static void deinit(void) {}
static const void *get_factory(const char *id) { return strcmp(id, AUSCULT_FACTORY) == 0 ? &factory : NULL; }

AUSCULT_EXPORT const auscult_entry auscult_plugin = {
    AUSCULT_MAGIC, sizeof auscult_plugin, AUSCULT_ABI_MAJOR, AUSCULT_ABI_MINOR, 0, init, deinit, get_factory,
};
