#ifndef AUSCULT_ATLAS_PAGE_H
#define AUSCULT_ATLAS_PAGE_H

#include <stddef.h>

/// A file of the atlas' page that lies in the binary. The bytes live as long as the process.
struct auscult_page_file {
    const char *name;            ///< "index.html"
    const unsigned char *bytes;
    size_t size;
};

/// All files of the page, sorted by name; sets `*count`.
const struct auscult_page_file *auscult_page_files(size_t *count);

#endif
