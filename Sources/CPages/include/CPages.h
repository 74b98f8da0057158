#ifndef AUSCULT_PAGES_H
#define AUSCULT_PAGES_H

#include <stddef.h>

/// A file that pages are made of. The bytes live as long as the process.
struct auscult_page_file {
    const char *name;            ///< "atlas/index.html"
    const unsigned char *bytes;
    size_t size;
};

/// All of them, sorted by name; sets `*count`.
const struct auscult_page_file *auscult_page_files(size_t *count);

#endif
