#include "descriptors.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char bytes[] = {
#embed "descriptors.binpb"
};

const unsigned char *auscult_descriptor_set(size_t *size) {
    *size = sizeof bytes;
    return bytes;
}
