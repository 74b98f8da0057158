// A library without the symbol that a plugin exports.
__attribute__((visibility("default"))) int no_plugin_at_all(void) { return 0; }
