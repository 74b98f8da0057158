#ifndef AUSCULT_TEMPLATES_H
#define AUSCULT_TEMPLATES_H

#include <stddef.h>

/// A file of a new plugin's folder that lies in the binary. The bytes live as long as the process.
struct auscult_template_file {
    const char *path;            ///< the language, then the path in the folder: "c/plugin.c"
    const unsigned char *bytes;
    size_t size;
};

/// All files of all templates, sorted by path; sets `*count`.
const struct auscult_template_file *auscult_template_files(size_t *count);

#endif
