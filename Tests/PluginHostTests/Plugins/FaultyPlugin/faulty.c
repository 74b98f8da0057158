// A plugin that works, the running sum of everything it is shown, and that does wrong on request: what goes wrong while
// it runs is named by the argument "fault", what goes wrong at loading by a file "fault" beside the library.
#define _GNU_SOURCE
#include "auscult_plugin.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static char load_fault[64];
static int global_count; // two instances share it, which is a fault on request

typedef struct {
    auscult_instance c;
    const auscult_host *host;
    char fault[64];
    double sum, gain;
    uint64_t count;
    char error[512];
} state;

static int does(const state *s, const char *fault) { return strcmp(s->fault, fault) == 0; }

static auscult_status emit_scalar(state *s, const char *id, double value, const char *recording) {
    auscult_value v = {.struct_size = sizeof v, .kind = AUSCULT_SCALAR, .recording = recording, .scalar = value};
    return s->host->emit(s->host, id, &v);
}

static auscult_status refused(state *s, auscult_status status) {
    snprintf(s->error, sizeof s->error, "the host said %d: %s", status, s->host->last_error(s->host));
    return status;
}

static auscult_status activate(const auscult_instance *self, const auscult_run *run) {
    state *s = self->context;
    return does(s, "refuses-activate") || run->n_audio_state == 0 ? (strcpy(s->error, "no such model"), AUSCULT_FAILED) : AUSCULT_OK;
}

