/* What the plugins of columns share: some that lie side by side, as a curve (the first) and as a heat map (all). */
#ifndef AUSCULT_VAMP_COLUMNS_H
#define AUSCULT_VAMP_COLUMNS_H

#include "plugin.h"

enum { COLUMNS_CURVE, COLUMNS_MAP, COLUMNS_OUTPUTS };

/* How many columns the heat map has. */
extern const VampParameterDescriptor columns_parameter;

/* Of a name ("neuron"), and the columns that are chosen. */
VampOutputDescriptor *columns_describe(const char *name, unsigned output, unsigned first, unsigned count);

/* Adds the values to both outputs. */
bool columns_add(results *into, const column_values *values, problem *problem);

#endif
