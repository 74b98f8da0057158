#include "CEmbedded.h"
void auscult_embedded_anchor(void) {}
