/* Checks the reports of local checks. tests/vectors/diagnose has the findings. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <stdint.h>
#include <stdlib.h>

#define PAIR "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948:a9b8c7d6e5f40312213045566778899aabbccdde"

static justcall_report *report_on(const char *text, size_t length) {
    justcall_report *report = POISON(justcall_report);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_diagnose(text, length, &report, &error), &error);
    return report;
}

/* Returns the severity of the finding with this code, or -1 if there is none. */
static int32_t severity_of(const justcall_report *report, const char *code) {
    for (size_t n = 0; n < justcall_report_count(report); ++n) {
        if (strcmp(justcall_report_code(report, n), code) == 0)
            return justcall_report_severity(report, n);
    }
    return -1;
}

static void it_lists_the_worst_finding_first_and_never_shows_the_value(void) {
    /* A colon in the secret is a warning, and a space after it an error. */
    static const char text[] = PAIR ":canary77 ";
    char pasted[sizeof text];
    memcpy(pasted, text, sizeof text);
    justcall_report *report = report_on(pasted, sizeof text - 1);
    memset(pasted, '#', sizeof pasted); /* the report keeps no copy */
    const size_t count = justcall_report_count(report);
    CHECK(count >= 2);
    CHECK(justcall_report_severity(report, 0) == JUSTCALL_SEVERITY_ERROR);
    CHECK(severity_of(report, "trailing_whitespace") == JUSTCALL_SEVERITY_ERROR);
    CHECK(severity_of(report, "colon_in_secret") == JUSTCALL_SEVERITY_WARNING);
    for (size_t n = 0; n < count; ++n) {
        const char *message = justcall_report_message(report, n);
        const char *remedy = justcall_report_remedy(report, n);
        CHECK(n == 0 ||
              justcall_report_severity(report, n) <= justcall_report_severity(report, n - 1));
        CHECK(message && *message && !strstr(message, "canary"));
        CHECK(remedy && *remedy && !strstr(remedy, "canary"));
        CHECK(justcall_report_message(report, n) == message);
    }
    justcall_report_free(report);
}

static void it_returns_nothing_after_the_last_finding(void) {
    justcall_report *report = report_on("", 0);
    const size_t places[] = {justcall_report_count(report), SIZE_MAX, SIZE_MAX / 2 + 1};
    CHECK(places[0] > 0);
    for (int n = 0; n < 3; ++n) {
        CHECK(justcall_report_severity(report, places[n]) == -1);
        CHECK_TEXT(justcall_report_code(report, places[n]), NULL);
        CHECK_TEXT(justcall_report_message(report, places[n]), NULL);
        CHECK_TEXT(justcall_report_remedy(report, places[n]), NULL);
    }
    justcall_report_free(report);
}

static void it_reads_only_the_given_length(void) {
    static const char text[] = PAIR " \0";
    justcall_report *report = report_on(text, strlen(PAIR));
    CHECK(report != NULL);
    CHECK(justcall_report_count(report) == 0); /* a report without findings is not NULL */
    justcall_report_free(report);
    report = report_on(text, strlen(PAIR) + 1);
    CHECK(severity_of(report, "trailing_whitespace") == JUSTCALL_SEVERITY_ERROR);
    justcall_report_free(report);
    report = report_on(text, strlen(PAIR) + 2);
    CHECK(severity_of(report, "control_character") == JUSTCALL_SEVERITY_ERROR);
    justcall_report_free(report);
}

static justcall_report *report_on_the_environment(void) {
    justcall_report *report = POISON(justcall_report);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_diagnose_environment(&report, &error), &error);
    return report;
}

static void it_checks_the_environment(void) {
    justcall_report *report = report_on_the_environment();
    CHECK(severity_of(report, "nothing_found") == JUSTCALL_SEVERITY_ERROR);
    justcall_report_free(report);
    CHECK(setenv("JUSTCALL_API_KEY", "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948", 1) == 0);
    CHECK(setenv("JUSTCALL_API_SECRET", "a9b8c7d6e5f40312213045566778899aabbccdde", 1) == 0);
    report = report_on_the_environment();
    CHECK(justcall_report_count(report) == 0);
    justcall_report_free(report);
    CHECK(unsetenv("JUSTCALL_API_KEY") == 0);
    CHECK(unsetenv("JUSTCALL_API_SECRET") == 0);
}

static void it_refuses_invalid_arguments(void) {
    justcall_report *report = POISON(justcall_report);
    justcall_error *error = POISON(justcall_error);
    const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;
    CHECK_FAILS(justcall_diagnose(NULL, 1, &report, &error), invalid, &error);
    CHECK(report == NULL);
    report = POISON(justcall_report);
    CHECK_FAILS(justcall_diagnose(NULL, 0, &report, &error), invalid, &error);
    CHECK(report == NULL);
    CHECK_FAILS(justcall_diagnose_environment(NULL, &error), invalid, &error);
    report = POISON(justcall_report);
    CHECK_FAILS(justcall_diagnose(PAIR, SIZE_MAX, &report, &error), invalid, &error);
    CHECK(report == NULL);
    CHECK_FAILS(justcall_diagnose(PAIR, 3, NULL, &error), invalid, &error);
}

static void it_accepts_null_for_a_report(void) {
    CHECK(justcall_report_count(NULL) == 0);
    CHECK(justcall_report_severity(NULL, 0) == -1);
    CHECK_TEXT(justcall_report_code(NULL, 0), NULL);
    CHECK_TEXT(justcall_report_message(NULL, 0), NULL);
    CHECK_TEXT(justcall_report_remedy(NULL, 0), NULL);
}

int main(void) {
    it_lists_the_worst_finding_first_and_never_shows_the_value();
    it_returns_nothing_after_the_last_finding();
    it_reads_only_the_given_length();
    it_checks_the_environment();
    it_refuses_invalid_arguments();
    it_accepts_null_for_a_report();
    return checks_result();
}