static auscult_status garbage(void) {
    unsigned char noise[512];
    for (int round = 0; round < 20; round++)
        for (int fd = 1; fd < 64; fd++) {
            for (size_t i = 0; i < sizeof noise; i++) noise[i] = (unsigned char)rand();
            // Sockets block when they are full, and this is to end.
            if (send(fd, noise, sizeof noise, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && fd < 3)
                if (write(fd, noise, 64) < 0) continue;
        }
    return AUSCULT_OK;
}

// A frame that a hostile process could send past the library's checks.
static void frame(const unsigned char *bytes, uint32_t size) {
    unsigned char length[4] = {size & 255, size >> 8 & 255, size >> 16 & 255, size >> 24};
    if (write(3, length, 4) < 0 || write(3, bytes, size) < 0) _exit(9);
}

static auscult_status misbehave(state *s) {
    if (does(s, "segfault")) *(volatile int *)8 = 1;
    if (does(s, "abort")) abort();
    if (does(s, "exit")) exit(0);
    if (does(s, "exit3")) _exit(3);
    if (does(s, "loop")) for (;;) sleep(1);
    if (does(s, "spin")) for (volatile int i = 0;; i++) { }
    if (does(s, "reports") || does(s, "stands-still")) {
        // Four seconds, of which each twentieth of one gets on, or does not.
        const auscult_host_log *log = s->host->get_extension(s->host, AUSCULT_HOST_LOG);
        for (int i = 1; i <= 80; i++) {
            log->progress(s->host, does(s, "reports") ? i : 1, 80, "parts");
            usleep(50000);
        }
    }
    if (does(s, "cancellable")) {
        const auscult_host_log *log = s->host->get_extension(s->host, AUSCULT_HOST_LOG);
        while (!log->is_cancelled(s->host)) usleep(1000);
        strcpy(s->error, "cancelled, as asked");
        return AUSCULT_CANCELLED;
    }
    if (does(s, "allocate"))
        for (;;) {
            // NULL at the limit; volatile, or the compiler sees that nobody reads it.
            volatile char *block = malloc(1 << 20);
            for (int i = 0; i < 1 << 20; i += 512) block[i] = 1;
        }
    if (does(s, "garbage")) return garbage();
    if (does(s, "silent-garbage")) frame((const unsigned char *)"\xff\xff\xff\xff\xff", 5);
    if (does(s, "huge-frame")) { if (write(3, "\xff\xff\xff\xff", 4) < 0) _exit(9); sleep(60); }
    // FromPlugin{emit{result{output_id:"ghost" scalar:1}}}
    if (does(s, "forged-undeclared"))
        frame((const unsigned char *)"\x1a\x12\x0a\x10\x0a\x05ghost\x19\0\0\0\0\0\0\xf0?", 20);
    // FromPlugin{emit{result{output_id:"sum" scalar:NaN}}}
    if (does(s, "forged-nan"))
        frame((const unsigned char *)"\x1a\x10\x0a\x0e\x0a\x03sum\x19\0\0\0\0\0\0\xf8\x7f", 18);
    if (does(s, "closes-socket")) { close(3); sleep(60); }
    if ((does(s, "leaves") || does(s, "leaves-loops")) && fork() == 0) for (setsid();;) sleep(60);
    if (does(s, "leaves-loops")) for (;;) sleep(1);
    if (does(s, "forks")) { if (fork() == 0) for (;;) sleep(60); abort(); }
    if (does(s, "undeclared")) return refused(s, emit_scalar(s, "ghost", 1, ""));
    if (does(s, "nan")) return refused(s, emit_scalar(s, "sum", NAN, ""));
    if (does(s, "wrong-kind")) return refused(s, emit_scalar(s, "pair", 1, ""));
    if (does(s, "wrong-shape") || does(s, "huge-shape") || does(s, "null-data")) {
        float numbers[6] = {0};
        auscult_tensor t = {.struct_size = sizeof t, .dtype = AUSCULT_F32, .rank = 2, .shape = {2, 3},
                            .strides = {3, 1}, .data = numbers};
        if (does(s, "huge-shape")) t.rank = 1, t.shape[0] = INT64_MAX, t.strides[0] = 1;
        if (does(s, "null-data")) t.rank = 1, t.shape[0] = 4, t.strides[0] = 1, t.data = NULL;
        auscult_value v = {.struct_size = sizeof v, .kind = AUSCULT_VECTOR, .recording = "", .array = &t};
        return refused(s, s->host->emit(s->host, "pair", &v));
    }
    if (does(s, "million")) {
        for (int i = 0; i < 1000000; i++) {
            auscult_status status = emit_scalar(s, "sum", i, "");
            if (status != AUSCULT_OK) return refused(s, status);
        }
    }
    if (does(s, "chatty")) for (int i = 0; i < 100000; i++) printf("line %d\n", i);
    if (does(s, "prints")) printf("hello\n");
    if (does(s, "asks")) {
        const auscult_host_tokenizer *t = s->host->get_extension(s->host, AUSCULT_HOST_TOKENIZER);
        const auscult_host_folder *f = s->host->get_extension(s->host, AUSCULT_HOST_FOLDER);
        int32_t ids[8];
        uint32_t count = 0;
        auscult_status status = t->encode(s->host, "a b", 0, ids, 8, &count);
        if (status != AUSCULT_OK) return refused(s, status);
        char text[64];
        uint64_t size = 0;
        status = t->decode(s->host, ids, count, text, sizeof text - 1, &size);
        if (status != AUSCULT_OK) return refused(s, status);
        text[size < sizeof text - 1 ? size : sizeof text - 1] = 0;
        char line[256];
        snprintf(line, sizeof line, "%u %s %s", count, text, f->path(s->host));
        auscult_value v = {.struct_size = sizeof v, .kind = AUSCULT_TEXT, .recording = "", .text = line};
        return s->host->emit(s->host, "words", &v);
    }
    return AUSCULT_OK;
}

static auscult_status add(void *context, const auscult_tensor *t) {
    state *s = context;
    int64_t count = 1;
    for (uint32_t i = 0; i < t->rank; i++) count *= t->shape[i];
    if (t->dtype != AUSCULT_F32) return AUSCULT_UNSUPPORTED;
    for (int64_t i = 0; i < count; i++) s->sum += s->gain * ((const float *)t->data)[i];
    return AUSCULT_OK;
}

// A pass on a log-mel that does not lie row by row, then passes that make no sense.
static auscult_status passes(state *s) {
    const auscult_host_gradients *g = s->host->get_extension(s->host, AUSCULT_HOST_GRADIENTS);
    if (!g || g->struct_size < sizeof *g) return strcpy(s->error, "no gradients"), AUSCULT_UNSUPPORTED;
    float numbers[8] = {1, 5, 2, 6, 3, 7, 4, 8};
    auscult_tensor mel = {.struct_size = sizeof mel, .dtype = AUSCULT_F32, .rank = 2, .shape = {2, 4}, .strides = {1, 2},
                          .data = numbers, .hook = "", .valid_positions = 3};
    int32_t tokens[3] = {4, 5, 6};
    const char *change = "a = zero", *objectives[2] = {"one", "two"}, *hook = "log_mel";
    auscult_pass pass = {.struct_size = sizeof pass, .log_mel = &mel, .tokens = tokens, .token_count = 3, .interventions = &change,
                         .intervention_count = 1, .objectives = objectives, .objective_count = 2, .hooks = &hook, .hook_count = 1};
    double values[2] = {0, 0};
    s->sum = 0;
    auscult_status status = g->run(s->host, &pass, values, add, s);
    if (status != AUSCULT_OK) return refused(s, status);
    char line[256];
    int length = snprintf(line, sizeof line, "%g %g %g", values[0], values[1], s->sum);
    pass.samples = numbers;
    pass.sample_count = 8;
    status = g->run(s->host, &pass, values, add, s);
    length += snprintf(line + length, sizeof line - length, "; %d %s", status, s->host->last_error(s->host));
    pass.log_mel = NULL;
    pass.objective_count = 65;
    length += snprintf(line + length, sizeof line - length, "; %d", g->run(s->host, &pass, values, add, s));
    pass.objective_count = 0;
    snprintf(line + length, sizeof line - length, "; %d; %d", g->run(s->host, &pass, NULL, add, s), g->run(s->host, NULL, NULL, add, s));
    auscult_value v = {.struct_size = sizeof v, .kind = AUSCULT_TEXT, .recording = "", .text = line};
    return s->host->emit(s->host, "words", &v);
}

static auscult_status process(const auscult_instance *self, const auscult_clip *clip) {
    state *s = self->context;
    s->error[0] = 0;
    auscult_status status = misbehave(s);
    if (status != AUSCULT_OK) return status;
    if (does(s, "weights")) {
        const auscult_host_weights *w = s->host->get_extension(s->host, AUSCULT_HOST_WEIGHTS);
        status = w->get(s->host, "missing", add, s);
        if (status != AUSCULT_NOT_FOUND) return refused(s, status);
        status = w->get(s->host, "ones", add, s);
        if (status != AUSCULT_OK) return refused(s, status);
    }
    if (does(s, "passes") && (status = passes(s)) != AUSCULT_OK) return status;
    if (does(s, "writes-tensor") && clip->tensor_count) *(float *)clip->tensors[0].data = 1;
    if (does(s, "short-crashes") && clip->sample_count == 1) abort();
    if (does(s, "streams-crashes") && clip->window_count == 0) abort();
    double before = s->sum;
    for (uint32_t i = 0; i < clip->tensor_count; i++) add(s, &clip->tensors[i]);
    if (does(s, "nan-crashes") && !isfinite(s->sum)) abort();
    if (!isfinite(s->sum)) {
        s->sum = before;
        strcpy(s->error, "a number that is not finite");
        return AUSCULT_INVALID_ARGUMENT;
    }
    s->count++;
    global_count++;
    return AUSCULT_OK;
}

static auscult_status finish(const auscult_instance *self) {
    state *s = self->context;
    if (does(s, "finish-crashes")) abort();
    double sum = s->sum;
    if (does(s, "random")) sum += getpid();
    if (does(s, "shares")) sum += global_count;
    auscult_status status = emit_scalar(s, "sum", sum, "");
    return status == AUSCULT_OK ? emit_scalar(s, "clips", (double)s->count, "") : refused(s, status);
}

static void destroy(const auscult_instance *self) {
    state *s = self->context;
    if (does(s, "slow-destroy")) for (;;) sleep(60);
    free(s);
}

static const char *last_error(const auscult_instance *self) { return ((state *)self->context)->error; }

typedef struct {
    uint64_t magic;
    double sum;
    uint64_t count, check;
} saved;

static auscult_status save(const auscult_instance *self, auscult_byte_sink sink, void *context) {
    state *s = self->context;
    saved bytes = {.magic = 0x5A11, .sum = s->sum, .count = s->count, .check = s->count ^ 0x5A11};
    return sink(context, &bytes, sizeof bytes);
}

static auscult_status merge(const auscult_instance *self, const void *bytes, uint64_t size) {
    state *s = self->context;
    saved other;
    if (does(s, "trusts-state")) {
        uint64_t length;
        memcpy(&length, bytes, 8);
        if (length != 0x5A11) abort();
    }
    if (size != sizeof other || (memcpy(&other, bytes, size), other.magic != 0x5A11) || other.check != (other.count ^ 0x5A11)) {
        strcpy(s->error, "this is no state of mine");
        return AUSCULT_INVALID_ARGUMENT;
    }
    if (s->count > 0 && (does(s, "one-run") || does(s, "one-run-undeclared") || does(s, "one-run-fails"))) {
        strcpy(s->error, "two runs of this kind are no sum");
        return does(s, "one-run-fails") ? AUSCULT_FAILED : AUSCULT_UNSUPPORTED;
    }
    s->sum += other.sum;
    if (!does(s, "forgets")) s->count += other.count;
    return AUSCULT_OK;
}

static const void *get_extension(const auscult_instance *self, const char *id) {
    static const auscult_ext_state table = {.struct_size = sizeof table, .save = save, .merge = merge};
    state *s = self->context;
    return strcmp(id, AUSCULT_EXT_STATE) == 0 && !does(s, "stateless") ? &table : NULL;
}

static const char *const hooks[] = {"encoder.blocks.*.hook_resid_post"};

static const auscult_parameter parameters[] = {
    {.struct_size = sizeof parameters[0], .kind = AUSCULT_PARAMETER_TEXT, .id = "fault", .description = "what goes wrong",
     .default_value = ""},
    {.struct_size = sizeof parameters[0], .kind = AUSCULT_PARAMETER_NUMBER, .id = "gain", .description = "a factor",
     .default_value = "1", .minimum = 0, .maximum = 10},
};

static const auscult_output outputs[] = {
    {.struct_size = sizeof outputs[0], .kind = AUSCULT_SCALAR, .plot = AUSCULT_PLOT_NONE, .id = "sum", .title = "Sum",
     .unit = "", .description = "of all numbers"},
    {.struct_size = sizeof outputs[0], .kind = AUSCULT_SCALAR, .plot = AUSCULT_PLOT_NONE, .id = "clips",
     .title = "Clips", .unit = "", .description = ""},
    {.struct_size = sizeof outputs[0], .kind = AUSCULT_VECTOR, .plot = AUSCULT_PLOT_BAR, .id = "pair", .title = "Pair",
     .unit = "", .description = ""},
    {.struct_size = sizeof outputs[0], .kind = AUSCULT_TEXT, .plot = AUSCULT_PLOT_NONE, .id = "words",
     .title = "Words", .unit = "", .description = ""},
};

static auscult_descriptor descriptor = {
    .struct_size = sizeof descriptor, .id = "org.example.faulty", .name = "Faulty", .version = "1.0",
    .vendor = "nobody", .licence = "Apache-2.0", .description = "does wrong on request",
    .needs = {.struct_size = sizeof(auscult_needs), .flags = AUSCULT_NEED_AUDIO, .hooks = hooks, .hook_count = 1},
    .parameters = parameters, .parameter_count = 2, .outputs = outputs, .output_count = 4};

static uint32_t count(void) { return strcmp(load_fault, "many-plugins") == 0 ? 4000000000u : 1; }

static const auscult_descriptor *describe(uint32_t index) { return index == 0 ? &descriptor : NULL; }

static auscult_status create(const auscult_host *host, const char *id, const auscult_argument *arguments,
                             uint32_t argument_count, const auscult_instance **instance, char *error,
                             uint32_t error_capacity) {
    state *s = calloc(1, sizeof *s);
    s->gain = 1;
    // A fault of the whole bundle, where a validator chooses the arguments.
    strcpy(s->fault, load_fault);
    for (uint32_t i = 0; i < argument_count; i++) {
        if (strcmp(arguments[i].id, "fault") == 0 && arguments[i].value[0])
            snprintf(s->fault, sizeof s->fault, "%s", arguments[i].value);
        if (strcmp(arguments[i].id, "gain") == 0) s->gain = atof(arguments[i].value);
    }
    if (does(s, "create-fails")) {
        snprintf(error, error_capacity, "there is no making %s", id);
        free(s);
        return AUSCULT_UNSUPPORTED;
    }
    if (does(s, "create-crashes")) abort();
    if (does(s, "create-loops")) for (;;) sleep(1);
    s->host = host;
    s->c = (auscult_instance){.struct_size = sizeof s->c, .context = s, .activate = activate, .process = process,
                              .finish = finish, .destroy = destroy, .get_extension = get_extension,
                              .last_error = last_error};
    if (does(s, "small-instance")) s->c.struct_size = 4;
    *instance = &s->c;
    return AUSCULT_OK;
}

static const void *get_factory(const char *id) {
    static const auscult_factory factory = {
        .struct_size = sizeof factory, .count = count, .describe = describe, .create = create};
    return strcmp(id, AUSCULT_FACTORY) == 0 && strcmp(load_fault, "no-factory") != 0 ? &factory : NULL;
}

static auscult_status init(const char *bundle) {
    (void)bundle;
    if (strcmp(load_fault, "init-crashes") == 0) abort();
    if (strcmp(load_fault, "init-loops") == 0) for (;;) sleep(1);
    return strcmp(load_fault, "init-fails") == 0 ? AUSCULT_FAILED : AUSCULT_OK;
}

static void deinit(void) {
    if (strcmp(load_fault, "deinit-loops") == 0) for (;;) sleep(60);
}

// Not constant, as it should be: the faults below are written into it.
AUSCULT_EXPORT auscult_entry auscult_plugin = {.magic = AUSCULT_MAGIC, .struct_size = sizeof(auscult_entry),
                                               .abi_major = AUSCULT_ABI_MAJOR, .abi_minor = AUSCULT_ABI_MINOR,
                                               .init = init, .deinit = deinit, .get_factory = get_factory};

__attribute__((constructor)) static void read_fault(void) {
    Dl_info place;
    char path[4096];
    if (!dladdr(&auscult_plugin, &place)) return;
    snprintf(path, sizeof path, "%s", place.dli_fname);
    char *slash = strrchr(path, '/');
    if (!slash) return;
    strcpy(slash, "/fault");
    FILE *file = fopen(path, "r");
    if (!file) return;
    if (fscanf(file, "%63s", load_fault) != 1) load_fault[0] = 0;
    fclose(file);
    const char *f = load_fault;
    if (strcmp(f, "magic") == 0) auscult_plugin.magic = 0x1234;
    if (strcmp(f, "entry-size") == 0) auscult_plugin.struct_size = 8;
    if (strcmp(f, "major") == 0) auscult_plugin.abi_major = 2;
    if (strcmp(f, "minor") == 0) auscult_plugin.abi_minor = 7;
    if (strcmp(f, "no-init") == 0) auscult_plugin.init = NULL;
    if (strcmp(f, "other-id") == 0) descriptor.id = "org.example.other";
    if (strcmp(f, "other-version") == 0) descriptor.version = "2.0";
    if (strncmp(f, "one-run", 7) == 0 && strcmp(f, "one-run-undeclared") != 0)
        descriptor.needs.flags |= AUSCULT_NEED_ONE_RUN;
    if (strncmp(f, "streams", 7) == 0) descriptor.needs.flags |= AUSCULT_CAN_STREAM;
    if (strcmp(f, "streams-labels") == 0) descriptor.needs.flags |= AUSCULT_NEED_LABELS;
    if (strcmp(f, "no-such-hook") == 0) {
        static const char *const none[] = {"encoder.blocks.*.nothing"};
        descriptor.needs.hooks = none;
    }
    if (strcmp(f, "null-name") == 0) descriptor.name = NULL;
    if (strcmp(f, "not-utf8") == 0) descriptor.vendor = "\xff\xfe";
    if (strcmp(f, "wild-pointer") == 0) descriptor.name = (const char *)16;
    if (strcmp(f, "huge-parameters") == 0) descriptor.parameter_count = 4000000000u;
    if (strcmp(f, "huge-outputs") == 0) descriptor.output_count = 4000000000u;
    if (strcmp(f, "descriptor-size") == 0) descriptor.struct_size = 16;
    if (strcmp(f, "bad-default") == 0) {
        static auscult_parameter bad[2];
        memcpy(bad, parameters, sizeof bad);
        bad[1].default_value = "11";
        descriptor.parameters = bad;
    }
    if (strcmp(f, "long-text") == 0) {
        static char text[1 << 20];
        memset(text, 'x', sizeof text - 1);
        descriptor.description = text;
    }
}
