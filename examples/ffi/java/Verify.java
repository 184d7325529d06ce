// Verifies a pair, then sends GET for each path on standard input: java -cp jna.jar:. Verify [BASE_URL]
import com.sun.jna.*;
import com.sun.jna.ptr.PointerByReference;
import java.util.Scanner;

public final class Verify {
    /** The functions of justcall_auth.h that this program uses. A size_t is a long on 64-bit systems. */
    public interface JustCall extends Library {
        int justcall_abi_version();
        Pointer justcall_config_new();
        int justcall_config_set_base_url(Pointer config, String url, PointerByReference error);
        int justcall_client_new(Pointer config, PointerByReference client, PointerByReference error);
        int justcall_client_verify(Pointer client, PointerByReference account, PointerByReference error);
        int justcall_client_request(Pointer client, String method, String path, byte[] body, long length,
                PointerByReference response, PointerByReference error);
        int justcall_response_http_status(Pointer response);
        String justcall_account_email(Pointer account);
        String justcall_error_name(Pointer error);
        String justcall_error_hint(Pointer error);
        void justcall_config_free(Pointer config);
        void justcall_client_free(Pointer client);
        void justcall_account_free(Pointer account);
        void justcall_response_free(Pointer response);
        void justcall_error_free(Pointer error);
    }

    private static final JustCall LIB = Native.load(System.getenv().getOrDefault("JUSTCALL_LIBRARY", "justcall_auth"),
            JustCall.class, java.util.Map.of(Library.OPTION_STRING_ENCODING, "UTF-8"));
    private static String failure(PointerByReference error) {
        String text = LIB.justcall_error_name(error.getValue()) + ": " + LIB.justcall_error_hint(error.getValue());
        LIB.justcall_error_free(error.getValue());
        return text;
    }

    public static void main(String[] arguments) {
        if (LIB.justcall_abi_version() != 1) throw new UnsatisfiedLinkError("This program needs ABI 1 of the library.");
        PointerByReference client = new PointerByReference(), account = new PointerByReference();
        PointerByReference error = new PointerByReference();
        Pointer config = LIB.justcall_config_new();
        try {
            if (arguments.length > 0 && LIB.justcall_config_set_base_url(config, arguments[0], error) != 0
                    || LIB.justcall_client_new(config, client, error) != 0
                    || LIB.justcall_client_verify(client.getValue(), account, error) != 0) {
                throw new IllegalStateException(failure(error));
            }
            System.out.println("verified " + LIB.justcall_account_email(account.getValue()));
            for (var lines = new Scanner(System.in); lines.hasNextLine(); ) {
                var out = new PointerByReference();
                int status = LIB.justcall_client_request(
                        client.getValue(), "GET", lines.nextLine(), null, 0, out, error);
                System.out.println(status == 0 ? LIB.justcall_response_http_status(out.getValue()) : failure(error));
                LIB.justcall_response_free(out.getValue());
            }
        } finally {
            LIB.justcall_account_free(account.getValue());
            LIB.justcall_client_free(client.getValue());
            LIB.justcall_config_free(config);
        }
    }
}
