#include "plugin_entry.h"

/* Written by the plugin's author in Swift, in one line: it names the plugins of this library. */
extern void auscult_plugin_types(void);

/* PluginKit's. */
extern auscult_status auscult_plugin_kit_init(const char *bundle);
extern void auscult_plugin_kit_deinit(void);
extern const void *auscult_plugin_kit_get_factory(const char *id);

static auscult_status init(const char *bundle) {
    auscult_plugin_types();
    return auscult_plugin_kit_init(bundle);
}

AUSCULT_EXPORT const auscult_entry auscult_plugin = {
    .magic = AUSCULT_MAGIC,
    .struct_size = sizeof(auscult_entry),
    .abi_major = AUSCULT_ABI_MAJOR,
    .abi_minor = AUSCULT_ABI_MINOR,
    .init = init,
    .deinit = auscult_plugin_kit_deinit,
    .get_factory = auscult_plugin_kit_get_factory,
};
