/* Runs every vector of a folder such as tests/vectors/diagnose: diagnose_vectors FOLDER SCRATCH.
 * The files of a vector are created in a new folder under SCRATCH. Prints one line for each vector,
 * then the total. tests/vectors/README.md describes the format. */

#define _XOPEN_SOURCE 700

#include "vectors.h"

#include <justcall_auth.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const VECTOR_KEYS[] = {"about", "text",   "text_base64", "environment",
                                          "files", "expect", NULL};
static const char *const FILE_KEYS[] = {"text", "mode", NULL};
static const char *const FINDING_KEYS[] = {"code", "severity", NULL};
static const char *const SEVERITIES[] = {"note", "warning", "error"};

/* The first characters of the keys and secrets in the vectors: no finding may contain them. */
static const char *const MADE_UP[] = {"1f0e9d8c", "a9b8c7d6", "2e1d0c9b", "b8c9daeb", NULL};

/* Creates the files of a vector in a folder. */
static void make_files(const cJSON *files, const char *dir) {
    const cJSON *item;
    if (!cJSON_IsObject(files))
        mismatch("files is not an object");
    cJSON_ArrayForEach(item, files) {
        char path[4096];
        check_known_keys(item, FILE_KEYS);
        snprintf(path, sizeof path, "%s/%s", dir, item->string);
        FILE *file = fopen(path, "wb");
        if (!file || fputs(member(item, "text"), file) < 0 || fclose(file) != 0 ||
            chmod(path, (mode_t)strtoul(member(item, "mode"), NULL, 8)) != 0)
            abort_test("cannot create", path);
    }
}

static void remove_files(const cJSON *files, const char *dir) {
    const cJSON *item;
    cJSON_ArrayForEach(item, files) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, item->string);
        remove(path);
    }
    if (rmdir(dir) != 0)
        abort_test("unexpected files in", dir);
}

/* Returns the pasted bytes of a vector, which the caller frees. Returns NULL if the vector checks
 * the environment. */
static char *pasted(const cJSON *vector, size_t *length) {
    const cJSON *text = get(vector, "text"), *base64 = get(vector, "text_base64");
    *length = 0;
    if ((text != NULL) == (base64 != NULL)) {
        mismatch("either text or text_base64 is given");
        return NULL;
    }
    if (base64)
        return (char *)decoded(member(vector, "text_base64"), length);
    if (cJSON_IsNull(text))
        return NULL;
    *length = strlen(member(vector, "text"));
    return strdup(member(vector, "text"));
}

static void compare_finding(const cJSON *expect, const justcall_report *report, size_t index) {
    const char *texts[2];
    const int32_t severity = justcall_report_severity(report, index);
    texts[0] = justcall_report_message(report, index);
    texts[1] = justcall_report_remedy(report, index);
    check_known_keys(expect, FINDING_KEYS);
    check_text_equals(expect, "code", justcall_report_code(report, index));
    check_text_equals(expect, "severity",
                      severity >= 0 && severity < 3 ? SEVERITIES[severity] : NULL);
    for (int text = 0; text < 2; ++text) {
        if (!texts[text] || !*texts[text])
            mismatch("finding %d lacks a text", (int)index);
        for (int n = 0; MADE_UP[n] && texts[text]; ++n) {
            if (strstr(texts[text], MADE_UP[n]))
                mismatch("a half leaks in \"%s\"", texts[text]);
        }
    }
}

static void run(const cJSON *vector, const char *dir) {
    const cJSON *expect = get(vector, "expect"), *finding;
    size_t length = 0, index = 0;
    justcall_report *report = NULL;
    justcall_error *error = NULL;
    check_known_keys(vector, VECTOR_KEYS);
    make_files(get(vector, "files"), dir);
    set_environment(get(vector, "environment"), dir);
    char *text = pasted(vector, &length);
    if ((text ? justcall_diagnose(text, length, &report, &error)
              : justcall_diagnose_environment(&report, &error)) != JUSTCALL_OK)
        mismatch("failed: %s", justcall_error_message(error));
    if (!cJSON_IsArray(expect))
        mismatch("expect is not a list");
    cJSON_ArrayForEach(finding, expect) { compare_finding(finding, report, index++); }
    for (; index < justcall_report_count(report); ++index)
        mismatch("found %s too", justcall_report_code(report, index));
    if (justcall_report_code(report, index) || justcall_report_severity(report, index) != -1)
        mismatch("there is a finding behind the last");
    justcall_report_free(report);
    justcall_error_free(error);
    free(text);
    unset_environment(get(vector, "environment"));
    remove_files(get(vector, "files"), dir);
}

int main(int argc, char **argv) {
    struct vectors vectors = vectors_in(argc == 3 ? argv[1] : NULL, is_json);
    for (int n = 0; n < vectors.count; ++n) {
        char dir[4096];
        cJSON *vector = vector_begin(&vectors, n, "");
        snprintf(dir, sizeof dir, "%s/XXXXXX", argv[2]);
        if (!mkdtemp(dir))
            abort_test("cannot create", dir);
        run(vector, dir);
        vector_end(&vectors, vector);
    }
    return vectors_result(&vectors);
}
