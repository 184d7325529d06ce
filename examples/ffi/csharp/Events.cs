// Prints the events of the calls, besides what Verify.cs prints for each path: mono Events.exe [BASE_URL]
using System;
using System.Runtime.InteropServices;

static partial class Verify {
    // [snippet handler]
    delegate void EventHandler(IntPtr context, IntPtr e);
    delegate void FreeContext(IntPtr context);
    [DllImport(Lib)] static extern int justcall_config_set_event_handler(
        Config config, EventHandler handler, IntPtr context, FreeContext free, out Error e);
    [DllImport(Lib)] static extern IntPtr justcall_event_name(IntPtr e);

    // The library keeps the addresses of these two. Static fields keep the code at these addresses.
    static readonly EventHandler Handle = (context, e) => {
        // No exception may leave the handler.
        try { ((Action<string>)GCHandle.FromIntPtr(context).Target)(Text(justcall_event_name(e))); }
        catch (Exception failure) { Console.Error.WriteLine(failure); }
    };
    static readonly FreeContext Free = context => {
        GCHandle.FromIntPtr(context).Free();
        Console.WriteLine("freed");
    };

    static void OnEvent(Config config, Action<string> action) {
        // The handle keeps `action` alive until the library calls `Free`.
        var context = GCHandle.ToIntPtr(GCHandle.Alloc(action));
        if (justcall_config_set_event_handler(config, Handle, context, Free, out var e) != 0)
            throw new Exception(Failure(e));
    }
    // [/snippet handler]

    internal static void PrintEvents(string[] arguments) {
        Client client;
        using (var config = justcall_config_new()) {
            OnEvent(config, name => Console.WriteLine("event: " + name));
            if (arguments.Length > 0 && justcall_config_set_base_url(config, arguments[0], out var e) != 0
                || justcall_client_new(config, out client, out e) != 0) throw new Exception(Failure(e));
        }
        using (client)
            for (string path; (path = Console.ReadLine()) != null;) {
                GC.Collect(); // What only the library refers to would be gone now.
                var none = UIntPtr.Zero;
                var status = justcall_client_request(client, "GET", path, null, none, out var response, out var e);
                using (response)
                    Console.WriteLine(status == 0 ? $"{justcall_response_http_status(response)}" : Failure(e));
            }
    }
}

static class Events {
    static void Main(string[] arguments) { Verify.PrintEvents(arguments); }
}
