#ifndef AUSCULT_PLUGIN_ENTRY_H
#define AUSCULT_PLUGIN_ENTRY_H

#include "auscult_plugin.h"

/* The symbol that a plugin library exports. It cannot be written in Swift, which has no constants that C can see. */
extern const auscult_entry auscult_plugin;

#endif
