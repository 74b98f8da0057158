#include "results.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Memory that is freed at once. */
typedef struct piece {
    struct piece *next;
    size_t used, size;
    max_align_t data[];
} piece;

typedef struct {
    VampFeature feature;
    VampFeatureV2 length;
} entry;

struct results {
    unsigned outputs;
    int64_t origin;
    piece *memory;
    struct {
        entry *entries;
        size_t count, capacity;
    } found[MOST_OUTPUTS];
};

/* The lists, and behind which store they stand; the host sees the lists. */
typedef struct {
    results *store;
    VampFeatureList lists[MOST_OUTPUTS];
} set;

static void *allot(results *self, size_t size) {
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!self->memory || self->memory->size - self->memory->used < size) {
        size_t room = size > 65536 ? size : 65536;
        piece *one = malloc(sizeof *one + room);
        if (!one) return NULL;
        *one = (piece){.next = self->memory, .size = room};
        self->memory = one;
    }
    void *place = (char *)self->memory->data + self->memory->used;
    self->memory->used += size;
    return place;
}

results *results_new(unsigned outputs, int64_t origin) {
    results *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->outputs = outputs < MOST_OUTPUTS ? outputs : MOST_OUTPUTS;
    self->origin = origin;
    return self;
}

void results_free(results *self) {
    if (!self) return;
    for (piece *one = self->memory, *next; one; one = next) {
        next = one->next;
        free(one);
    }
    for (unsigned i = 0; i < MOST_OUTPUTS; ++i) free(self->found[i].entries);
    free(self);
}

/* Whole seconds and nanoseconds; both are below zero, or neither, as Vamp's RealTime has them. */
static void split(int64_t nanoseconds, int *seconds, int *rest) {
    *seconds = (int)(nanoseconds / 1000000000);
    *rest = (int)(nanoseconds % 1000000000);
}

bool results_add(
    results *self, unsigned output, double start, double duration, const float *values, unsigned count,
    const char *label
) {
    if (output >= self->outputs) return false;
    if (self->found[output].count == self->found[output].capacity) {
        size_t capacity = self->found[output].capacity ? 2 * self->found[output].capacity : 64;
        entry *entries = realloc(self->found[output].entries, capacity * sizeof *entries);
        if (!entries) return false;
        self->found[output].entries = entries;
        self->found[output].capacity = capacity;
    }
    entry one = {.feature = {.hasTimestamp = 1, .valueCount = count}};
    one.feature.values = allot(self, count * sizeof *values + 1);
    one.feature.label = label ? allot(self, strlen(label) + 1) : NULL;
    if (!one.feature.values || (label && !one.feature.label)) return false;
    for (unsigned i = 0; i < count; ++i) one.feature.values[i] = values[i];
    if (label) memcpy(one.feature.label, label, strlen(label) + 1);
    split(self->origin + llround(start * 1e9), &one.feature.sec, &one.feature.nsec);
    one.length.hasDuration = duration >= 0;
    if (duration >= 0) split(llround(duration * 1e9), &one.length.durationSec, &one.length.durationNsec);
    self->found[output].entries[self->found[output].count++] = one;
    return true;
}

VampFeatureList *results_lists(results *self) {
    set *all = calloc(1, sizeof *all);
    if (!all) return NULL;
    for (unsigned i = 0; i < self->outputs; ++i) {
        size_t count = self->found[i].count;
        if (!count) continue;
        /* The first halves of all, and then the second: that is how version 2 of the interface goes on from version 1.
         */
        VampFeatureUnion *features = allot(self, 2 * count * sizeof *features);
        if (!features) {
            free(all);
            return NULL;
        }
        for (size_t j = 0; j < count; ++j) {
            features[j].v1 = self->found[i].entries[j].feature;
            features[count + j].v2 = self->found[i].entries[j].length;
        }
        all->lists[i] = (VampFeatureList){.featureCount = (unsigned)count, .features = features};
    }
    all->store = self;
    return all->lists;
}

VampFeatureList *results_none(void) {
    set *all = calloc(1, sizeof *all);
    return all ? all->lists : NULL;
}

void results_release(VampFeatureList *lists) {
    if (!lists) return;
    set *all = (set *)((char *)lists - offsetof(set, lists));
    results_free(all->store);
    free(all);
}
