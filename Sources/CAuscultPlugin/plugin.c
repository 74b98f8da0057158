// The header is all there is; this makes sure that it compiles alone, as C.
#include "auscult_plugin.h"

_Static_assert(sizeof(auscult_status) == 4, "statuses are 32 bits wide");
_Static_assert(offsetof(auscult_entry, magic) == 0, "the magic number is what is looked at first");
