#ifndef AUSCULT_EMBEDDED_H
#define AUSCULT_EMBEDDED_H

#include <stddef.h>

/// A file of models/ that lies in the binary. The bytes live as long as the process, 64-byte aligned.
struct auscult_embedded_file {
    const char *path;            ///< below models/, with forward slashes: "default/config.json"
    const unsigned char *bytes;
    size_t size;
};

/// All embedded files, sorted by path; sets `*count`.
const struct auscult_embedded_file *auscult_embedded_files(size_t *count);

#endif
