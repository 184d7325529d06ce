// Verifies a pair, then sends GET for each path on standard input: mono Verify.exe [BASE_URL]
using System;
using System.Runtime.InteropServices;

// [snippet handles]
// The runtime frees a handle once, when no call uses it.
abstract class Handle : SafeHandle {
    readonly Action<IntPtr> free;
    protected Handle(Action<IntPtr> free) : base(IntPtr.Zero, true) { this.free = free; }
    public override bool IsInvalid => handle == IntPtr.Zero;
    protected override bool ReleaseHandle() { free(handle); return true; }
}
sealed class Config : Handle { Config() : base(Verify.justcall_config_free) { } }
sealed class Client : Handle { Client() : base(Verify.justcall_client_free) { } }
sealed class Account : Handle { Account() : base(Verify.justcall_account_free) { } }
sealed class Response : Handle { Response() : base(Verify.justcall_response_free) { } }
sealed class Error : Handle { Error() : base(Verify.justcall_error_free) { } }
// [/snippet handles]
static partial class Verify {
    const string Lib = "justcall_auth";
    const UnmanagedType Utf8 = UnmanagedType.LPUTF8Str;
    [DllImport(Lib)] static extern uint justcall_abi_version();
    [DllImport(Lib)] static extern Config justcall_config_new();
    [DllImport(Lib)] static extern int justcall_config_set_base_url(Config c, [MarshalAs(Utf8)] string u, out Error e);
    [DllImport(Lib)] static extern int justcall_client_new(Config config, out Client client, out Error e);
    [DllImport(Lib)] static extern int justcall_client_verify(Client client, out Account account, out Error e);
    [DllImport(Lib)] static extern int justcall_client_request(Client client, string method,
        [MarshalAs(Utf8)] string path, byte[] body, UIntPtr length, out Response response, out Error e);
    [DllImport(Lib)] static extern int justcall_response_http_status(Response response);
    [DllImport(Lib)] static extern IntPtr justcall_account_email(Account account);
    [DllImport(Lib)] static extern IntPtr justcall_error_name(Error e);
    [DllImport(Lib)] static extern IntPtr justcall_error_hint(Error e);
    [DllImport(Lib)] internal static extern void justcall_config_free(IntPtr handle);
    [DllImport(Lib)] internal static extern void justcall_client_free(IntPtr handle);
    [DllImport(Lib)] internal static extern void justcall_account_free(IntPtr handle);
    [DllImport(Lib)] internal static extern void justcall_response_free(IntPtr handle);
    [DllImport(Lib)] internal static extern void justcall_error_free(IntPtr handle);
    static string Text(IntPtr text) => Marshal.PtrToStringUTF8(text);
    static string Failure(Error e) {
        using (e) return $"{Text(justcall_error_name(e))}: {Text(justcall_error_hint(e))}";
    }
    static void Main(string[] arguments) {
        if (justcall_abi_version() != 1) throw new Exception("This program needs ABI 1 of libjustcall_auth.");
        using (var config = justcall_config_new()) {
            Error e;
            if (arguments.Length > 0 && justcall_config_set_base_url(config, arguments[0], out e) != 0
                || justcall_client_new(config, out var client, out e) != 0) throw new Exception(Failure(e));
            using (client) {
                if (justcall_client_verify(client, out var account, out e) != 0) throw new Exception(Failure(e));
                using (account) Console.WriteLine("verified " + Text(justcall_account_email(account)));
                for (string path; (path = Console.ReadLine()) != null;) {
                    var none = UIntPtr.Zero;
                    var status = justcall_client_request(client, "GET", path, null, none, out var response, out e);
                    using (response)
                        Console.WriteLine(status == 0 ? $"{justcall_response_http_status(response)}" : Failure(e));
                }
            }
        }
    }
}
