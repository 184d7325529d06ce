// Verifies a pair, then sends GET for each path on standard input: verify [BASE_URL]
package main

// #cgo LDFLAGS: -ljustcall_auth
// #include <justcall_auth.h>
import "C"

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"unsafe"
)

// [snippet call]
// failure copies the texts of an error and frees it.
func failure(e *C.justcall_error) error {
	defer C.justcall_error_free(e)
	return fmt.Errorf("%s: %s", C.GoString(C.justcall_error_name(e)), C.GoString(C.justcall_error_hint(e)))
}

// text returns s as C needs it. The library copies it during the call.
func text(s string) *C.char { return (*C.char)(unsafe.Pointer(&append([]byte(s), 0)[0])) }

// [/snippet call]
func run() error {
	if abi := C.justcall_abi_version(); abi != C.JUSTCALL_ABI_VERSION {
		return fmt.Errorf("This program needs ABI %d of libjustcall_auth, not %d.", C.JUSTCALL_ABI_VERSION, abi)
	}
	var client *C.justcall_client
	var account *C.justcall_account
	var e *C.justcall_error
	config := C.justcall_config_new()
	defer func() { C.justcall_config_free(config) }()
	defer func() { C.justcall_client_free(client) }()
	defer func() { C.justcall_account_free(account) }()
	if len(os.Args) > 1 && C.justcall_config_set_base_url(config, text(os.Args[1]), &e) != C.JUSTCALL_OK ||
		C.justcall_client_new(config, &client, &e) != C.JUSTCALL_OK ||
		C.justcall_client_verify(client, &account, &e) != C.JUSTCALL_OK {
		return failure(e)
	}
	fmt.Println("verified", C.GoString(C.justcall_account_email(account)))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var response *C.justcall_response
		if C.justcall_client_request(client, text("GET"), text(lines.Text()), nil, 0, &response, &e) == C.JUSTCALL_OK {
			fmt.Println(C.justcall_response_http_status(response))
			C.justcall_response_free(response)
		} else {
			fmt.Println(failure(e))
		}
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
