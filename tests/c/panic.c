/* Checks that a panic in the library is returned as a status and the program continues. Needs a
 * build with the feature `test-panic`. */

#include "check.h"

#ifdef __cplusplus
extern "C"
#endif
    justcall_status
    justcall_test_panic(justcall_error **error);

int main(void) {
    justcall_error *error = NULL;
    justcall_credentials *credentials = NULL;

    CHECK(justcall_test_panic(&error) == JUSTCALL_ERROR_INTERNAL);
    CHECK(justcall_error_status(error) == 90);
    CHECK_TEXT(justcall_error_name(error), "internal");
    CHECK_CONTAINS(justcall_error_message(error), "internal error");
    justcall_error_free(error);
    CHECK(justcall_test_panic(NULL) == JUSTCALL_ERROR_INTERNAL);

    CHECK_OK(justcall_credentials_new("abc123def456", 12, "sec789xyz000", 12, &credentials, &error),
             &error);
    CHECK_CONTAINS(justcall_credentials_key_hint(credentials), "abc1");
    justcall_credentials_free(credentials);
    return checks_result();
}
