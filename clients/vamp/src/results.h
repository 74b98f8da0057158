/*
 * What a plugin found, as Vamp's lists of features. All of it lies in one store, which goes with the set that the host
 * is given.
 */
#ifndef AUSCULT_VAMP_RESULTS_H
#define AUSCULT_VAMP_RESULTS_H

#include <stdbool.h>
#include <stdint.h>
#include <vamp/vamp.h>

#define MOST_OUTPUTS 2

typedef struct results results;

/* NULL where memory is out. `origin` is the time of the first sample in nanoseconds, which is added to all times. */
results *results_new(unsigned outputs, int64_t origin);
void results_free(results *results);

/* Adds a feature to an output. Times are seconds from the first sample; a negative `duration` for none; `label` may be
 * NULL. False where memory is out. */
bool results_add(
    results *results, unsigned output, double start, double duration, const float *values, unsigned count,
    const char *label
);

/* What the host is given, one list an output; the store goes with it. NULL where memory is out, and then the store is
 * the caller's. */
VampFeatureList *results_lists(results *results);

/* Of no features at all: for `results_release` like any other. */
VampFeatureList *results_none(void);
void results_release(VampFeatureList *lists);

#endif
