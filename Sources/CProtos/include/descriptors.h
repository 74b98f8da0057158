// The serialized google.protobuf.FileDescriptorSet of all files in Protos/, with their comments.
#pragma once
#include <stddef.h>

/// Constants of the program; `size` receives the number of bytes.
const unsigned char *auscult_descriptor_set(size_t *size);
