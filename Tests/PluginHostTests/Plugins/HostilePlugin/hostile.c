// A plugin whose argument "attack" names what it does when it is to hear something, and "target" at whom.
#define _GNU_SOURCE
#include "auscult_plugin.h"
#include "hostile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    auscult_instance c;
    const auscult_host *host;
    char attack[32], target[4096];
} state;

static const struct {
    const char *name;
    void (*run)(report *, const char *);
} attacks[] = {
    {"files", attack_files},     {"writes", attack_writes}, {"sockets", attack_sockets}, {"signals", attack_signals},
    {"tracing", attack_tracing}, {"forks", attack_forks},   {"memory", attack_memory},   {"floods", attack_floods},
};

void tell(report *report, const char *what, bool done) {
    const char *reason = strerrorname_np(errno);
    size_t room = sizeof report->text - report->size;
    int size = done ? snprintf(report->text + report->size, room, "%s: done\n", what)
                    : snprintf(report->text + report->size, room, "%s: refused, %s\n", what, reason ? reason : "?");
    if (size > 0 && (size_t)size < room) report->size += (size_t)size;
}

static auscult_status attack(const auscult_instance *self, const auscult_clip *clip) {
    state *s = self->context;
    (void)clip;
    report *all = calloc(1, sizeof *all);
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (strcmp(attacks[i].name, s->attack) == 0) attacks[i].run(all, s->target);
    auscult_value value = {.struct_size = sizeof value, .kind = AUSCULT_TEXT, .recording = "", .text = all->text};
    auscult_status status = s->host->emit(s->host, "attempts", &value);
    free(all);
    return status;
}

static auscult_status activate(const auscult_instance *self, const auscult_run *run) {
    (void)self, (void)run;
    return AUSCULT_OK;
}

static auscult_status finish(const auscult_instance *self) {
    (void)self;
    return AUSCULT_OK;
}

static void destroy(const auscult_instance *self) { free(self->context); }

static const void *get_extension(const auscult_instance *self, const char *id) {
    (void)self, (void)id;
    return NULL;
}

static const char *last_error(const auscult_instance *self) {
    (void)self;
    return "";
}

static const auscult_parameter parameters[] = {
    {.struct_size = sizeof parameters[0], .kind = AUSCULT_PARAMETER_TEXT, .id = "attack", .description = "", .default_value = ""},
    {.struct_size = sizeof parameters[0], .kind = AUSCULT_PARAMETER_TEXT, .id = "target", .description = "", .default_value = ""},
    {.struct_size = sizeof parameters[0], .kind = AUSCULT_PARAMETER_PATH, .id = "out", .description = "", .default_value = ""},
};

static const auscult_output outputs[] = {
    {.struct_size = sizeof outputs[0], .kind = AUSCULT_TEXT, .plot = AUSCULT_PLOT_NONE, .id = "attempts", .title = "Attempts",
     .unit = "", .description = ""},
};

static const auscult_descriptor descriptor = {
    .struct_size = sizeof descriptor, .id = "org.example.hostile", .name = "Faulty", .version = "1.0", .vendor = "nobody",
    .licence = "Apache-2.0", .description = "", .needs = {.struct_size = sizeof(auscult_needs), .flags = AUSCULT_NEED_AUDIO},
    .parameters = parameters, .parameter_count = 3, .outputs = outputs, .output_count = 1};

static uint32_t count(void) { return 1; }

static const auscult_descriptor *describe(uint32_t index) { return index == 0 ? &descriptor : NULL; }

static auscult_status create(const auscult_host *host, const char *id, const auscult_argument *arguments,
                             uint32_t argument_count, const auscult_instance **instance, char *error,
                             uint32_t error_capacity) {
    (void)id, (void)error, (void)error_capacity;
    state *s = calloc(1, sizeof *s);
    for (uint32_t i = 0; i < argument_count; i++) {
        if (strcmp(arguments[i].id, "attack") == 0) snprintf(s->attack, sizeof s->attack, "%s", arguments[i].value);
        // Behind a word, as what begins with a slash is a path that the caller grants.
        if (strcmp(arguments[i].id, "target") == 0 && strncmp(arguments[i].value, "at ", 3) == 0)
            snprintf(s->target, sizeof s->target, "%s", arguments[i].value + 3);
    }
    s->host = host;
    s->c = (auscult_instance){.struct_size = sizeof s->c, .context = s, .activate = activate, .process = attack,
                              .finish = finish, .destroy = destroy, .get_extension = get_extension,
                              .last_error = last_error};
    *instance = &s->c;
    return AUSCULT_OK;
}

static const void *get_factory(const char *id) {
    static const auscult_factory factory = {
        .struct_size = sizeof factory, .count = count, .describe = describe, .create = create};
    return strcmp(id, AUSCULT_FACTORY) == 0 ? &factory : NULL;
}

static auscult_status init(const char *bundle) {
    (void)bundle;
    return AUSCULT_OK;
}

static void deinit(void) {}

AUSCULT_EXPORT const auscult_entry auscult_plugin = {.magic = AUSCULT_MAGIC, .struct_size = sizeof(auscult_entry),
                                                     .abi_major = AUSCULT_ABI_MAJOR, .abi_minor = AUSCULT_ABI_MINOR,
                                                     .init = init, .deinit = deinit, .get_factory = get_factory};
