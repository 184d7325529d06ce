/* Loads a library at run time, calls it, closes it, and prints whether it stayed loaded. unload
 * LIBRARY */

#define _POSIX_C_SOURCE 200809L

#include <dlfcn.h>
#include <justcall_auth.h>
#include <stdio.h>
#include <string.h>

typedef const char *(*version_fn)(void);

/* ISO C cannot convert an object pointer to a function pointer; POSIX permits this way. */
static version_fn version_in(void *library) {
    version_fn function = NULL;
    void *symbol = dlsym(library, "justcall_version");
    memcpy(&function, &symbol, sizeof function);
    return function;
}

int main(int argc, char **argv) {
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    version_fn version = library ? version_in(library) : NULL;
    if (!version || strcmp(version(), JUSTCALL_VERSION_STRING) != 0)
        return 2;
    if (dlclose(library) != 0)
        return 3;
    /* The library must stay loaded: its thread that looks up a name may still run. */
    if (!dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD)) {
        puts("unloaded");
        return 1;
    }
    puts("loaded");
    return strcmp(version(), JUSTCALL_VERSION_STRING) == 0 ? 0 : 4;
}
